"""The chemical of equation (1) on the Fourier modes of one box: an implicit Euler step, its gradient at the particles.

    alpha_q <- ((eps / dt) alpha_q + rho_q) / (|q|^2 + k^2 + eps / dt),    grad c(X) = sum_q i q alpha_q exp(i q X)

Particles are coupled by B-splines whose transform is divided out both ways. Wang, Xin and Zhang, J. Sci. Comput. 102
(2025) 75, use the same step with sums over all modes for every particle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .splines import Splines

Modes = NDArray[np.complex128]
Band = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Box:
    """``count`` modes an axis (even) in a periodic box of side ``side`` about ``centre`` (d,).

    ``band`` of |q|^2 is the part of the field that this box stands for; all of it by default. Modes are an array
    (count, .., count / 2 + 1), real fields understood.
    """

    def __init__(
        self,
        centre: Sequence[float],
        side: float,
        count: int,
        band: Band | None = None,
        order: int = 6,
        over: float = 2.0,
        threads: int | None = None,
    ) -> None:
        dim = len(centre)
        self.dim, self.side, self.count = dim, side, count
        nodes = fft.next_fast_len(math.ceil(over * count), real=True)
        nodes += nodes % 2
        low = [c - side / 2 for c in centre]
        self.splines = Splines(order, [nodes] * dim, low, side / nodes, threads)
        half = np.arange(count // 2 + 1)
        whole = np.concatenate([half[:-1], np.arange(-count // 2, 0)])
        axes = [whole] * (dim - 1) + [half]
        self._rows = [np.concatenate([half[:-1], np.arange(nodes - count // 2, nodes)])] * (dim - 1) + [half]
        self.q = [_along(2 * math.pi / side * turns, axis, dim) for axis, turns in enumerate(axes)]
        self.q2 = sum((q * q for q in self.q), np.zeros([len(axis) for axis in axes]))
        self.band = np.ones_like(self.q2) if band is None else band(self.q2)
        factors = [f[rows] for f, rows in zip(self.splines.symbol(), self._rows, strict=True)]
        self.symbol = np.ones(self.q2.shape, complex)
        for axis, factor in enumerate(factors):
            self.symbol *= _along(factor, axis, dim)
        self._paired = np.ones_like(self.q2)  # the mode -count / 2 has no partner, and carries no gradient
        for axis in range(dim):
            self._paired *= _along(np.abs(axes[axis]) < count // 2, axis, dim)

    def zeros(self) -> Modes:
        return np.zeros(self.q2.shape, complex)

    def density(self, axes: Sequence[NDArray[Any]], mass: float) -> Modes:
        """Modes of the density of particles that share ``mass``; the zero mode is mass / side^d exactly."""
        full = fft.rfftn(self.splines.deposit(axes), workers=self.splines.threads)
        modes: Modes = full[np.ix_(*self._rows)] / self.symbol * (mass / axes[0].size / self.side**self.dim)
        modes.flat[0] = mass / self.side**self.dim
        return modes

    def advanced(self, modes: Modes, density: Modes, memory: float, k: float) -> Modes:
        """Modes after a step, with ``memory`` = eps / dt; at 0 the elliptic state, without its constant where k = 0."""
        below = self.q2 + k * k + memory
        return np.divide(memory * modes + density, below, out=self.zeros(), where=below > 0)

    def add(self, modes: Modes, axes: Sequence[NDArray[Any]], value: NDArray[Any], gradient: NDArray[Any]) -> None:
        """Add this box's part of c (n,) and of grad c (d, n) at positions given axis by axis."""
        part = modes * self.band * self._paired / self.symbol.conj()
        nodes = [int(n) for n in self.splines.cells]
        full = np.zeros([*nodes[:-1], nodes[-1] // 2 + 1], complex)
        full[np.ix_(*self._rows)] = part
        grid = fft.irfftn(full, s=nodes, workers=self.splines.threads) * math.prod(nodes)
        self.splines.gather(grid, axes, value, gradient)


def _along(values: NDArray[Any], axis: int, dim: int) -> NDArray[Any]:
    shape = [1] * dim
    shape[axis] = -1
    return values.reshape(shape)
