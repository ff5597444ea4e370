"""The network of equation (13) and Table 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..threads import core_count, pool
from .compute import forward, loss_and_slopes

WIDTH, DEPTH = 30, 5
#: Rows of a piece of `evaluate`, and the number of pieces of a gradient. Neither depends on the number of threads, so
#: that the sums of a gradient do not either.
PIECE, PARTS = 1 << 13, 16

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Network:
    """Fully connected, d + p inputs, 5 hidden layers of 30 with tanh, d linear outputs: f_theta(x; eta).

    Its weights are one float32 vector theta: W_0, b_0, W_1, b_1, ... with W_i (outputs, inputs) row by row.
    """

    dim: int
    eta_count: int

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.dim + self.eta_count, *([WIDTH] * DEPTH), self.dim)

    @property
    def parameter_count(self) -> int:
        """3902 for d = 2, p = 1 and 3963 for d = 3, p = 1: Table 1."""
        return sum(a * b + b for a, b in zip(self.sizes[:-1], self.sizes[1:], strict=True))

    def initial(self, seed: int) -> Weights:
        """Weights and biases uniform on +-1/sqrt(inputs), a function of ``seed``."""
        # mini-batch b draws from the key (seed, b)
        generator = np.random.Generator(np.random.Philox(key=[seed, 1 << 63]))
        theta = generator.uniform(-1.0, 1.0, self.parameter_count).astype(np.float32)
        for weight, bias in self.layers(theta):
            bound = np.float32(1.0 / np.sqrt(weight.shape[1]))
            weight *= bound
            bias *= bound
        return theta

    def layers(self, theta: Weights) -> list[tuple[Weights, Weights]]:
        """Views of ``theta`` as (W_i (outputs, inputs), b_i (outputs,))."""
        found, at = [], 0
        for ins, outs in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            weight, bias = theta[at : at + outs * ins], theta[at + outs * ins : at + outs * ins + outs]
            found.append((weight.reshape(outs, ins), bias))
            at += outs * ins + outs
        return found

    def at(self, theta: Weights, eta: NDArray[np.float32]) -> tuple[Network, Weights]:
        """The network of x alone for one normalised ``eta`` (p,): its share of the first layer becomes a bias."""
        (weight, bias), *_ = self.layers(theta)
        own = [weight[:, : self.dim].reshape(-1), bias + weight[:, self.dim :] @ eta, theta[weight.size + bias.size :]]
        return Network(self.dim, 0), np.concatenate(own).astype(np.float32)

    def evaluate(self, theta: Weights, inputs: NDArray[Any], threads: int | None = None) -> NDArray[np.float32]:
        """f_theta for rows (x, eta), (n, d + p): (n, d) float32. ``threads``: all cores when None."""
        inputs, sizes = np.ascontiguousarray(inputs, np.float32), np.array(self.sizes)
        out = np.empty((len(inputs), self.dim), np.float32)

        def piece(first: int) -> None:
            forward(theta, sizes, inputs[first : first + PIECE], out[first : first + PIECE])

        _each(piece, list(range(0, len(inputs), PIECE)), threads)
        return out

    def gradient(
        self, theta: Weights, inputs: NDArray[np.float32], targets: NDArray[np.float32], threads: int | None = None
    ) -> tuple[float, Weights]:
        """For inputs (n, d + p) and matched targets (n, d): mean |f - y|^2 and its gradient."""
        n, sizes = len(inputs), np.array(self.sizes)
        edges = [n * part // PARTS for part in range(PARTS + 1)]
        slopes, totals = np.empty((PARTS, theta.size), np.float32), np.empty(PARTS)

        def piece(part: int) -> None:
            rows = slice(edges[part], edges[part + 1])
            totals[part] = loss_and_slopes(theta, sizes, inputs[rows], targets[rows], slopes[part])

        _each(piece, list(range(PARTS)), threads)
        return float(totals.sum()) / n, slopes.sum(0) * np.float32(2.0 / n)


def _each(piece: Callable[[int], None], items: list[int], threads: int | None) -> None:
    """Call ``piece`` for all items, side by side; the compiled loops release the interpreter's lock."""
    threads = threads or core_count()
    if threads == 1 or len(items) == 1:
        for item in items:
            piece(item)
    else:
        list(pool(threads).map(piece, items))
