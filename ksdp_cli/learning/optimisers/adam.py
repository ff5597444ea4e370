"""Adam. Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015."""

from __future__ import annotations

import math

from ...base.arrays import Array, namespace

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """First and second moments of the gradient, float32 vectors as long as theta: NumPy arrays or tensors, as it is."""

    def __init__(self, theta: Array) -> None:
        xp = namespace(theta)
        self.mean, self.square = xp.zeros_like(theta), xp.zeros_like(theta)

    def update(self, theta: Array, gradient: Array, step: int, size: float) -> None:
        """Change ``theta`` in place by step number ``step`` (from 0) of size ``size``."""
        self.move(theta, gradient, self.scalars(step, size))

    @staticmethod
    def scalars(step: int, size: float) -> tuple[float, float]:
        """What `move` needs to know of step number ``step``: its size, and the factor of the root of the squares."""
        return size / (1 - BETA1 ** (step + 1)), 1 / math.sqrt(1 - BETA2 ** (step + 1))

    def move(self, theta: Array, gradient: Array, scalars: Array) -> None:
        """Change ``theta`` in place, and the moments; ``scalars`` may be a tensor on the device."""
        self.mean += (1 - BETA1) * (gradient - self.mean)
        self.square += (1 - BETA2) * (gradient * gradient - self.square)
        theta -= scalars[0] * self.mean / (namespace(theta).sqrt(self.square) * scalars[1] + EPSILON)

    def update_basis(self, step: int) -> None:
        """Nothing: Adam has no bases. See `Soap.update_basis`."""

    def state(self) -> dict[str, object]:
        """All that the next step depends on, by name; not copies."""
        return {"mean": self.mean, "square": self.square}
