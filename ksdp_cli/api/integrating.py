"""From a posed problem to the frames of a store: what happens between two steps, and how a run goes on or ends early.

Everything about a frame that is committed, and about a checkpoint that is whole, is on the disk; a run killed at any
moment repeats the steps since its last checkpoint, bit for bit, and passes over the frames that are there.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from ..base import checkpoint
from ..base import device as devices
from ..base.files import parse_json
from ..base.listener import Listener
from ..base.records import SavedSimulation, checked
from ..errors import DataError, Interrupted, NumericalError
from ..particles import preflight
from ..particles.problem import Problem
from ..particles.simulation import Simulation, State
from ..store import Writer, change_times, open_run
from .headers import END_STATE, MADE_BY, belongs, header, marks, require_same_kind, run_id, snapshots_of, with_times

#: Seconds between checkpoints, at least; and times what the last one took, so that they cost 2 % at most.
CHECKPOINT_SECONDS, CHECKPOINT_COST = 10.0, 50.0
#: Seconds of steps that are timed before the end is foretold, and the step after which nobody waits for another; and
#: what a part of a frame takes until one has been written: most of it is bringing its files to the disk.
TIMED, LONG_STEP, FRAME_SECONDS = 0.5, 5.0, 0.01


def checkpoint_path(store: Path) -> Path:
    """Where the state of the run that is written to ``store`` lies."""
    return store.with_name(store.name + ".checkpoint")


def integrate(problem: Problem, writer: Writer, device: str, resume: bool, listener: Listener) -> None:
    """Write every frame that is missing.

    Raises `NumericalError` at blow-up, when the store holds the frames before it, and `Interrupted` on a signal.
    """
    simulation = Simulation(problem, device)
    kind = {"device": device, "engine": simulation.engines[0].name}
    watch = Watch(simulation, writer, listener, _start(simulation, writer, resume, listener, kind), kind)
    try:
        simulation.run(watch.write, watch.after_step)
    except NumericalError as error:
        advice = preflight.diagnose(problem, simulation.snapshot(), simulation.case)
        kept = _keep(problem, simulation, writer, watch, error.message)
        raise NumericalError(f"{error.message}; {advice}; {kept}", error.hint) from None


def _start(simulation: Simulation, writer: Writer, resume: bool, listener: Listener, kind: dict[str, str]) -> float:
    """Go on from the checkpoint of this very run, from its end if it was complete, or from its start.

    Returns the seconds that were spent before. Raises `ConfigError` when ``kind``, device and engine, is not that of
    the state or of the stored frames.
    """
    file = checkpoint_path(writer.path)
    checkpoint.claim(file)
    end = open_run(writer.path) if resume and writer.committed else None
    try:
        ended = parse_json(end.attrs[END_STATE]) if end and END_STATE in end.attrs else None
    except ValueError as error:
        raise DataError(f"{writer.path}: {END_STATE} is unreadable ({error})", "the store is damaged") from None

    def unfit(found: dict[str, Any]) -> str | None:
        try:
            checked(SavedSimulation, found)
        except ValueError as error:
            return f"cannot be used: {error}"
        if not belongs(found, simulation.config, marks(simulation.problem)):
            return "belongs to another run"
        require_same_kind(found, kind, f"the state of {writer.path}")
        if found["k"] > writer.committed:
            return f"lies ahead of the {writer.committed} frames of {writer.path}"
        now = [engine.state() for engine in simulation.engines]
        if found["case"] >= len(simulation.problem.cases) or found["step"] > simulation.steps:
            return f"is at case {found['case']}, step {found['step']}, which there is not"
        alike = len(now) == len(found["engines"]) and all(
            not a or not b or a.keys() == b.keys() for a, b in zip(found["engines"], now, strict=True)
        )
        return None if alike else "was written by another version"

    found, passed_over = checkpoint.newest(file, unfit) if resume else (None, [])
    if found is None and end and ended and unfit(ended) is None:
        cases = range(len(end.cases))
        found = (
            ended | {"source": "the last frame"},
            {"x": np.stack([end.frame(case, ended["k"] - 1) for case in cases])},
        )
    afresh = f"starting from t = {simulation.config.t0:g}; stored frames stay"
    instead = f"going on from {found[0]['source']}" if found else afresh
    for reason in passed_over:
        if listener.warn:
            listener.warn(f"{reason}; {instead}")
    if found is None:
        if end:
            require_same_kind(end.attrs, kind, str(writer.path))
        checkpoint.remove(file)
        simulation.start()
        return 0.0
    about, arrays = found
    shape = (len(simulation.problem.cases), simulation.config.J, simulation.config.dim)
    if "x" not in arrays or arrays["x"].shape != shape or not np.isfinite(arrays["x"]).all():
        raise DataError(f"{about['source']} holds no positions {shape} that are finite", "use --overwrite")
    place = about["k"], about["case"], about["step"], about.get("behind", 0)
    try:
        simulation.restore(State(arrays["x"], *place, about["engines"]))
        simulation.collapsed = {int(case): float(t) for case, t in about.get("collapsed", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DataError(f"{about['source']} does not fit ({error})", "use --overwrite to start again") from None
    return float(about["seconds"])


def _keep(problem: Problem, simulation: Simulation, writer: Writer, watch: Watch, message: str) -> str:
    """Keep the last good cloud as the last frame of a store that ends there; a sentence on what is kept.

    The cases of a sweep are not at one time, so that only their common frames are kept.
    """
    times, t = snapshots_of(writer.header.config)[: writer.committed], simulation.elapsed()
    if len(problem.cases) > 1:
        return f"the frames before it are kept in {writer.path} ({len(times)})"
    if not times or t > times[-1]:
        times = (*times, t)
    ended = change_times(writer, header(with_times(problem, times)))
    if ended.committed < len(times):
        ended.write_frame(len(times) - 1, _stored(simulation.state.x))
    ended.annotate(blow_up=message, **watch.facts())
    if ended.committed < len(times):
        ended.commit(len(times) - 1)
    checkpoint.remove(checkpoint_path(writer.path))
    ended.finish()
    return f"{writer.path} ends at the last good step (frames: {len(times)})"


class Watch:
    """What happens between two steps of a run, on a GPU between those that are queued at once."""

    def __init__(
        self, simulation: Simulation, writer: Writer, listener: Listener, spent: float, kind: dict[str, str]
    ) -> None:
        self.simulation, self.writer, self.listener, self.kind = simulation, writer, listener, kind
        self.spent, self.first, self.interval = spent, simulation.done(), CHECKPOINT_SECONDS
        self.began = self.saved = time.monotonic()
        if self.first and listener.stop:
            listener.stop()  # a run that goes on has something to save from its first step
        self.warm: tuple[float, int, float] | None = None
        self.writing, self.written = 0.0, 0
        self.drawn, self.announced, self.warned = 0.0, False, False
        self.doubted: set[str] = set()

    def write(self, k: int, frame: np.ndarray) -> None:
        """Store a snapshot, unless it is there: it lies behind the checkpoint, and is the same bit for bit."""
        if k < self.writer.committed:
            return
        before = time.monotonic()
        self.writer.write_frame(k, _stored(frame))
        if k + 1 == len(self.writer.times):
            end = self._about(State(frame, k + 1, engines=[engine.state() for engine in self.simulation.engines]))
            self.writer.annotate(**self.facts(), **({END_STATE: json.dumps(end)} if frame.dtype == np.float32 else {}))
        elif k == 0:
            self.writer.annotate(**{MADE_BY: self.kind})
        self.writer.commit(k)
        self.writing, self.written = self.writing + time.monotonic() - before, self.written + 1

    def facts(self) -> dict[str, Any]:
        """What the store says about how it was made."""
        return {
            "seconds": self._seconds(),
            "steps": self.simulation.steps,
            "hardware": devices.describe(self.kind["device"]),
            MADE_BY: self.kind,
            "engine": [mover.report() for mover in self.simulation.movers],
            "largest_pull": self.simulation.pull()[0],
            **self._collapsed(),
        }

    def _timed(self, now: float, done: int) -> bool:
        """Whether enough was seen to say how long the run takes; the first step is not counted, which compiles."""
        if self.warm is None:
            self.warm = now, done, self.writing
        since, steps = now - self.warm[0], done - self.warm[1]
        return done == self.simulation.steps or (steps >= 2 and since > TIMED) or since > LONG_STEP

    def _left(self, now: float, done: int) -> float:
        """Seconds to come: steps at their rate since the first one, and frames at that of those written."""
        assert self.warm is not None
        began, first, writing = self.warm
        step = (now - began - (self.writing - writing)) / max(done - first, 1)
        frame = (
            self.writing / self.written if self.written else FRAME_SECONDS * (2 + len(self.simulation.problem.cases))
        )
        return step * (self.simulation.steps - done) + frame * (len(self.writer.times) - self.writer.committed)

    def _collapsed(self) -> dict[str, Any]:
        """The time from which on the cloud is collapsed; of a sweep one for each case, None where it is not."""
        found, cases = self.simulation.collapsed, range(len(self.simulation.problem.cases))
        times = [found.get(case) for case in cases]
        return {"collapsed_from": times[0] if len(times) == 1 else times} if found else {}

    def after_step(self, done: int) -> None:
        seen = self.simulation.look()
        if seen and self.listener.warn and not self.warned:  # once for a sweep; the store says it of every case
            self.warned = True
            self.listener.warn(seen)
        now, listener, steps = time.monotonic(), self.listener, self.simulation.steps
        if not self.announced and self._timed(now, done):
            self.announced = True
            if listener.tell:
                listener.tell(self._expectation(self._left(now, done)))
        if now - self.drawn > 0.1 or done == steps:
            self.drawn = now
            self._doubt()
            if listener.progress:
                rate = (done - self.first) / max(now - self.began, 1e-9)
                listener.progress("steps", done, steps, f"{rate:.3g} steps/s")
        signal_number = listener.stop() if listener.stop else None
        if signal_number is None and now - self.saved < self.interval:
            return
        self._save()
        if signal_number is not None:
            raise Interrupted(
                f"stopped by signal {signal_number} at step {done} of {steps}; the state is saved",
                signal_number,
                f"the same command with --resume and -o {self.writer.path} goes on from here",
            )

    def _save(self) -> None:
        before = time.monotonic()
        state = self.simulation.snapshot()
        checkpoint.save(checkpoint_path(self.writer.path), self._about(state), {"x": state.x})
        self.saved = time.monotonic()
        self.interval = max(CHECKPOINT_SECONDS, CHECKPOINT_COST * (self.saved - before))

    def _about(self, state: State) -> dict[str, Any]:
        """All of a state but its positions."""
        return {
            "run": run_id(self.simulation.config, marks(self.simulation.problem)),
            MADE_BY: self.kind,
            "k": state.k,
            "case": state.case,
            "step": state.step,
            "behind": state.behind,
            "engines": state.engines,
            "seconds": self._seconds(),
            "collapsed": {str(case): t for case, t in self.simulation.collapsed.items()},
        }

    def _doubt(self) -> None:
        """Warn once of each: a step too long for the kernel, an engine that misses its accuracy."""
        s, warn = self.simulation, self.listener.warn
        if not warn:
            return
        pull, case = s.pull()
        coarse = [preflight.accuracy_doubt(m.report(), s.config.dtype, s.time(), m.case) for m in s.movers]
        doubts = {
            "step": preflight.kernel_doubt(pull, s.longest, s.time(), case),
            "accuracy": next((doubt for doubt in coarse if doubt), None),
        }
        for what, doubt in doubts.items():
            if doubt and what not in self.doubted:
                self.doubted.add(what)
                warn(doubt)

    def _seconds(self) -> float:
        return self.spent + time.monotonic() - self.began

    def _expectation(self, left: float) -> str:
        """Time, memory and disk of the whole run, from its first steps."""
        s = self.simulation
        cases = f" in {len(s.problem.cases)} cases" if len(s.problem.cases) > 1 else ""
        peak = _peak_memory()
        disk = frame_bytes(s.problem) * (len(self.writer.times) - self.writer.committed)
        engine = s.engines[0].report()["engine"]
        return (
            f"{s.steps - self.first} steps of {s.config.J} particles{cases}, {engine} engine on "
            f"{devices.describe(self.kind['device'])}: about {_duration(time.monotonic() - self.began + left)}, "
            f"{_size(peak + s.state.x.nbytes)} of memory, {_size(disk)} of disk"
        )


def _peak_memory() -> int:
    """Bytes that this process has held at most; 0 on Windows, which does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def frame_bytes(problem: Problem) -> int:
    """Bytes of one stored frame of every case."""
    return 4 * len(problem.cases) * problem.config.J * problem.config.dim


def _stored(frame: np.ndarray) -> np.ndarray:
    return frame.astype(np.float32, copy=False)


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{_short(seconds / size)} {unit}"
    return f"{_short(seconds)} s"


def _size(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{_short(count / size)} {unit}"
    return f"{_short(count / 1e3)} kB"


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"
