"""`Descent` on a GPU: everything stays there, and a gradient step is one captured graph.

The sizes of all steps lie in a table on the device, and the number of the step beside it, so that a step needs nothing
of the host and 50 of them are queued at once. The turns of the optimiser's bases, by LAPACK's like, stay outside.
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
    """The counterpart of `Descent` through torch on ``device``; without a GPU the same steps run uncaptured."""

    def __init__(self, network: Network, theta: Weights, schedule: Schedule, device: str = "cuda") -> None:
        import torch

        self.network, self.schedule, self.device = network, schedule, device
        self.theta = torch.tensor(theta, device=device)
        self.average = self.theta.clone()
        self.optimiser = schedule.start(network, self.theta)
        # the first step is not captured, since SOAP only looks; the rounds before a capture go beyond the last
        steps = range(schedule.steps + WARM_UP)
        rows = [(*self.optimiser.scalars(k or 1, schedule.rate(k)), schedule.weight(k)) for k in steps]
        self._table = torch.tensor(rows, dtype=torch.float32, device=device)
        self._number = torch.zeros(1, dtype=torch.int64, device=device)
        self._found = torch.zeros((), device=device)
        self._rows: Any = None
        self._targets: Any = None
        self._replay: Callable[[], None] | None = None

    def aim(self, rows: NDArray[np.float32], targets: NDArray[np.float32]) -> None:
        """As `Descent.aim`; the number of rows must be that of the first call."""
        import torch

        if self._rows is None:
            self._rows, self._targets = (torch.tensor(part, device=self.device) for part in (rows, targets))
        else:
            self._rows.copy_(torch.from_numpy(rows))
            self._targets.copy_(torch.from_numpy(targets))

    def step(self, number: int) -> None:
        """As `Descent.step`, and returns before it is done."""
        if number == 0:
            self.optimiser.update(self.theta, self._gradient(), number, self.schedule.rate(number))
            self.average += self.schedule.weight(number) * (self.theta - self.average)
            return
        if self._replay is None:
            kept = {name: part.clone() for name, part in self._kept().items()}
            self._number.fill_(number)
            self._replay = replayable(self._body, self.theta.is_cuda) or self._body
            for name, part in self._kept().items():
                part.copy_(kept[name])
            self._number.fill_(number)
        self._replay()
        self.optimiser.update_basis(number)

    @property
    def replayable(self) -> bool:
        """Whether steps are replayed; False before the second one, off the GPU, and where a capture is not possible."""
        return self._replay is not None and self._replay != self._body

    def loss(self) -> float:
        """As `Descent.loss`; waits for the device."""
        return float(self._found)

    def weights(self, averaged: bool) -> Weights:
        """As `Descent.weights`, on the host."""
        found: Weights = (self.average if averaged else self.theta).cpu().numpy().copy()
        return found

    def evaluate(self, rows: NDArray[np.float32], averaged: bool = False) -> NDArray[np.float32]:
        """As `Descent.evaluate`, to and from the host."""
        return evaluate(self.network, self.average if averaged else self.theta, rows)

    def arrays(self) -> dict[str, np.ndarray]:
        """As `Descent.arrays`, on the host."""
        return {name: part.cpu().numpy().copy() for name, part in self._kept().items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """As `Descent.restore`; in place, for the captured step knows the addresses."""
        import torch

        for name, part in self._kept().items():
            if arrays[name].shape != tuple(part.shape):  # which a copy would stretch
                raise ValueError(f"{name} has shape {arrays[name].shape}, not {tuple(part.shape)}")
            part.copy_(torch.from_numpy(arrays[name]))
        self._replay = None  # the number of the next step is told at a capture

    def _body(self) -> None:
        scalars = self._table.index_select(0, self._number)[0]
        self.optimiser.move(self.theta, self._gradient(), scalars)
        self.average.lerp_(self.theta, scalars[-1])
        self._number += 1

    def _gradient(self) -> Tensor:
        """Of the mean of |f - y|^2, whose own value goes to ``_found``."""
        import torch

        # a leaf for each layer: slopes of slices of one vector would be a vector each, and their sum
        layers = [
            (weight.detach().requires_grad_(), bias.detach().requires_grad_())
            for weight, bias in self.network.layers(self.theta)
        ]
        found = through(self.network, layers, self._rows)
        error = (found.detach() - self._targets).view(-1)
        torch.mul(torch.dot(error, error), 1 / len(self._rows), out=self._found)
        leaves = [leaf for pair in layers for leaf in pair]
        slopes = torch.autograd.grad(found, leaves, (error * (2 / len(self._rows))).view_as(found))
        return torch.cat([part.reshape(-1) for part in slopes])

    def _kept(self) -> JsonDict:
        return {"theta": self.theta, "average": self.average, **self.optimiser.state()}
