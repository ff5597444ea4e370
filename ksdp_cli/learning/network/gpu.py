"""The same network on a GPU, through torch; what is evaluated of x alone goes through one program (`network_gpu`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import fused as network_gpu
from .network import Network, Weights

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: Points on the way to the device and back at a time, and how many such pieces are on their way side by side.
PIECE, AHEAD = 1 << 18, 3


def forward(network: Network, theta: Tensor, x: Tensor) -> Tensor:
    """f_theta for rows (x, padding) as `Network.evaluate` takes them, all on one device."""
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
    """f_theta for ``rows`` (n, d + padding) of the host, where the tensor ``theta`` is: (n, d) float32."""
    import torch

    with torch.no_grad():
        return streamed(lambda x: forward(network, theta, x), rows, network.dim, theta.device)


def evaluate_alone(network: Network, theta: Weights, x: NDArray[np.float32], device: str) -> NDArray[np.float32]:
    """f_theta on ``device`` for ``x`` (n, d) of the host and a network of x alone, `Network.at`: (n, d) float32."""
    import torch

    weights = torch.from_numpy(theta).to(device)
    if not network_gpu.usable(weights.device):
        return evaluate(network, weights, x)
    layers = torch.from_numpy(network_gpu.packed(network, theta)).to(device)
    return streamed(lambda piece: network_gpu.evaluate(network, layers, piece), x, network.dim, layers.device)


def streamed(
    work: Callable[[Tensor], Tensor], rows: NDArray[np.float32], dim: int, device: torch.device
) -> NDArray[np.float32]:
    """``work`` of ``rows`` (n, columns), piece by piece on ``device``: (n, dim) float32.

    On a GPU the pieces go through page-locked memory, which torch keeps for the next call, so that one is copied while
    another is computed, and the host waits for the device at the end of a piece only.
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
        there = torch.empty(part.shape, dtype=torch.float32, pin_memory=on_gpu)
        there.numpy()[...] = part
        found = work(there.to(device, non_blocking=True))
        back = torch.empty(found.shape, dtype=torch.float32, pin_memory=on_gpu)
        back.copy_(found, non_blocking=True)
        done: Any = torch.cuda.Event() if on_gpu else None  # type: ignore[no-untyped-call]
        if done is not None:
            done.record()
        waiting.append((first, back, done))
        if len(waiting) >= AHEAD:
            deliver()
    while waiting:
        deliver()
    return out
