"""Several cases on a GPU, moved by the same launches, many steps queued at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .case_run import CaseRun
from .gpu_step import StepsGPU
from .intervals import Interval


class SideBySide:
    """Moves ``runs`` of one problem together. They are at the same step and differ only in their positions.

    Between `put` and `settle` the positions are on the device.
    """

    def __init__(self, runs: Sequence[CaseRun]) -> None:
        self.runs = runs
        #: The run that blew up, or None.
        self.failed: CaseRun | None = None
        self.steps = StepsGPU(runs[0].config, [run.stepper for run in runs])

    def put(self) -> None:
        """Copy the positions of the runs to the device."""
        self.steps.put(np.stack([run.state.x for run in self.runs]))

    def settle(self) -> None:
        """Copy the positions after the last good step back to the runs."""
        for run, x in zip(self.runs, self.steps.get(), strict=True):
            run.state.arrays = {"x": x}

    def advance(self, part: Interval, after_steps: Callable[[], None]) -> None:
        """Move all runs to the end of ``part``; call ``after_steps()`` after each group of queued steps.

        Raises `NumericalError` at a blow-up of the run `failed`.
        """
        state = self.runs[0].state
        while state.step < part.count:
            begin, length = part.place(state.step)
            count = min(self.steps.block, part.alike(state.step))
            steps, place, error = self.steps.advance(part.first + state.step, begin, length * part.dt, count)
            for run in self.runs:
                run.count(steps)
            if error:
                self.failed = self.runs[place]
                raise error
            after_steps()
