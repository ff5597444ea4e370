"""The network of equation (13) and Table 1, in each of its `forms`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.arrays import Array
from ...base.threads import core_count, pool
from .forms import FORMS, PLAIN, RESIDUAL

WIDTH, DEPTH = 30, 5
#: Rows in a piece of `evaluate`; number of pieces of a gradient. Both are independent of the number of threads, so that
#: the sums of a gradient are too.
PIECE, PARTS = 1 << 13, 16

#: Factor of the initial last layer in the forms that add x, so that training starts near f = x.
LAST_LAYER = 0.1

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Network:
    """f_theta(x; eta), fully connected: 5 hidden layers of 30 with tanh, and d linear outputs for each head.

    It reads rows (x, terms of eta); see `EtaMap.padding`. The weights theta are one float32 vector: W_0, b_0, W_1, b_1,
    ... with W_i (outputs, inputs) row by row.
    """

    dim: int
    eta_count: int
    form: str = PLAIN

    @property
    def heads(self) -> int:
        """Number of coefficients that weigh blocks of outputs; 0 if the output is f itself."""
        form = FORMS[self.form]
        return form.count(self.eta_count) if form.weighed else 0

    @property
    def residual(self) -> bool:
        """Whether x is added to the output."""
        return FORMS[self.form].residual

    @property
    def sizes(self) -> tuple[int, ...]:
        form = FORMS[self.form]
        read = 0 if form.weighed else form.count(self.eta_count)
        return (self.dim + read, *([WIDTH] * DEPTH), self.dim * max(self.heads, 1))

    @property
    def parameter_count(self) -> int:
        """``paper``: 3902 for d = 2, p = 1 and 3963 for d = 3, p = 1, Table 1. ``separable``: 3996 and 4119.

        For two parameters, p = 2: 3932 and 3993, ``product``: 4368 and 4677.
        """
        return sum(a * b + b for a, b in zip(self.sizes[:-1], self.sizes[1:], strict=True))

    def initial(self, seed: int) -> Weights:
        """Draw weights and biases uniform on +-1/sqrt(inputs), as a function of ``seed``.

        The last layer has a tenth of that in the forms that add x.
        """
        # differs from the key (seed, b) of every mini-batch b
        generator = np.random.Generator(np.random.Philox(key=[seed, 1 << 63]))
        theta = generator.uniform(-1.0, 1.0, self.parameter_count).astype(np.float32)
        for weight, bias in self.layers(theta):
            bound = np.float32(1.0 / np.sqrt(weight.shape[1]))
            weight *= bound
            bias *= bound
        if self.residual:
            weight, bias = self.layers(theta)[-1]
            weight *= np.float32(LAST_LAYER)
            bias *= np.float32(LAST_LAYER)
        return theta

    def layers(self, theta: Array) -> list[tuple[Array, Array]]:
        """Views of ``theta``, an array or a tensor, as (W_i (outputs, inputs), b_i (outputs,))."""
        layers, at = [], 0
        for ins, outs in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            weight, bias = theta[at : at + outs * ins], theta[at + outs * ins : at + outs * ins + outs]
            layers.append((weight.reshape(outs, ins), bias))
            at += outs * ins + outs
        return layers

    def at(self, theta: Weights, padding: NDArray[np.float32]) -> tuple[Network, Weights]:
        """Fold one ``padding`` into the first or the last layer; return the network of x alone and its weights."""
        layers = self.layers(theta)
        if self.heads:
            weight, bias = layers[-1]
            folded = np.einsum("k,kdi->di", padding, weight.reshape(self.heads, self.dim, -1))
            parts = [
                theta[: -weight.size - bias.size],
                folded.reshape(-1),
                padding @ bias.reshape(self.heads, self.dim),
            ]
        else:
            weight, bias = layers[0]
            first = weight[:, : self.dim].reshape(-1)
            parts = [first, bias + weight[:, self.dim :] @ padding, theta[weight.size + bias.size :]]
        return Network(self.dim, 0, RESIDUAL if self.residual else PLAIN), np.concatenate(parts).astype(np.float32)

    def evaluate(self, theta: Weights, rows: NDArray[np.floating], threads: int | None = None) -> NDArray[np.float32]:
        """Return f_theta (n, d) float32 for ``rows`` (n, d + padding). ``threads`` defaults to all cores."""
        from .cpu import forward  # with the first use, since Numba takes long to import

        rows, sizes = np.ascontiguousarray(rows, np.float32), np.array(self.sizes)
        out = np.empty((len(rows), self.dim), np.float32)

        def piece(first: int) -> None:
            part = slice(first, first + PIECE)
            forward(theta, sizes, self.heads, self.residual, rows[part], out[part])

        _each(piece, list(range(0, len(rows), PIECE)), threads)
        return out

    def gradient(
        self, theta: Weights, rows: NDArray[np.float32], targets: NDArray[np.float32], threads: int | None = None
    ) -> tuple[float, Weights]:
        """Return mean |f - y|^2 and its gradient, for ``rows`` (n, d + padding) and matched ``targets`` (n, d)."""
        from .cpu import loss_and_slopes

        n, sizes = len(rows), np.array(self.sizes)
        edges = [n * part // PARTS for part in range(PARTS + 1)]
        slopes, totals = np.empty((PARTS, theta.size), np.float32), np.empty(PARTS)

        def piece(part: int) -> None:
            rows_of = slice(edges[part], edges[part + 1])
            totals[part] = loss_and_slopes(
                theta, sizes, self.heads, self.residual, rows[rows_of], targets[rows_of], slopes[part]
            )

        _each(piece, list(range(PARTS)), threads)
        return float(totals.sum()) / n, slopes.sum(0) * np.float32(2.0 / n)


def _each(piece: Callable[[int], None], items: list[int], threads: int | None) -> None:
    """Call ``piece`` for all items in parallel; the compiled loops release the interpreter's lock."""
    threads = threads or core_count()
    if threads == 1 or len(items) == 1:
        for item in items:
            piece(item)
    else:
        list(pool(threads).map(piece, items))
