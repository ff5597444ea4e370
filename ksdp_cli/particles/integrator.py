"""The time loop: every case of a problem from one snapshot to the next, with a checkpoint that resumes to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError
from ..shapes import Frame
from . import collapse
from .engines import make_engine
from .history import noise_key
from .mover import Mover
from .problem import Case, Problem
from .schemes import SCHEMES


@dataclass(frozen=True)
class Interval:
    """The ``count`` steps to snapshot ``k``, from ``start`` to ``end`` in units of ``dt``; ``first`` were taken before.

    Steps lie between the multiples of dt. A snapshot that is no multiple cuts the step that it falls into in two.
    """

    k: int
    start: float
    end: float
    first: int
    dt: float

    @property
    def count(self) -> int:
        return math.ceil(self.end) - math.floor(self.start)

    def step(self, index: int) -> tuple[float, float]:
        """Time at which a step begins, and its length: exactly dt, but for a step that is cut."""
        grid = math.floor(self.start) + index
        begin = max(self.start, float(grid))
        return begin * self.dt, (min(self.end, float(grid + 1)) - begin) * self.dt


def intervals(snapshots: tuple[float, ...], dt: float) -> Iterator[Interval]:
    """Cut [0, T] at the snapshots.

    What lies before a snapshot never depends on what comes after it, so a run may be resumed to a later T. Snapshots at
    multiples of dt do not change a trajectory at all.
    """
    start, first = 0.0, 0
    for k, time in enumerate(snapshots):
        part = Interval(k, start, max(start, _in_steps(time, dt)), first, dt)
        yield part
        start, first = part.end, first + part.count


def longest_step(snapshots: tuple[float, ...], dt: float) -> float:
    """The longest step that is taken: dt, but where every step is cut."""
    longest = 0.0
    for part in intervals(snapshots, dt):
        if part.count > 2:
            return dt
        longest = max([longest, *(part.step(index)[1] for index in range(part.count))])
    return longest


def _in_steps(time: float, dt: float) -> float:
    """``time`` in units of ``dt``; rounding errors do not make a step of their own."""
    steps = time / dt
    return float(round(steps)) if abs(steps - round(steps)) < 1e-6 else steps


@dataclass
class State:
    """What a checkpoint holds: positions (case, J, d), and the next step to take."""

    x: Frame
    k: int = 0
    case: int = 0
    step: int = 0
    engines: list[dict[str, Any]] = field(default_factory=list)


class Simulation:
    """Equation (8) for every case of ``problem``, on one device.

    The Brownian increment of a particle is a function of (`noise_key`, case, step, particle), so nothing about it has
    to be saved. ``steps`` is the number of time steps of all cases together. The snapshots of a configuration, and the
    numbers of steps, count from ``t0``.
    """

    def __init__(self, problem: Problem, device: str, threads: int | None = None) -> None:
        config = problem.config
        self.problem, self.config = problem, config
        self.plan = list(intervals(config.snapshots, config.dt))
        self.steps = sum(part.count for part in self.plan) * len(problem.cases)
        self.longest = longest_step(config.snapshots, config.dt)
        self.step_function = SCHEMES[config.scheme]
        self.engines = [
            make_engine(
                problem.kernel,
                case.kernel_args,
                config.dim,
                config.dtype,
                config.J,
                name=config.engine,
                accuracy=config.accuracy,
                device=device,
                threads=threads,
            )
            for case in problem.cases
        ]
        key = noise_key(problem)
        self.movers = [
            Mover(config, case, index, engine, device, key)
            for index, (case, engine) in enumerate(zip(problem.cases, self.engines, strict=True))
        ]
        self.state = State(np.empty(0))
        #: By case, the time from which on its cloud is collapsed (`collapse`).
        self.collapsed: dict[int, float] = {}
        self._live: tuple[Mover, Any, int] | None = None

    def start(self) -> None:
        """Draw the initial clouds, one per case, each from a stream of its own.

        Raises `DataError` when they are not finite.
        """
        c = self.config
        clouds = [
            self.problem.initial.draw(c.J, c.dim, c.seed, stream=index) for index in range(len(self.problem.cases))
        ]
        self.state = State(np.stack(clouds).astype(c.dtype))
        if not np.isfinite(self.state.x).all():
            raise DataError(f"positions of initial cloud {c.init!r} are not finite", "choose another --init")

    def restore(self, state: State) -> None:
        """Go on from a checkpoint."""
        self.state = state
        for engine, saved in zip(self.engines, state.engines, strict=True):
            if saved:
                engine.restore(saved)

    def snapshot(self) -> State:
        """The state after the last good step, for a checkpoint: the arrays are the run's own until its next step."""
        self._settle()
        self.state.engines = [engine.state() for engine in self.engines]
        return self.state

    def run(self, write: Callable[[int, Frame], None], after_step: Callable[[int], None]) -> None:
        """Integrate to the last snapshot.

        ``write(k, frame)`` gets each snapshot (case, J, d); ``after_step(done)`` is called after every step with the
        number of steps taken since the start, when the state is consistent. Raises `NumericalError` at blow-up.
        """
        state = self.state
        for part in self.plan[state.k :]:
            for index in range(state.case, len(self.problem.cases)):
                self._advance(part, index, after_step)
                state.case, state.step = index + 1, 0
            write(part.k, state.x)
            state.k, state.case, state.step = part.k + 1, 0, 0

    def look(self) -> str | None:
        """A sentence when the cloud in motion is seen to have collapsed; it is looked at in some steps."""
        s, index = self.state, self.state.case
        number = self.plan[s.k].first + s.step
        whole = self.plan[-1].first + self.plan[-1].count
        if index in self.collapsed or number % max(1, whole // collapse.LOOKS):
            return None
        case = self.problem.cases[index]
        if not collapse.excess(self.problem, case):
            return None
        self._settle()
        lost = collapse.collapsed(self.problem, case, s.x[index])
        if lost is None:
            return None
        self.collapsed[index] = self.time()
        return collapse.told(self.problem, case, self.time(), lost, s.x[index])

    def done(self) -> int:
        """Steps taken so far, all cases together."""
        s = self.state
        cases = len(self.problem.cases)
        before = sum(part.count for part in self.plan[: s.k]) * cases
        here = self.plan[s.k].count * s.case if s.k < len(self.plan) else 0
        return before + here + s.step

    def time(self) -> float:
        """Time of the case that moves."""
        return self.config.t0 + self.elapsed()

    def elapsed(self) -> float:
        """`time` since the start of the run."""
        s = self.state
        if s.k == len(self.plan):
            return self.config.T
        part = self.plan[s.k]
        return part.step(s.step)[0] if s.step < part.count else part.end * part.dt

    def pull(self) -> tuple[float, Case]:
        """`Mover.pull` of the case where it is largest, in the longest step that is taken, and that case."""
        found = [mover.pull() for mover in self.movers]
        worst = int(np.argmax(found))
        return found[worst] * (self.longest / self.config.dt), self.problem.cases[worst]

    def _advance(self, part: Interval, index: int, after_step: Callable[[int], None]) -> None:
        state, mover = self.state, self.movers[index]
        self._live = (mover, mover.put(state.x[index]), index)
        for step in range(state.step, part.count):
            t, dt = part.step(step)
            moved = mover.step(self.step_function, self._live[1], self.config.t0 + t, dt, part.first + step)
            self._live = (mover, moved, index)
            state.step = step + 1
            after_step(self.done())
        self._settle()
        self._live = None

    def _settle(self) -> None:
        """Bring the case in motion back to the host, which happens only when somebody looks."""
        if self._live is not None:
            mover, x, index = self._live
            self.state.x[index] = mover.get(x)
