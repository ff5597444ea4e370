"""The time loop: every case of a problem from one snapshot to the next, with a checkpoint that resumes to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..shapes import Frame
from .engines import make_engine
from .mover import Mover
from .problem import Problem
from .schemes import SCHEMES


@dataclass(frozen=True)
class Interval:
    """Steps ``first`` to ``first + count`` of length ``dt`` lead from ``start`` to snapshot ``k``."""

    k: int
    start: float
    first: int
    count: int
    dt: float


def intervals(snapshots: tuple[float, ...], dt: float) -> Iterator[Interval]:
    """Cut [0, T] at the snapshots, and each piece in equal steps no longer than ``dt``.

    What lies before a snapshot never depends on what comes after it, so a run may be resumed to a later T.
    """
    start, first = 0.0, 0
    for k, end in enumerate(snapshots):
        count = math.ceil((end - start) / dt * (1 - 1e-9)) if end > start else 0
        yield Interval(k, start, first, count, (end - start) / count if count else 0.0)
        start, first = end, first + count


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

    The Brownian increment of a particle is a function of (seed, case, step, particle), so nothing about it has to be
    saved. ``steps`` is the number of time steps of all cases together.
    """

    def __init__(self, problem: Problem, device: str, threads: int | None = None) -> None:
        config = problem.config
        self.problem, self.config, self.device = problem, config, device
        self.plan = list(intervals(config.snapshots, config.dt))
        self.steps = sum(part.count for part in self.plan) * len(problem.cases)
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
        self.state = State(np.empty(0))
        self._live: tuple[Mover, Any, int] | None = None

    def start(self) -> None:
        """Draw the initial clouds, one per case, each from a stream of its own."""
        c = self.config
        clouds = [
            self.problem.initial.draw(c.J, c.dim, c.seed, stream=index) for index in range(len(self.problem.cases))
        ]
        self.state = State(np.stack(clouds).astype(c.dtype))

    def restore(self, state: State) -> None:
        """Go on from a checkpoint."""
        self.state = state
        for engine, saved in zip(self.engines, state.engines, strict=True):
            if saved:
                engine.restore(saved)

    def snapshot(self) -> State:
        """A consistent copy of the state, for a checkpoint."""
        self._settle()
        s = self.state
        return State(s.x.copy(), s.k, s.case, s.step, [engine.state() for engine in self.engines])

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

    def done(self) -> int:
        """Steps taken so far, all cases together."""
        s = self.state
        cases = len(self.problem.cases)
        before = sum(part.count for part in self.plan[: s.k]) * cases
        here = self.plan[s.k].count * s.case if s.k < len(self.plan) else 0
        return before + here + s.step

    def _advance(self, part: Interval, index: int, after_step: Callable[[int], None]) -> None:
        state = self.state
        mover = Mover(self.config, self.problem.cases[index], index, self.engines[index], self.device)
        self._live = (mover, mover.put(state.x[index]), index)
        for step in range(state.step, part.count):
            t = part.start + step * part.dt
            moved = mover.step(self.step_function, self._live[1], t, part.dt, part.first + step)
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
