"""The grid on which a store holds the chemical c: the same for all cases and frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FieldGrid:
    """``points`` per axis at the centres of equal cells of the cube with side ``side`` and lower corner ``low`` (d,).

    The sum of the values times h^d is then the midpoint rule, and in a periodic box the exact integral of its modes.
    """

    points: int
    low: tuple[float, ...]
    side: float
    #: Whether the store holds the gradient of c as well.
    gradient: bool = False

    def check(self, dim: int) -> None:
        """Raise `ValueError` unless this is a grid in ``dim`` dimensions."""
        sound = self.points >= 1 and len(self.low) == dim and all(math.isfinite(v) for v in (*self.low, self.side))
        if not sound or self.side <= 0:
            raise ValueError(f"a grid of {self.points} points from {self.low} over {self.side} in {dim}D")

    @property
    def h(self) -> float:
        """Side of a cell [length]."""
        return self.side / self.points

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.points,) * len(self.low)

    def axes(self) -> list[NDArray[np.float64]]:
        """Coordinates along x, y (, z)."""
        cells = np.arange(self.points, dtype=np.float64) + 0.5
        return [np.asarray(low + cells * self.h, np.float64) for low in self.low]

    def as_attribute(self) -> dict[str, object]:
        attribute: dict[str, object] = {"points": self.points, "low": list(self.low), "side": self.side}
        return attribute | ({"gradient": True} if self.gradient else {})
