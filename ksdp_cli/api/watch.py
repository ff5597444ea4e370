"""Between the steps of a run: frames, checkpoints, warnings, progress and signals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from ..base import compiling
from ..base import device as devices
from ..base.files import JsonDict
from ..base.labels import bytes_in_words, counted, duration
from ..base.listener import Listener
from ..errors import Interrupted
from ..particles import preflight
from ..particles.case_run import CaseRun, State
from ..particles.precision import motion_warning
from ..particles.simulation import Simulation
from ..store import Owner
from ..store.field_grid import FieldGrid
from .case_store import CaseStore
from .checkpoints import Checkpoints
from .following import as_columns, followed_by, is_due, is_followed, is_over, look, seen_end
from .headers import MADE_BY, collapsed_from, end_state, marks, run_id
from .pace import Pace, frame_bytes, peak_memory
from .ranks import by_first, compare, stop_request
from .shard_writing import shards_to_write, write_shards

#: Seconds between checkpoints, at least; and times what the last one took, so that they cost 2 % at most.
CHECKPOINT_SECONDS, CHECKPOINT_COST = 10.0, 50.0
#: The same between two looks at the run as a whole, for warnings and progress.
PAUSE, PAUSE_COST = 0.1, 20.0


class Collapsed(Exception):
    """A run that is to stop at its collapse has come to it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Watch:
    """Acts between the steps of a run, on a GPU between queues of steps: saves, warns, reports."""

    def __init__(
        self, simulation: Simulation, writer: Owner | CaseStore, listener: Listener, before: float, kind: dict[str, str]
    ) -> None:
        self.simulation, self.writer, self.listener, self.kind = simulation, writer, listener, kind
        self.files, self.world = Checkpoints(writer.path), simulation.world
        #: By case, interval, step and place in it of its checkpoint.
        self.checkpoints: dict[int, tuple[int, int, int]] = {}
        self.spent, self.first, self.interval = before, simulation.done(), CHECKPOINT_SECONDS
        self.began = self.saved = compiling.clock()
        if self.first and listener.stop:
            listener.stop()  # a run that goes on has something to save from its first step
        self.pace = Pace(simulation.steps, len(simulation.problem.cases))
        self.drawn, self.announced, self.warned = 0.0, False, False
        self.pause = PAUSE
        self.doubted: set[str] = set()
        #: By case the largest coordinate that was seen first.
        self.far: dict[int, float] = {}
        #: Numbers of the cases whose collapse is followed; and what the store says where the run stopped at one.
        self.followed = {run.case.number for run in simulation.runs if is_followed(simulation.problem, run.case)}
        self.stopped: JsonDict | None = None

    def write(self, k: int, clouds: list[np.ndarray]) -> None:
        """Store a snapshot, after comparing it on all ranks: each writes some of its shards, and rank 0 commits it."""
        compare(self.world, clouds)
        began, digests = compiling.clock(), None
        if self.world.size > 1:
            cases = [run.case.number for run in self.simulation.runs]
            digests = write_shards(self.world, shards_to_write(self.writer, k, cases), clouds)
        self.pace.writing += compiling.clock() - began
        by_first(self.world, lambda: self._write(k, clouds, digests or {}))

    def _write(self, k: int, clouds: list[np.ndarray], digests: Mapping[int, NDArray[np.uint64]]) -> None:
        """Store a snapshot unless it is committed; after a resume it has the same bits."""
        if k < self.writer.committed:
            return
        before = compiling.clock()
        if k + 1 == len(self.writer.times):
            self.writer.annotate(**self.facts(), **self._end_state(k + 1))
        elif k == 0:
            self.writer.annotate(**{MADE_BY: self.kind})
        for run, cloud in zip(self.simulation.runs, clouds, strict=True):
            with self.writer.case(run.case.number) as case:
                if k >= case.committed:
                    case.write(k, cloud, *fields(run, case.header.grid), digests.get(run.case.number))
        self.writer.commit()
        self.pace.writing += compiling.clock() - before
        self.pace.written += 1

    def facts(self) -> dict[str, object]:
        """Return the attributes about how the store was made."""
        return {
            "seconds": self._seconds(),
            "steps": self.simulation.steps,
            "hardware": self._hardware(),
            MADE_BY: self.kind,
            "engine": [run.stepper.report() for run in self.simulation.runs],
            "largest_pull": self.simulation.max_kernel_displacement()[0],
            **collapsed_from([run.state.collapsed for run in self.simulation.runs]),
            **followed_by([run.state.looks for run in self.simulation.runs]),
        }

    def after_step(self, done: int) -> None:
        over = self._follow()
        doubt = self.simulation.look()
        if doubt and self.listener.warn and not self.warned:  # once for a sweep; the store says it of every case
            self.warned = True
            self.listener.warn(doubt)
        now, listener, steps = compiling.clock(), self.listener, self.simulation.steps
        if not self.announced and self.pace.is_ready(now, done):
            self.announced = True
            if listener.tell:
                frames = len(self.writer.times) - self.writer.committed
                listener.tell(self._expectation(self.pace.remaining(now, done, frames)))
        if now - self.drawn > self.pause or done == steps:
            self.drawn = now
            self._doubt()
            self.pause = max(PAUSE, PAUSE_COST * (compiling.clock() - now))  # of many cases it takes its time
            if listener.progress:
                rate = (done - self.first) / max(now - self.began, 1e-9)
                listener.progress("steps", done, steps, f"{rate:.3g} steps/s")
        signal_number, due = stop_request(self.world, listener.stop, now - self.saved >= self.interval, bool(over))
        if signal_number is None and not due:
            return
        by_first(self.world, self.save)
        if over:
            raise Collapsed(over)
        if signal_number is not None:
            raise Interrupted(
                f"stopped by signal {signal_number} at step {done} of {steps}; the state is saved",
                signal_number,
                f"repeat the command with --resume and -o {self.writer.path} to continue",
            )

    def _follow(self) -> str | None:
        """Look at the cases that are followed, where it is time to; a sentence where the run is to end at that."""
        s = self.simulation
        due = [r for r in s.moved if r.case.number in self.followed and self._is_due(r)]
        if due:
            s.settle()
        for run in due:
            measure = look(run)
            run.state.looks.append(measure)
            if s.config.merge == "stop" and (why := is_over(run, measure)):
                return why
        return None

    @staticmethod
    def _is_due(run: CaseRun) -> bool:
        """Whether to look at a case now; no more once its last look saw the end of what delta resolves."""
        return is_due(run.state.looks, run.time()) and not seen_end(run)

    def save(self, last: bool = False) -> None:
        """A checkpoint of each case that has moved since its last one; the ``last`` also says how the run went."""
        before = compiling.clock()
        for run, state in zip(self.simulation.runs, self.simulation.snapshot(), strict=True):
            place = (state.k, state.step, state.place.offset)
            case_moves = any(place)  # what has not is drawn again
            if last or (case_moves and self.checkpoints.get(run.case.number) != place):
                facts = {"facts": self.facts(), "whole": bool(self._end_state(state.k))} if last else {}
                self.files.save(run.case.number, self._about(state) | facts, state.arrays)
                self.checkpoints[run.case.number] = place
        self.saved = compiling.clock()
        self.interval = max(CHECKPOINT_SECONDS, CHECKPOINT_COST * (self.saved - before))

    def _about(self, state: State) -> dict[str, object]:
        """Return the state of a case without its arrays."""
        return self._run() | {
            "k": state.k,
            "step": state.step,
            "engine": state.engine,
            "collapsed": state.collapsed,
            "fastest": state.fastest,
            **({"followed": as_columns(state.looks)} if state.looks else {}),
            **({"halved": asdict(state.place)} if self.simulation.config.halvings else {}),
        }

    def _end_state(self, k: int) -> dict[str, str]:
        """What the last of ``k`` frames lacks of the states, where that is no array."""
        states = self.simulation.snapshot()
        if any(state.arrays.keys() != {"x"} or state.x.dtype != np.float32 for state in states):
            return {}
        halved = [asdict(state.place) for state in states] if self.simulation.config.halvings else []
        engines, collapsed = [state.engine for state in states], [state.collapsed for state in states]
        about = self._run() | {"fastest": [state.fastest for state in states]}
        return end_state(about, k, engines, collapsed, halved)

    def _run(self) -> dict[str, object]:
        """Return the entries of a state that identify its run."""
        run = run_id(self.simulation.config, marks(self.simulation.problem))
        return {"run": run, MADE_BY: self.kind, "seconds": self._seconds()}

    def _doubt(self) -> None:
        """Warn once of a step too long for the kernel, of missed accuracy, and of a change of engine."""
        s, warn = self.simulation, self.listener.warn
        if not warn:
            return
        pull, case = s.max_kernel_displacement()
        too_far = not s.config.halvings or pull > s.config.dt_fraction  # as far as halved steps may is what was asked
        reports = [run.stepper.report() for run in s.runs]
        coarse = [
            preflight.accuracy_warning(report, s.config.dtype, run.time(), run.case)
            for run, report in zip(s.runs, reports, strict=True)
        ]
        instead = [preflight.engine_warning(report, s.config.engine) for report in reports]
        of_chemistry = max((preflight.warnings_of(report) for report in reports), key=len, default=[])
        doubts = {
            "step": preflight.kernel_warning(pull, s.longest, s.moving.time(), case) if too_far else None,
            f"chemistry {len(of_chemistry)}": next(iter(of_chemistry), None),  # again when it has one more
            "accuracy": next((doubt for doubt in coarse if doubt), None),
            "engine": next((doubt for doubt in instead if doubt), None),
            "precision": self._coarse(),
        }
        for what, doubt in doubts.items():
            if doubt and what not in self.doubted:
                self.doubted.add(what)
                warn(doubt)

    def _coarse(self) -> str | None:
        """Return a warning if a cloud has moved to where the precision is too coarse for it."""
        s = self.simulation
        for run in s.runs:
            far, at_first = run.stepper.far, self.far.setdefault(run.case.number, run.stepper.far)
            shortest = run.state.place.shortest or math.inf
            if far > 2 * at_first or shortest < s.longest:  # the initial cloud was doubted before the first step
                doubt = motion_warning(s.config, run.case, far, run.stepper.width, run.time(), shortest)
                if doubt:
                    return doubt
        return None

    def _seconds(self) -> float:
        return self.spent + compiling.clock() - self.began

    def _hardware(self) -> str:
        each = devices.describe(self.kind["device"])
        return each if self.world.size == 1 else f"{self.world.size} ranks, each {each}"

    def _expectation(self, remaining: float) -> str:
        """Estimate time, memory and disk of the whole run from its first steps."""
        s = self.simulation
        cases = f" in {len(s.problem.cases)} cases" if len(s.problem.cases) > 1 else ""
        memory = peak_memory() + sum(run.state.x.nbytes for run in s.runs)
        disk = frame_bytes(s.problem) * (len(self.writer.times) - self.writer.committed)
        engine = s.runs[0].stepper.report()["engine"]
        each = " a rank" if self.world.size > 1 else ""
        return (
            f"{counted(s.steps - self.first, 'step')} of {counted(s.config.J, 'particle')}{cases}, {engine} engine on "
            f"{self._hardware()}: about {duration(compiling.clock() - self.began + remaining)}, "
            f"{bytes_in_words(memory)} of memory{each}, {bytes_in_words(disk)} of disk"
        )


def fields(run: CaseRun, grid: FieldGrid | None) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """c of a case on the ``grid`` of a store and its gradient, where they are stored."""
    if grid is None:
        return None, None
    return run.field(grid.axes()), run.field_gradient(grid.axes()) if grid.gradient else None
