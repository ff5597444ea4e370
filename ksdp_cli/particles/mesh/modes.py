"""The chemical of equation (1) on the Fourier modes of one box: implicit Euler step and gradient at the particles.

    alpha_q <- ((eps / dt) alpha_q + rho_q) / (|q|^2 + k^2 + eps / dt),    grad c(X) = sum_q i q alpha_q exp(i q X)

B-splines deposit and interpolate, and their transform is divided out both times. Wang, Xin and Zhang, J. Sci. Comput.
102 (2025) 75, use the same step with a sum over all modes for each particle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..world import World
from .splines import Grid, Splines, Window

Modes = NDArray[np.complex128]
Band = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Box:
    """``count`` modes an axis (even) in a periodic box of side ``side`` about ``centre`` (d,).

    Along an axis with ``stretch`` (d,) s the box is s times as long and has s times as many modes, so that all nodes
    have one spacing. ``band`` is a function of |q|^2, the share of the field that this box represents; by default 1.
    Evaluation smooths the field by exp(-q^2 delta^2 / 4). Modes of a real field are an array (count, .., count / 2 + 1)
    where nothing is stretched, with the basis exp(i q (x - low)).
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
        stretch: Sequence[int] = (),
    ) -> None:
        dim = len(centre)
        self.dim, self.side, self.count = dim, side, count
        self.stretch = tuple(stretch) or (1,) * dim
        self.sides, self.counts = [side * s for s in self.stretch], self.shape(count)
        self.volume = side**dim * math.prod(self.stretch)
        nodes = fast_even(math.ceil(over * count))
        self.nodes = self.shape(nodes)
        self.low = np.array([c - one / 2 for c, one in zip(centre, self.sides, strict=True)])
        self.splines = Splines(order, self.nodes, self.low.tolist(), side / nodes, threads)
        axes = [whole(n) for n in self.counts[:-1]] + [np.arange(self.counts[-1] // 2 + 1)]
        self.q = [along(2 * math.pi / self.sides[axis] * turns, axis, dim) for axis, turns in enumerate(axes)]
        self.q2 = sum((q * q for q in self.q), np.zeros([len(axis) for axis in axes]))
        self.band = np.ones_like(self.q2) if band is None else band(self.q2)
        self._symbols: dict[int, NDArray[np.inexact]] = {}
        self.blob = np.exp(-self.q2 * delta**2 / 4)
        self._paired = np.ones_like(self.q2)  # the mode -count / 2 has no conjugate and no gradient
        for axis in range(dim):
            self._paired *= along(np.abs(axes[axis]) < self.counts[axis] // 2, axis, dim)
        self._kept = self.band * self.blob * self._paired

    def shape(self, count: int) -> list[int]:
        """Numbers (d,) of points or modes with ``count`` on the shortest axes."""
        return [count * s for s in self.stretch]

    def zeros(self) -> Modes:
        return np.zeros(self.q2.shape, complex)

    def density(self, axes: Sequence[NDArray[np.floating]], mass: float, world: World | None = None) -> Modes:
        """Modes of the density of particles that share ``mass``; the zero mode is mass / volume exactly. The ranks of a
        ``world`` share the particles out."""
        return self.density_modes(axes, mass, self.count, world)

    def density_modes(
        self, axes: Sequence[NDArray[np.floating]], mass: float, count: int, world: World | None = None
    ) -> Modes:
        """As `density`, with ``count`` modes an axis."""
        window = self.splines.window(axes)
        grid = self.splines.deposit(axes, window, world)
        modes = spectrum(grid, self.shape(count), self.splines.threads, window, self.nodes) / self._symbol(count)
        modes *= mass / axes[0].size / self.volume
        modes.flat[0] = mass / self.volume
        return modes

    def advanced(self, modes: Modes, density: Modes, memory: float, k: float) -> Modes:
        """Modes after a step, with ``memory`` = eps / dt; for 0 the elliptic solution, with mean 0 if k = 0."""
        denominator = self.q2 + k * k + memory
        return np.divide(memory * modes + density, denominator, out=self.zeros(), where=denominator > 0)

    def _symbol(self, count: int) -> NDArray[np.inexact]:
        """Transform of the spline relative to that of a point, for ``count`` modes on the shortest axes."""
        if count not in self._symbols:
            *firsts, last = self.splines.symbol()
            *counts, end = self.shape(count)
            factors = [resized(f, n, 0) for f, n in zip(firsts, counts, strict=True)]
            symbol: NDArray[np.inexact] = along(last[: end // 2 + 1], self.dim - 1, self.dim)
            for axis, factor in enumerate(factors):
                symbol = symbol * along(factor, axis, self.dim)
            self._symbols[count] = symbol
        return self._symbols[count]

    def part(self, modes: Modes) -> Modes:
        """The share of this box in the field: its band, smoothed over delta, without the modes -count / 2."""
        return np.asarray(modes * self._kept)

    def add(
        self,
        modes: Modes,
        axes: Sequence[NDArray[np.floating]],
        value: NDArray[np.float64],
        gradient: NDArray[np.float64],
    ) -> None:
        """Add this box's share of c (n,) and grad c (d, n) at positions ``axes``, one array (n,) for each axis."""
        self.read(self.part(modes), axes, value, gradient)

    def read(
        self,
        part: Modes,
        axes: Sequence[NDArray[np.floating]],
        value: NDArray[np.float64],
        gradient: NDArray[np.float64],
    ) -> None:
        """Add the field with modes ``part`` (any even count up to the nodes) and its gradient."""
        window = self.splines.window(axes)
        modes = part / self._symbol((part.shape[-1] * 2 - 2) // self.stretch[-1]).conj()
        coefficients = synthesis(modes, self.nodes, self.splines.threads, window)
        self.splines.gather(coefficients, axes, value, gradient, window)


def spectrum(
    grid: Grid, counts: Sequence[int], threads: int, window: Window | None = None, nodes: Sequence[int] = ()
) -> Modes:
    """The lowest modes of a real grid, ``counts`` (d,) of them: transforms along further axes are of these modes only,
    and of the rows in which there is something. With ``window`` the grid is that part of one with ``nodes`` (d,), all
    of the last axis, and the rest is 0."""
    modes: Modes = fft.rfft(grid, axis=-1, workers=threads)[..., : counts[-1] // 2 + 1]
    for axis in reversed(range(grid.ndim - 1)):
        if window and modes.shape[axis] < nodes[axis]:
            padded = np.zeros((*modes.shape[:axis], nodes[axis], *modes.shape[axis + 1 :]), complex)
            padded[(*(slice(None),) * axis, window[axis])] = modes
            modes = padded
        modes = resized(fft.fft(modes, axis=axis, workers=threads), counts[axis], axis)
    return np.ascontiguousarray(modes)


def synthesis(modes: Modes, nodes: Sequence[int], threads: int, window: Window | None = None) -> Grid:
    """sum_q modes_q exp(i q x) on ``nodes`` (d,), at least as many as there are modes, or on a part of them."""
    for axis in range(modes.ndim - 1):
        padded = resized(modes, nodes[axis], axis)
        modes = fft.ifft(padded, axis=axis, workers=threads, norm="forward", overwrite_x=True)
        if window:
            modes = modes[(*(slice(None),) * axis, window[axis])]
    return np.asarray(fft.irfft(modes, nodes[-1], axis=-1, workers=threads, norm="forward"))


N = TypeVar("N", bound=np.generic)


def resized(modes: NDArray[N], count: int, axis: int) -> NDArray[N]:
    """Change the number of modes along a full axis to ``count``: drop the highest ones or add zeros."""
    half = min(modes.shape[axis], count) // 2
    before, after = (slice(None),) * axis, (slice(None),) * (modes.ndim - axis - 1)
    result = np.empty((*modes.shape[:axis], count, *modes.shape[axis + 1 :]), modes.dtype)
    result[(*before, slice(half, count - half), *after)] = 0
    for part in (slice(0, half), slice(-half, None)):
        result[(*before, part, *after)] = modes[(*before, part, *after)]
    return result


def whole(count: int) -> NDArray[np.int64]:
    """The numbers of ``count`` modes of an axis, as `numpy.fft.fftfreq` orders them."""
    return np.concatenate([np.arange(count // 2), np.arange(-count // 2, 0)])


def fast_even(least: int) -> int:
    """The next even length >= ``least`` with a fast transform."""
    n = int(fft.next_fast_len(least, real=True))
    while n % 2:
        n = int(fft.next_fast_len(n + 1, real=True))
    return n


def along(values: NDArray[N], axis: int, dim: int) -> NDArray[N]:
    """Reshape ``values`` to ``dim`` dimensions, along ``axis``."""
    shape = [1] * dim
    shape[axis] = -1
    return values.reshape(shape)
