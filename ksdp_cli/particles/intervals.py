"""The steps of a run: [0, T] is cut at the snapshots, and each interval at the multiples of dt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Interval:
    """The ``count`` steps to snapshot ``k``, from ``start`` to ``end`` in units of ``dt``, after ``first`` other steps.

    Steps end at the multiples of dt. A snapshot between two multiples cuts a step in two.
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
        """Start and length of a step in units of dt; the length is exactly 1 unless the step is cut."""
        grid = math.floor(self.start) + index
        begin = max(self.start, float(grid))
        return begin, min(self.end, float(grid + 1)) - begin

    def step(self, index: int) -> tuple[float, float]:
        """Start and length of a step [time]."""
        begin, length = self.place(index)
        return begin * self.dt, length * self.dt

    def alike(self, index: int) -> int:
        """Number of consecutive steps from ``index`` on with the same length."""
        whole = self.count - (self.end < math.ceil(self.end))
        return whole - index if self.place(index)[1] == 1.0 else 1


@lru_cache(16)
def intervals(snapshots: tuple[float, ...], dt: float) -> tuple[Interval, ...]:
    """Cut [0, T] at the ``snapshots``.

    The steps before a snapshot do not depend on later snapshots, so a run may be resumed to a later T. Snapshots at
    multiples of dt do not change the trajectory.
    """
    parts: list[Interval] = []
    start, first = 0.0, 0
    for k, time in enumerate(snapshots):
        part = Interval(k, start, max(start, _in_steps(time, dt)), first, dt)
        parts.append(part)
        start, first = part.end, first + part.count
    return tuple(parts)


@lru_cache(16)
def longest_step(snapshots: tuple[float, ...], dt: float) -> float:
    """Length of the longest step [time]: dt, unless every step is cut."""
    longest = 0.0
    for part in intervals(snapshots, dt):
        if part.count > 2:
            return dt
        longest = max([longest, *(part.step(index)[1] for index in range(part.count))])
    return longest


def _in_steps(time: float, dt: float) -> float:
    """``time`` in units of ``dt``, rounded to a whole number within 1e-6, so that rounding errors make no step."""
    steps = time / dt
    return float(round(steps)) if abs(steps - round(steps)) < 1e-6 else steps
