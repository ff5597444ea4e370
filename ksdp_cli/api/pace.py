"""How long a run will take and what it needs, from its first steps; and such numbers in words."""

from __future__ import annotations

import sys

from ..particles.problem import Problem

#: Seconds of steps that are timed before the end is foretold, and the step after which nobody waits for another; and
#: what a part of a frame takes until one has been written: most of it is bringing its files to the disk.
TIMED, LONG_STEP, FRAME_SECONDS = 0.5, 5.0, 0.01


class Pace:
    """Steps and frames that are timed, for a run of ``steps`` steps in ``cases`` cases.

    ``writing`` seconds went into ``written`` frames so far; whoever writes them counts them.
    """

    def __init__(self, steps: int, cases: int) -> None:
        self.steps, self.cases = steps, cases
        self.writing, self.written = 0.0, 0
        self._warm: tuple[float, int, float] | None = None

    def known(self, now: float, done: int) -> bool:
        """Whether enough was seen by ``now`` [s], after ``done`` steps; the first step is not counted, which compiles.
        To be asked after every step."""
        if self._warm is None:
            self._warm = now, done, self.writing
        since, steps = now - self._warm[0], done - self._warm[1]
        return done == self.steps or (steps >= 2 and since > TIMED) or (steps >= 1 and since > LONG_STEP)

    def left(self, now: float, done: int, frames: int) -> float:
        """Seconds to come: steps at their rate since the first one, and ``frames`` at that of those written."""
        return self.a_step(now, done) * (self.steps - done) + self.a_frame() * frames

    def a_step(self, now: float, done: int) -> float:
        """Seconds a step since the first one."""
        assert self._warm is not None
        began, first, writing = self._warm
        return (now - began - (self.writing - writing)) / max(done - first, 1)

    def a_frame(self) -> float:
        """Seconds a frame of every case."""
        return self.writing / self.written if self.written else FRAME_SECONDS * (2 + self.cases)


def peak_memory() -> int:
    """Bytes that this process has held at most; 0 on Windows, which does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def frame_bytes(problem: Problem) -> int:
    """Bytes of one stored frame of every case."""
    c = problem.config
    values = 0 if not c.store_field else 1 if c.store_gradient == "no" else 1 + c.dim
    return 4 * len(problem.cases) * (c.J * c.dim + values * int(c.store_field**c.dim))


def duration(seconds: float) -> str:
    """``2.1 h``, ``12 min``, ``0.4 s``."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{_short(seconds / size)} {unit}"
    return f"{_short(seconds)} s"


def bytes_in_words(count: float) -> str:
    """``1.2 GB``, ``80 MB``, ``0.8 kB``."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{_short(count / size)} {unit}"
    return f"{_short(count / 1e3)} kB"


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"
