"""The same network on a GPU, through torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .network import Network

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


def evaluate(network: Network, theta: Any, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """f_theta for ``rows`` (n, d + padding) of the host, where ``theta`` is: (n, d) float32."""
    import torch

    out = np.empty((len(rows), network.dim), np.float32)
    with torch.no_grad():
        for first in range(0, len(rows), PIECE):
            piece = torch.tensor(rows[first : first + PIECE], device=theta.device)
            out[first : first + PIECE] = forward(network, theta, piece).cpu().numpy()
    return out
