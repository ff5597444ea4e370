"""The loop over the cases of a problem, from snapshot to snapshot.

Cases run one after the other. On a GPU with the direct sum they run together if they fit, with many steps queued at
once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..base.shapes import Cloud
from ..errors import NumericalError
from . import collapse
from .case_run import CaseRun, State
from .history import noise_key
from .intervals import Interval
from .problem import Case, Problem
from .world import Alone, World

if TYPE_CHECKING:
    from .side_by_side import SideBySide


class Simulation:
    """Integrates equation (8) for every case of ``problem`` on one device. ``steps`` is the total over all cases."""

    def __init__(self, problem: Problem, device: str, threads: int | None = None, world: World | None = None) -> None:
        keys = {seed: noise_key(problem, seed) for seed in {case.seed for case in problem.cases}}
        self.world = world or Alone()
        self.problem, self.config, self.device = problem, problem.config, device
        self.runs = [CaseRun(problem, case, device, keys[case.seed], threads, world) for case in problem.cases]
        self.plan, self.longest = self.runs[0].plan, self.runs[0].longest
        self.steps = sum(run.steps for run in self.runs)
        #: The run that moves; after a blow-up, the run that blew up.
        self.moving = self.runs[0]
        self._moved: Sequence[CaseRun] = ()
        self._on_gpu: dict[tuple[int, ...], SideBySide] = {}
        self._in_motion: SideBySide | None = None

    def start(self) -> None:
        """Draw the initial clouds. Raises `DataError` if one is not finite."""
        for run in self.runs:
            run.start()

    def snapshot(self) -> list[State]:
        """The states after the last good step, for checkpoints."""
        self.settle()
        return [run.snapshot() for run in self.runs]

    def run(self, write: Callable[[int, list[Cloud]], None], after_step: Callable[[int], None]) -> None:
        """Integrate to the last snapshot.

        ``write(k, clouds)`` receives the positions (J, d) of each case at snapshot k, from the first snapshot that some
        case has not passed; a case that has passed it gives positions of a later time. ``after_step(done)`` receives
        the total number of steps since the start, after every step, or on a GPU after each group of queued steps; the
        states are then consistent. Raises `NumericalError` at blow-up.
        """
        for part in self.plan[min(run.state.k for run in self.runs) :]:
            current = [run for run in self.runs if run.state.k == part.k]
            for runs in self._groups(current):
                self._advance(runs, part, self._counted(runs, after_step))
            write(part.k, [run.state.x for run in self.runs])
            for run in current:
                run.state.k, run.state.step = part.k + 1, 0

    def look(self) -> str | None:
        """Check the moving clouds, every few steps, for collapse; return a warning about the first collapsed one, or
        None.

        Call it from ``after_step`` of `run`.
        """
        due = [run for run in self._moved if run.look_due() and collapse.excess(self.problem, run.case)]
        if due:
            self.settle()
        sentences = [run.look() for run in due]
        return next(filter(None, sentences), None)

    @property
    def moved(self) -> Sequence[CaseRun]:
        """The runs that the last steps moved. Their positions are those of before until `settle`."""
        return self._moved

    def settle(self) -> None:
        """Bring the clouds in motion back to the host, where they are not on it."""
        if self._in_motion:
            self._in_motion.settle()

    def done(self) -> int:
        """Number of steps done so far, over all cases."""
        return sum(run.done() for run in self.runs)

    def max_kernel_displacement(self) -> tuple[float, Case]:
        """The largest `CaseRun.max_kernel_displacement`, and its case."""
        displacements = [run.max_kernel_displacement() for run in self.runs]
        worst = int(np.argmax(displacements))
        return displacements[worst], self.runs[worst].case

    def _counted(self, runs: list[CaseRun], after_step: Callable[[int], None]) -> Callable[[], None]:
        """A function that calls ``after_step`` with the total number of steps while only ``runs`` move."""
        rest = self.done() - sum(run.done() for run in runs)
        return lambda: after_step(rest + sum(run.done() for run in runs))

    def _groups(self, runs: list[CaseRun]) -> list[list[CaseRun]]:
        """``runs`` in groups that move together: each alone, or all by the same launches."""
        together = self.device != "cpu" and len({run.state.step for run in runs}) == 1 and self._fit(runs)
        return [runs] if together else [[run] for run in runs]

    def _fit(self, runs: list[CaseRun]) -> bool:
        """Whether the same launches can move all ``runs``."""
        from .gpu_step import StepsGPU

        if self._key(runs) in self._on_gpu:
            return True
        if runs[0].kind != "direct":
            return False
        full = not StepsGPU.fits(self.config, len(runs))
        return not self.world.largest(np.array([full], np.float64))[0]  # a card of one rank may have less left

    def _advance(self, runs: list[CaseRun], part: Interval, after_step: Callable[[], None]) -> None:
        """Move ``runs`` (on a CPU only one) to the end of the interval."""
        self.moving, self._moved = runs[0], runs
        if self.device == "cpu":
            self.moving.advance(part, after_step)
            return
        group = self._in_motion = self._group(runs)
        group.put()
        try:
            group.advance(part, after_step)
        except NumericalError:
            self.moving = group.failed or runs[0]
            raise
        self.settle()
        self._in_motion = None

    def _group(self, runs: list[CaseRun]) -> SideBySide:
        """The `SideBySide` of these runs; kept for the next interval with its captured graphs."""
        from .side_by_side import SideBySide

        if self._key(runs) not in self._on_gpu:
            self._on_gpu[self._key(runs)] = SideBySide(runs)
        return self._on_gpu[self._key(runs)]

    @staticmethod
    def _key(runs: list[CaseRun]) -> tuple[int, ...]:
        return tuple(run.case.number for run in runs)
