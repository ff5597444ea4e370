"""`Descent` on a GPU: all data stay on the device, and a gradient step is one captured graph.

A table on the device holds the sizes of all steps, next to the number of the step, so that a step needs no data from
the host and 50 steps are queued at once. Updates of the optimiser's bases (QR, eigenvectors) are outside the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.cuda_graph import WARM_UP, replayable
from ..base.files import JsonDict
from .descent import Schedule
from .network.gpu import evaluate, through
from .network.network import Network, Weights

if TYPE_CHECKING:
    from torch import Tensor


class DescentGPU:
    """As `Descent`, by torch on ``device``. Without a GPU the same steps run uncaptured."""

    def __init__(self, network: Network, theta: Weights, schedule: Schedule, device: str = "cuda") -> None:
        import torch

        self.network, self.schedule, self.device = network, schedule, device
        self.theta = torch.tensor(theta, device=device)
        self.average = self.theta.clone()
        self.optimiser = schedule.start(network, self.theta)
        # step 0 is not captured, since SOAP only initialises in it; warm-up rounds of a capture exceed the last step
        steps = range(schedule.steps + WARM_UP)
        rows = [(*self.optimiser.scalars(k or 1, schedule.rate(k)), schedule.weight(k)) for k in steps]
        self._table = torch.tensor(rows, dtype=torch.float32, device=device)
        self._number = torch.zeros(1, dtype=torch.int64, device=device)
        self._loss = torch.zeros((), device=device)
        self._rows: Any = None
        self._targets: Any = None
        self._replay: Callable[[], None] | None = None

    def set_targets(self, rows: NDArray[np.float32], targets: NDArray[np.float32]) -> None:
        """As `Descent.set_targets`; the number of rows must be that of the first call."""
        import torch

        if self._rows is None:
            self._rows, self._targets = (torch.tensor(part, device=self.device) for part in (rows, targets))
        else:
            self._rows.copy_(torch.from_numpy(rows))
            self._targets.copy_(torch.from_numpy(targets))

    def step(self, number: int) -> None:
        """As `Descent.step`; returns before the device has finished."""
        if number == 0:
            self.optimiser.update(self.theta, self._gradient(), number, self.schedule.rate(number))
            self.average += self.schedule.weight(number) * (self.theta - self.average)
            return
        if self._replay is None:
            before = {name: part.clone() for name, part in self._state().items()}
            self._number.fill_(number)
            self._replay = replayable(self._body, self.theta.is_cuda) or self._body
            for name, part in self._state().items():
                part.copy_(before[name])
            self._number.fill_(number)
        self._replay()
        self.optimiser.update_basis(number)

    def loss(self) -> float:
        """As `Descent.loss`; waits for the device."""
        return float(self._loss)

    def weights(self, averaged: bool) -> Weights:
        """As `Descent.weights`, on the host."""
        weights: Weights = (self.average if averaged else self.theta).cpu().numpy().copy()
        return weights

    def evaluate(self, rows: NDArray[np.float32], averaged: bool = False) -> NDArray[np.float32]:
        """As `Descent.evaluate`, with arrays of the host."""
        return evaluate(self.network, self.average if averaged else self.theta, rows)

    def arrays(self) -> dict[str, np.ndarray]:
        """As `Descent.arrays`, on the host."""
        return {name: part.cpu().numpy().copy() for name, part in self._state().items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """As `Descent.restore`; in place, since the captured step uses fixed addresses."""
        import torch

        for name, part in self._state().items():
            if arrays[name].shape != tuple(part.shape):  # a copy would broadcast
                raise ValueError(f"{name} has shape {arrays[name].shape}, not {tuple(part.shape)}")
            part.copy_(torch.from_numpy(arrays[name]))
        self._replay = None  # a new capture sets the number of the next step

    def _body(self) -> None:
        scalars = self._table.index_select(0, self._number)[0]
        self.optimiser.move(self.theta, self._gradient(), scalars)
        self.average.lerp_(self.theta, scalars[-1])
        self._number += 1

    def _gradient(self) -> Tensor:
        """Gradient of the mean of |f - y|^2; stores the mean in ``_loss``."""
        import torch

        # one leaf for each layer: gradients of slices of one vector would each be a full vector
        layers = [
            (weight.detach().requires_grad_(), bias.detach().requires_grad_())
            for weight, bias in self.network.layers(self.theta)
        ]
        f = through(self.network, layers, self._rows)
        error = (f.detach() - self._targets).view(-1)
        torch.mul(torch.dot(error, error), 1 / len(self._rows), out=self._loss)
        leaves = [leaf for pair in layers for leaf in pair]
        slopes = torch.autograd.grad(f, leaves, (error * (2 / len(self._rows))).view_as(f))
        return torch.cat([part.reshape(-1) for part in slopes])

    def _state(self) -> JsonDict:
        return {"theta": self.theta, "average": self.average, **self.optimiser.state()}
