"""SOAP on tensors: the formulas of `Soap` for all layers and both factors at once, in padded batches.

A launch costs more than the arithmetic of a 31 x 31 matrix. A step is about twenty launches for all layers, and one
batched QR updates the twelve bases. Padding is zero, and the identity in the bases, so that it has no effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..network.network import Network
from .soap import BETA1, BETA2, EPSILON, FACTOR, TURN, Soap

if TYPE_CHECKING:
    from torch import Tensor


class SoapGPU:
    """As `Soap`, for a tensor theta, in its dtype and on its device."""

    scalars = staticmethod(Soap.scalars)

    def __init__(self, network: Network, theta: Tensor) -> None:
        import torch

        self.shapes = [(outs, ins + 1) for ins, outs in zip(network.sizes[:-1], network.sizes[1:], strict=True)]
        count, side = len(self.shapes), max(max(shape) for shape in self.shapes)
        # index in theta of each padded entry (len(theta) for padding), and the inverse map
        index = torch.full((count, side, side), len(theta), dtype=torch.int64)
        for matrix, (weight, bias) in zip(index, network.layers(torch.arange(len(theta))), strict=True):
            outs, ins = weight.shape
            matrix[:outs, :ins], matrix[:outs, ins] = weight, bias
        self._index = index.view(-1).to(theta.device)
        self._flat = torch.argsort(self._index)[: len(theta)]
        self._nothing = theta.new_zeros(1)
        self.mean, self.square = theta.new_zeros((2, count, side, side))
        self.factors = theta.new_zeros((2 * count, side, side))
        real = torch.tensor([[k < size for k in range(side)] for axis in (0, 1) for size in self._sizes(axis)])
        self._padding = torch.diag_embed((~real).to(theta.dtype)).to(theta.device)
        self.turns = self._padding.clone()

    def update(self, theta: Tensor, gradient: Tensor, step: int, size: float) -> None:
        """As `Soap.update`."""
        if step == 0:
            self.initialise(gradient)
        else:
            self.move(theta, gradient, self.scalars(step, size))
        self.update_basis(step)

    def initialise(self, gradient: Tensor) -> None:
        """As `Soap.initialise`."""
        g, count = self._padded(gradient), len(self.shapes)
        self.factors[:count], self.factors[count:] = g @ g.mT, g.mT @ g

    def move(self, theta: Tensor, gradient: Tensor, scalars: Tensor | tuple[float, ...]) -> None:
        """As `Soap.move`."""
        g, count = self._padded(gradient), len(self.shapes)
        left, right = self.turns[:count], self.turns[count:]
        self.mean.lerp_(g, 1 - BETA1)
        rotated = left.mT @ g @ right
        self.square.lerp_(rotated * rotated, 1 - BETA2)
        mean = left.mT @ self.mean @ right * scalars[1]
        spread = (self.square * scalars[2]).sqrt_().add_(EPSILON)
        change = left @ (mean / spread) @ right.mT
        theta -= scalars[0] * change.view(-1)[self._flat]
        self.factors[:count].baddbmm_(g, g.mT, beta=FACTOR, alpha=1 - FACTOR)
        self.factors[count:].baddbmm_(g.mT, g, beta=FACTOR, alpha=1 - FACTOR)

    def update_basis(self, step: int) -> None:
        """As `Soap.update_basis`, up to the signs of the columns, which do not affect a step."""
        import torch

        if step % TURN:
            return
        if step:
            self.turns.copy_(torch.linalg.qr(self.factors @ self.turns + self._padding)[0])
            return
        for k, size in enumerate(
            [*self._sizes(0), *self._sizes(1)]
        ):  # without padding, which would mix with null vectors
            self.turns[k, :size, :size] = torch.linalg.eigh(self.factors[k, :size, :size])[1]

    def state(self) -> dict[str, object]:
        """As `Soap.state`, with the same names: views without padding."""
        arrays: dict[str, Any] = {}
        count = len(self.shapes)
        for i, (outs, ins) in enumerate(self.shapes):
            arrays |= {f"left{i}": self.factors[i, :outs, :outs], f"right{i}": self.factors[count + i, :ins, :ins]}
            arrays |= {
                f"turn_left{i}": self.turns[i, :outs, :outs],
                f"turn_right{i}": self.turns[count + i, :ins, :ins],
            }
            arrays |= {f"mean{i}": self.mean[i, :outs, :ins], f"square{i}": self.square[i, :outs, :ins]}
        return arrays

    def _padded(self, flat: Tensor) -> Tensor:
        """(layers, side, side) of a vector as long as theta."""
        import torch

        return torch.cat([flat, self._nothing])[self._index].view_as(self.mean)

    def _sizes(self, axis: int) -> list[int]:
        return [shape[axis] for shape in self.shapes]
