"""The stochastic Heun scheme."""

from __future__ import annotations

from typing import ClassVar

from ...base.arrays import Array
from .base import Drift


class Heun:
    """Averages the drifts at x and at the Euler prediction: two evaluations a step, weak order 2 for additive noise.

    Kloeden and Platen, Numerical Solution of Stochastic Differential Equations (1992), section 15.1.
    """

    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 2

    def step(self, x: Array, t: float, dt: float, drift: Drift[Array], noise: Array) -> Array:
        first = drift(x, t)
        y = x + dt * first + noise
        new: Array = x + (0.5 * dt) * (first + drift(y, t + dt)) + noise
        return new
