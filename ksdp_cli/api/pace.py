"""Estimate the time and memory of a run from its first steps, and format such numbers."""

from __future__ import annotations

import sys

import numpy as np

from ..particles.problem import Problem

#: Seconds of steps to time before an estimate; a step longer than this ends the timing; and the assumed seconds of a
#: part of a frame before the first is written: most of it is the sync of its files.
TIMED, LONG_STEP, FRAME_SECONDS = 0.5, 5.0, 0.01


class Pace:
    """Timing of a run of ``steps`` steps in ``cases`` cases.

    The writer adds its seconds to ``writing`` and its frames to ``written``.
    """

    def __init__(self, steps: int, cases: int) -> None:
        self.steps, self.cases = steps, cases
        self.writing, self.written = 0.0, 0
        self._warm: tuple[float, int, float] | None = None

    def is_ready(self, now: float, done: int) -> bool:
        """Whether an estimate is possible at ``now`` [s], after ``done`` steps. The first step does not count, since it
        compiles. Call it after every step."""
        if self._warm is None:
            self._warm = now, done, self.writing
        since, steps = now - self._warm[0], done - self._warm[1]
        return done == self.steps or (steps >= 2 and since > TIMED) or (steps >= 1 and since > LONG_STEP)

    def remaining(self, now: float, done: int, frames: int) -> float:
        """Estimate the seconds left: steps at the rate since the first, and ``frames`` at the rate of those written."""
        return self.a_step(now, done) * (self.steps - done) + self.a_frame() * frames

    def a_step(self, now: float, done: int) -> float:
        """Return the seconds per step since the first step."""
        assert self._warm is not None
        began, first, writing = self._warm
        return (now - began - (self.writing - writing)) / max(done - first, 1)

    def a_frame(self) -> float:
        """Return the seconds per frame of all cases."""
        return self.writing / self.written if self.written else FRAME_SECONDS * (2 + self.cases)


def peak_memory() -> int:
    """Return the peak memory of this process [bytes]; 0 on Windows."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def state_bytes(problem: Problem) -> int:
    """Return the bytes of the positions in one checkpoint of one case."""
    return int(problem.config.J * problem.config.dim * np.dtype(problem.config.dtype).itemsize)


def frame_bytes(problem: Problem) -> int:
    """Return the bytes of one stored frame of all cases."""
    c = problem.config
    values = 0 if not c.store_field else 1 if c.store_gradient == "no" else 1 + c.dim
    return 4 * len(problem.cases) * (c.J * c.dim + values * int(c.store_field**c.dim))
