"""Euler-Maruyama, the paper's scheme."""

from __future__ import annotations

from typing import Any, ClassVar

from .base import Drift


class Euler:
    """x + dt b(x, t) + noise: one drift a step, weak order 1."""

    order: ClassVar[int] = 1
    evaluations: ClassVar[int] = 1

    def step(self, x: Any, t: float, dt: float, drift: Drift, noise: Any) -> Any:
        return x + dt * drift(x, t) + noise
