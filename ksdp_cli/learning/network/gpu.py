"""The network on a GPU by torch; a network of x alone uses one fused program (`fused`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import fused
from .network import Network, Weights

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: Points in one transfer to the device and back; number of transfers in flight.
PIECE, AHEAD = 1 << 18, 3


def forward(network: Network, theta: Tensor, x: Tensor) -> Tensor:
    """f_theta (n, d) for rows (x, padding) as in `Network.evaluate`, all on one device."""
    return through(network, network.layers(theta), x)


def through(network: Network, layers: Sequence[tuple[Tensor, Tensor]], rows: Tensor) -> Tensor:
    """`forward` for weights given as pairs (W_i (outputs, inputs), b_i (outputs,))."""
    import torch

    x = rows[:, : network.sizes[0]]
    for level, (weight, bias) in enumerate(layers):
        x = torch.addmm(bias, x, weight.T)
        x = torch.tanh(x) if level < len(layers) - 1 else x
    if network.heads:
        x = torch.einsum("nk,nkd->nd", rows[:, network.sizes[0] :], x.view(-1, network.heads, network.dim))
    result: Tensor = rows[:, : network.dim] + x if network.residual else x
    return result


def evaluate(network: Network, theta: Tensor, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """f_theta (n, d) float32 for ``rows`` (n, d + padding) of the host, on the device of the tensor ``theta``."""
    import torch

    with torch.no_grad():
        return streamed(lambda x: forward(network, theta, x), rows, network.dim, theta.device)


def evaluate_alone(network: Network, theta: Weights, x: NDArray[np.float32], device: str) -> NDArray[np.float32]:
    """f_theta (n, d) float32 on ``device`` for ``x`` (n, d) of the host, by a network of x alone (`Network.at`)."""
    import torch

    weights = torch.from_numpy(theta).to(device)
    if not fused.usable(weights.device):
        return evaluate(network, weights, x)
    layers = torch.from_numpy(fused.packed(network, theta)).to(device)
    return streamed(lambda piece: fused.evaluate(network, layers, piece), x, network.dim, layers.device)


def streamed(
    work: Callable[[Tensor], Tensor], rows: NDArray[np.float32], dim: int, device: torch.device
) -> NDArray[np.float32]:
    """Apply ``work`` to ``rows`` (n, columns) in pieces on ``device``; return (n, dim) float32.

    On a GPU the pieces use page-locked memory, which torch keeps for the next call. One piece is copied while another
    is computed, and the host waits only at the end of a piece.
    """
    import torch

    on_gpu, out = device.type == "cuda", np.empty((len(rows), dim), np.float32)
    waiting: deque[tuple[int, Any, Any]] = deque()

    def deliver() -> None:
        first, back, done = waiting.popleft()
        if done is not None:
            done.synchronize()
        out[first : first + len(back)] = back.numpy()

    for first in range(0, len(rows), PIECE):
        part = rows[first : first + PIECE]
        buffer = torch.empty(part.shape, dtype=torch.float32, pin_memory=on_gpu)
        buffer.numpy()[...] = part
        result = work(buffer.to(device, non_blocking=True))
        back = torch.empty(result.shape, dtype=torch.float32, pin_memory=on_gpu)
        back.copy_(result, non_blocking=True)
        done: Any = torch.cuda.Event() if on_gpu else None  # type: ignore[no-untyped-call]
        if done is not None:
            done.record()
        waiting.append((first, back, done))
        if len(waiting) >= AHEAD:
            deliver()
    while waiting:
        deliver()
    return out
