"""The inner loop of Algorithm 1, gradient steps at a fixed gamma: the weights, their running average, the optimiser."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.arrays import Array
from ..base.files import JsonDict
from .network.network import Network, Weights
from .optimisers.base import Optimiser, optimiser, rate


@dataclass(frozen=True)
class Schedule:
    """Which optimiser, and its step sizes; ``memory`` is that of the running average."""

    optimiser: str
    size: float
    steps: int
    memory: float
    decay: str = "cosine"

    def start(self, network: Network, theta: Array) -> Optimiser[Array]:
        """The optimiser before its first step, for an array or a tensor ``theta``."""
        return optimiser(self.optimiser)(network, theta)

    def rate(self, number: int) -> float:
        """The size of step ``number``."""
        return rate(self.size, number, self.steps, self.decay)

    def weight(self, number: int) -> float:
        """What step ``number`` weighs in the average: more at the start, when the first weights are worth little."""
        return 1 - min(self.memory, (number + 1) / (number + 10))


class Descent:
    """On the CPU."""

    def __init__(self, network: Network, theta: Weights, schedule: Schedule) -> None:
        self.network, self.schedule = network, schedule
        self.theta, self.average = theta.copy(), theta.copy()
        self.optimiser = schedule.start(network, self.theta)
        self._loss = 0.0

    def aim(self, rows: NDArray[np.float32], targets: NDArray[np.float32]) -> None:
        """From now on f(rows) shall be ``targets``: rows (n, d + padding), targets (n, d)."""
        self.rows, self.targets = rows, targets

    def step(self, number: int) -> None:
        """Gradient step ``number``, from 0."""
        self._loss, slopes = self.network.gradient(self.theta, self.rows, self.targets)
        self.optimiser.update(self.theta, slopes, number, self.schedule.rate(number))
        self.average += np.float32(self.schedule.weight(number)) * (self.theta - self.average)

    def loss(self) -> float:
        """Mean |f - y|^2 before the last step."""
        return self._loss

    def weights(self, averaged: bool) -> Weights:
        """A copy of theta or of its running average."""
        return (self.average if averaged else self.theta).copy()

    def evaluate(self, rows: NDArray[np.float32], averaged: bool = False) -> NDArray[np.float32]:
        """f for ``rows`` (n, d + padding): (n, d)."""
        return self.network.evaluate(self.average if averaged else self.theta, rows)

    def arrays(self) -> dict[str, np.ndarray]:
        """Copies of all that the next step depends on."""
        return {name: array.copy() for name, array in self._kept().items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from `arrays`."""
        for name, array in self._kept().items():
            if arrays[name].shape != array.shape:  # which an assignment would stretch
                raise ValueError(f"{name} has shape {arrays[name].shape}, not {array.shape}")
            array[:] = arrays[name]

    def _kept(self) -> JsonDict:
        return {"theta": self.theta, "average": self.average, **self.optimiser.state()}
