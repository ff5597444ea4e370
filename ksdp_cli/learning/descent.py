"""The inner loop of Algorithm 1, gradient steps at fixed gamma, with weights, their running average and optimiser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.arrays import Array
from .network.network import Network, Weights
from .optimisers.base import Optimiser, optimiser, rate


@dataclass(frozen=True)
class Schedule:
    """Name and step sizes of the optimiser; ``memory`` is the decay factor of the running average."""

    optimiser: str
    size: float
    steps: int
    memory: float
    decay: str = "cosine"

    def start(self, network: Network, theta: Array) -> Optimiser[Array]:
        """Return a new optimiser for ``theta``, an array or a tensor."""
        return optimiser(self.optimiser)(network, theta)

    def rate(self, number: int) -> float:
        """Size of step ``number``."""
        return rate(self.size, number, self.steps, self.decay)

    def weight(self, number: int) -> float:
        """Weight of step ``number`` in the average; larger at the start, where earlier weights are poor."""
        return 1 - min(self.memory, (number + 1) / (number + 10))


class Descent:
    """The inner loop on the CPU."""

    def __init__(self, network: Network, theta: Weights, schedule: Schedule) -> None:
        self.network, self.schedule = network, schedule
        self.theta, self.average = theta.copy(), theta.copy()
        self.optimiser = schedule.start(network, self.theta)
        self._loss = 0.0

    def set_targets(self, rows: NDArray[np.float32], targets: NDArray[np.float32]) -> None:
        """Set the inputs ``rows`` (n, d + padding) and the ``targets`` (n, d) of the steps to come."""
        self.rows, self.targets = rows, targets

    def step(self, number: int) -> None:
        """Make gradient step ``number``, counted from 0."""
        self._loss, slopes = self.network.gradient(self.theta, self.rows, self.targets)
        self.optimiser.update(self.theta, slopes, number, self.schedule.rate(number))
        self.average += np.float32(self.schedule.weight(number)) * (self.theta - self.average)

    def loss(self) -> float:
        """Mean |f - y|^2 before the last step."""
        return self._loss

    def weights(self, averaged: bool) -> Weights:
        """Return a copy of theta or of its running average."""
        return (self.average if averaged else self.theta).copy()

    def evaluate(self, rows: NDArray[np.float32], averaged: bool = False) -> NDArray[np.float32]:
        """Return f (n, d) for ``rows`` (n, d + padding)."""
        return self.network.evaluate(self.average if averaged else self.theta, rows)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return copies of all arrays on which the next step depends."""
        return {name: array.copy() for name, array in self._state().items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from `arrays`. Raises `ValueError` for another shape."""
        for name, array in self._state().items():
            if arrays[name].shape != array.shape:  # an assignment would broadcast
                raise ValueError(f"{name} has shape {arrays[name].shape}, not {array.shape}")
            array[:] = arrays[name]

    def _state(self) -> dict[str, NDArray[np.floating]]:
        own: dict[str, Any] = self.optimiser.state()
        return {"theta": self.theta, "average": self.average, **own}
