"""The time loop: every case of a problem from one snapshot to the next, with a checkpoint that resumes to the bit.

On the CPU the cases go in turn. On a GPU they go side by side where the sum is direct and they fit, and many steps are
queued at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.shapes import Frame
from ..errors import DataError
from . import collapse
from .engines.choice import make_engine
from .history import noise_key
from .problem import Case, Problem
from .schemes import SCHEMES
from .stepper import Mover

if TYPE_CHECKING:
    from .gpu_step import StepsGPU


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

    def place(self, index: int) -> tuple[float, float]:
        """Where a step begins, and its length, in units of dt: exactly 1, but for a step that is cut."""
        grid = math.floor(self.start) + index
        begin = max(self.start, float(grid))
        return begin, min(self.end, float(grid + 1)) - begin

    def step(self, index: int) -> tuple[float, float]:
        """Time at which a step begins, and its length."""
        begin, length = self.place(index)
        return begin * self.dt, length * self.dt

    def alike(self, index: int) -> int:
        """Steps from ``index`` on that are as long as that one."""
        whole = self.count - (self.end < math.ceil(self.end))
        return whole - index if self.place(index)[1] == 1.0 else 1


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
    """What a checkpoint holds: positions (case, J, d), and the next step to take.

    Of interval ``k``, cases before ``case`` have taken all steps, ``case`` has taken ``step``, those after it
    ``behind``: as many when they go side by side, none in turn.
    """

    x: Frame
    k: int = 0
    case: int = 0
    step: int = 0
    behind: int = 0
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
        #: The case that moves, and after a blow-up the one that did it.
        self.case = 0
        #: Cases that were moved last, and by how many steps each.
        self._moved: tuple[range, int] = range(0), 0
        self._settle: Callable[[], None] = _nothing
        self.device = device
        self._on_gpu: dict[tuple[int, int], StepsGPU] = {}

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

        ``write(k, frame)`` gets each snapshot (case, J, d); ``after_step(done)`` is called after every step, on a GPU
        after all that were queued at once, with the number of steps taken since the start, when the state is
        consistent. Raises `NumericalError` at blow-up.
        """
        state, advance = self.state, self._advance if self.device == "cpu" else self._advance_on_gpu
        for part in self.plan[state.k :]:
            while state.case < len(self.problem.cases):
                advance(part, after_step)
            write(part.k, state.x)
            state.k, state.case, state.step, state.behind = part.k + 1, 0, 0, 0

    def look(self) -> str | None:
        """A sentence when a cloud in motion is seen to have collapsed; each is looked at in some steps.

        To be called from ``after_step`` of `run`. Of several that are seen at once the sentence is about the first.
        """
        cases, taken = self._moved
        number = self.plan[self.state.k].first + self.state.step
        between = max(1, (self.plan[-1].first + self.plan[-1].count) // collapse.LOOKS)
        if number // between == (number - taken) // between:
            return None
        doubted = [i for i in cases if i not in self.collapsed and collapse.excess(self.problem, self.problem.cases[i])]
        if doubted:
            self._settle()
        told: list[str] = []
        for index in doubted:
            case, x = self.problem.cases[index], self.state.x[index]
            lost = collapse.collapsed(self.problem, case, x)
            if lost is not None:
                self.collapsed[index] = self.time()
                told.append(collapse.told(self.problem, case, self.time(), lost, x))
        return told[0] if told else None

    def done(self) -> int:
        """Steps taken so far, all cases together."""
        s = self.state
        cases = len(self.problem.cases)
        before = sum(part.count for part in self.plan[: s.k]) * cases
        here = self.plan[s.k].count * s.case if s.k < len(self.plan) else 0
        return before + here + (s.step + s.behind * (cases - s.case - 1) if s.case < cases else 0)

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

    def _advance(self, part: Interval, after_step: Callable[[int], None]) -> None:
        """One case to the end of the interval."""
        state, index = self.state, self.state.case
        mover, x = self.movers[index], state.x[index].copy()
        self.case = index

        def settle() -> None:
            state.x[index] = x

        self._settle, self._moved = settle, (range(index, index + 1), 1)
        for step in range(state.step, part.count):
            t, dt = part.step(step)
            x = mover.step(self.step_function, x, self.config.t0 + t, dt, part.first + step)
            state.step = step + 1
            after_step(self.done())
        self._end_of_interval(index + 1)

    def _advance_on_gpu(self, part: Interval, after_step: Callable[[int], None]) -> None:
        """All cases to the end of the interval side by side, or one case."""
        state, index, cases = self.state, self.state.case, len(self.problem.cases)
        together = self._together() and index == 0 and state.step == state.behind
        first, last = (0, cases) if together else (index, index + 1)
        steps = self._steps(first, last)
        steps.put(state.x[first:last])
        self.case = first

        def settle() -> None:
            state.x[first:last] = steps.get()

        self._settle = settle
        while state.step < part.count:
            begin, length = part.place(state.step)
            count = min(steps.block, part.alike(state.step))
            taken, failed, error = steps.advance(part.first + state.step, begin, length * part.dt, count)
            state.step += taken
            self._moved = range(first, last), taken
            if together:
                state.behind = state.step
            if error:
                self.case = first + failed
                raise error
            after_step(self.done())
        self._end_of_interval(last)

    def _steps(self, first: int, last: int) -> StepsGPU:
        """What moves these cases; kept, since what it has captured is worth keeping."""
        from .gpu_step import StepsGPU

        if (first, last) not in self._on_gpu:
            self._on_gpu[first, last] = StepsGPU(self.config, self.movers[first:last])
        return self._on_gpu[first, last]

    def _together(self) -> bool:
        """Whether all cases are moved by the same launches."""
        from .gpu_step import StepsGPU

        cases = len(self.movers)
        if (0, cases) in self._on_gpu:
            return True
        return self.engines[0].name == "direct" and StepsGPU.fits(self.config, cases)

    def _end_of_interval(self, case: int) -> None:
        """Bring the cases in motion back to the host, and go on to the next."""
        state = self.state
        self._settle()
        self._settle = _nothing
        state.case, state.step = case, state.behind


def _nothing() -> None:
    """No case is in motion."""
