"""The Euler-Maruyama scheme, used in the paper."""

from __future__ import annotations

from typing import ClassVar

from ...base.arrays import Array
from .base import Drift


class Euler:
    """x + dt b(x, t) + noise: one drift evaluation a step, weak order 1."""

    order: ClassVar[int] = 1
    evaluations: ClassVar[int] = 1

    def step(self, x: Array, t: float, dt: float, drift: Drift[Array], noise: Array) -> Array:
        new: Array = x + dt * drift(x, t) + noise
        return new
