"""Adam. Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015."""

from __future__ import annotations

import math
from typing import Generic

from ...base.arrays import Array, namespace

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Adam(Generic[Array]):
    """Adam with moments of the gradient as vectors like theta, NumPy arrays or tensors."""

    def __init__(self, theta: Array) -> None:
        xp = namespace(theta)
        self.mean: Array = xp.zeros_like(theta)
        self.square: Array = xp.zeros_like(theta)

    def update(self, theta: Array, gradient: Array, step: int, size: float) -> None:
        """Make step number ``step`` (from 0) of size ``size``; changes ``theta`` in place."""
        self.move(theta, gradient, self.scalars(step, size))

    @staticmethod
    def scalars(step: int, size: float) -> tuple[float, float]:
        """The numbers of step ``step`` for `move`: corrected size, and factor of the root of the squares."""
        return size / (1 - BETA1 ** (step + 1)), 1 / math.sqrt(1 - BETA2 ** (step + 1))

    def move(self, theta: Array, gradient: Array, scalars: tuple[float, ...] | Array) -> None:
        """Change ``theta`` and the moments in place; ``scalars`` may be a tensor on the device."""
        self.mean += (1 - BETA1) * (gradient - self.mean)
        self.square += (1 - BETA2) * (gradient * gradient - self.square)
        theta -= scalars[0] * self.mean / (namespace(theta).sqrt(self.square) * scalars[1] + EPSILON)

    def update_basis(self, step: int) -> None:
        """Does nothing: Adam has no bases. See `Soap.update_basis`."""

    def state(self) -> dict[str, object]:
        """The arrays on which the next step depends, by name; not copies."""
        return {"mean": self.mean, "square": self.square}
