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

from .splines import Grid, Splines

Modes = NDArray[np.complex128]
Band = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Box:
    """``count`` modes an axis (even) in a periodic box of side ``side`` about ``centre`` (d,).

    ``band`` of |q|^2 is the part of the field that this box stands for; all of it by default. What is read of it is
    smoothed by exp(-q^2 delta^2 / 4). Modes are an array
    (count, .., count / 2 + 1), real fields understood, and belong to exp(i q (x - low)).
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
        delta: float = 0.0,
    ) -> None:
        dim = len(centre)
        self.dim, self.side, self.count = dim, side, count
        self.nodes = nodes_of(count, over)
        self.low = np.array([c - side / 2 for c in centre])
        self.splines = Splines(order, [self.nodes] * dim, self.low.tolist(), side / self.nodes, threads)
        half = np.arange(count // 2 + 1)
        whole = np.concatenate([half[:-1], np.arange(-count // 2, 0)])
        axes = [whole] * (dim - 1) + [half]
        self._rows = [np.concatenate([half[:-1], np.arange(self.nodes - count // 2, self.nodes)])] * (dim - 1) + [half]
        self.q = [along(2 * math.pi / side * turns, axis, dim) for axis, turns in enumerate(axes)]
        self.q2 = sum((q * q for q in self.q), np.zeros([len(axis) for axis in axes]))
        self.band = np.ones_like(self.q2) if band is None else band(self.q2)
        self.blob = np.exp(-self.q2 * delta**2 / 4)
        factors = [f[rows] for f, rows in zip(self.splines.symbol(), self._rows, strict=True)]
        self.symbol = np.ones(self.q2.shape, complex)
        for axis, factor in enumerate(factors):
            self.symbol *= along(factor, axis, dim)
        self._paired = np.ones_like(self.q2)  # the mode -count / 2 has no partner, and carries no gradient
        for axis in range(dim):
            self._paired *= along(np.abs(axes[axis]) < count // 2, axis, dim)
        self._kept = self.band * self.blob * self._paired

    def zeros(self) -> Modes:
        return np.zeros(self.q2.shape, complex)

    def density(self, axes: Sequence[NDArray[Any]], mass: float) -> Modes:
        """Modes of the density of particles that share ``mass``; the zero mode is mass / side^d exactly."""
        return self.density_of(self.splines.deposit(axes), mass, axes[0].size)

    def density_of(self, grid: Grid, mass: float, particles: int) -> Modes:
        """The same, from what the splines have deposited."""
        full = fft.rfftn(grid, workers=self.splines.threads)
        modes: Modes = full[np.ix_(*self._rows)] / self.symbol * (mass / particles / self.side**self.dim)
        modes.flat[0] = mass / self.side**self.dim
        return modes

    def advanced(self, modes: Modes, density: Modes, memory: float, k: float) -> Modes:
        """Modes after a step, with ``memory`` = eps / dt; at 0 the elliptic state, without its constant where k = 0."""
        below = self.q2 + k * k + memory
        return np.divide(memory * modes + density, below, out=self.zeros(), where=below > 0)

    def part(self, modes: Modes) -> Modes:
        """What this box adds to the field: its band, smoothed over delta, and no mode without a partner."""
        return np.asarray(modes * self._kept)

    def coefficients(self, modes: Modes) -> Grid:
        """Spline coefficients, on the nodes, of this box's part of the field."""
        full = np.zeros([self.nodes] * (self.dim - 1) + [self.nodes // 2 + 1], complex)
        full[np.ix_(*self._rows)] = self.part(modes) / self.symbol.conj()
        grid = fft.irfftn(full, s=[self.nodes] * self.dim, workers=self.splines.threads, overwrite_x=True)
        return np.asarray(grid * float(self.nodes**self.dim))

    def add(self, modes: Modes, axes: Sequence[NDArray[Any]], value: NDArray[Any], gradient: NDArray[Any]) -> None:
        """Add this box's part of c (n,) and of grad c (d, n) at positions given axis by axis."""
        self.splines.gather(self.coefficients(modes), axes, value, gradient)


def nodes_of(count: int, over: float) -> int:
    """Nodes an axis for ``count`` modes and an oversampling ``over``: an even length that transforms fast."""
    nodes = int(fft.next_fast_len(math.ceil(over * count), real=True))
    while nodes % 2:
        nodes = int(fft.next_fast_len(nodes + 1, real=True))
    return nodes


def along(values: NDArray[Any], axis: int, dim: int) -> NDArray[Any]:
    """``values`` as an array of ``dim`` dimensions that varies along ``axis``."""
    shape = [1] * dim
    shape[axis] = -1
    return values.reshape(shape)
