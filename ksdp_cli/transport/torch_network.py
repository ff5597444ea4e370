"""The same network on a GPU, through torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .network import Network, Weights

#: Points on the device at a time: all layers of a piece take about 0.3 GB.
PIECE = 1 << 20


def forward(network: Network, theta: Any, x: Any) -> Any:
    """f_theta for rows (x, padding) as `Network.evaluate` takes them, all on one device."""
    import torch

    rows, x = x, x[:, : network.sizes[0]]
    at, last = 0, len(network.sizes) - 2
    for level, (ins, outs) in enumerate(zip(network.sizes[:-1], network.sizes[1:], strict=True)):
        weight, bias = theta[at : at + outs * ins].view(outs, ins), theta[at + outs * ins : at + outs * ins + outs]
        x = torch.addmm(bias, x, weight.T)
        x = torch.tanh(x) if level < last else x
        at += outs * ins + outs
    if network.heads:
        x = torch.einsum("nk,nkd->nd", rows[:, network.sizes[0] :], x.view(-1, network.heads, network.dim))
    return rows[:, : network.dim] + x if network.residual else x


class TorchNetwork:
    """The counterpart of `Network.evaluate` and `Network.gradient` on ``device``."""

    def __init__(self, network: Network, device: str) -> None:
        self.network, self.device = network, device

    def evaluate(self, theta: Weights, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """f_theta for rows (x, eta), (n, d + p): (n, d) float32."""
        import torch

        out = np.empty((len(inputs), self.network.dim), np.float32)
        with torch.no_grad():
            weights = torch.tensor(theta, device=self.device)
            for first in range(0, len(inputs), PIECE):
                piece = torch.tensor(inputs[first : first + PIECE], device=self.device)
                out[first : first + PIECE] = forward(self.network, weights, piece).cpu().numpy()
        return out

    def gradient(
        self, theta: Weights, inputs: NDArray[np.float32], targets: NDArray[np.float32]
    ) -> tuple[float, Weights]:
        """For inputs (n, d + p) and matched targets (n, d): mean |f - y|^2 and its gradient."""
        import torch

        weights = torch.tensor(theta, device=self.device, requires_grad=True)
        x, y = torch.tensor(inputs, device=self.device), torch.tensor(targets, device=self.device)
        loss = ((forward(self.network, weights, x) - y) ** 2).sum(1).mean()
        loss.backward()
        assert weights.grad is not None
        return float(loss.detach()), weights.grad.cpu().numpy()
