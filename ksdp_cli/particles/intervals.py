"""The steps of a run: [0, T] cut at the snapshots, and each interval into steps between the multiples of dt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache


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


@lru_cache(16)
def intervals(snapshots: tuple[float, ...], dt: float) -> tuple[Interval, ...]:
    """[0, T] cut at the snapshots.

    What lies before a snapshot never depends on what comes after it, so a run may be resumed to a later T. Snapshots at
    multiples of dt do not change a trajectory at all.
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
