"""Adam with a cosine decay. Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015."""

from __future__ import annotations

import math

import numpy as np

from .network import Weights

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
#: The step size ends at this part of its start.
LAST_RATE = 0.01


def rate(start: float, step: int, steps: int) -> float:
    """Step size at ``step`` of ``steps``."""
    return start * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * step / steps)))


class Adam:
    """First and second moments of the gradient, float32 vectors as long as theta."""

    def __init__(self, theta: Weights) -> None:
        self.mean, self.square = np.zeros_like(theta), np.zeros_like(theta)

    def update(self, theta: Weights, gradient: Weights, step: int, size: float) -> None:
        """Change ``theta`` in place by step number ``step`` (from 0) of size ``size``."""
        unbias1, unbias2 = 1 - BETA1 ** (step + 1), 1 - BETA2 ** (step + 1)
        self.mean += np.float32(1 - BETA1) * (gradient - self.mean)
        self.square += np.float32(1 - BETA2) * (gradient * gradient - self.square)
        spread = np.sqrt(self.square) * np.float32(1 / math.sqrt(unbias2)) + np.float32(EPSILON)
        theta -= np.float32(size / unbias1) * self.mean / spread

    def arrays(self) -> dict[str, np.ndarray]:
        """All that the next step depends on."""
        return {"mean": self.mean.copy(), "square": self.square.copy()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.mean, self.square = arrays["mean"].copy(), arrays["square"].copy()
