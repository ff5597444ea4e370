"""The outer boxes on the modes of the first box, so that one deposit and one interpolation serve all boxes.

An outer box needs few modes, since its band ends at the scale of the first box. Let the window w be 1 at the particles
and 0 at the edge of the first box. Times w, a wave of an outer box is a sum of waves of the first box:

    w(x) exp(i q x) = sum_m a_qm exp(i k_m x),    k_m = 2 pi m / L

with few m. The density in an outer mode is therefore a sum over a coarse grid of the first box's lowest modes, and the
outer field on that grid, times w, has modes that can be added to those of the first box.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import i0

from .modes import Box, Modes, along, fast_even

#: The window is 1 up to this distance from the centre, over the side of the first box, and falls to 0 at its edge. In a
#: stretched box it is as far from the edge.
HELD = 0.32
#: Number of complex multiplications up to which OpenBLAS uses one thread.
ALONE = 1 << 16
#: Error of the window's waves over the required accuracy.
SHARE = 0.02


def coarse_modes(accuracy: float, outer: int, ratio: int) -> int:
    """Modes an axis of the coarse grid, for the window and for ``outer`` modes of the next box."""
    return fast_even(2 * math.ceil(_sharpness(accuracy) / (math.pi * (0.5 - HELD)) + outer / (2 * ratio)))


class Shared:
    """The ``outer`` boxes, represented on ``count`` modes of the shortest axes of the first box ``inner``."""

    def __init__(self, inner: Box, outer: Sequence[Box], count: int, accuracy: float) -> None:
        self.outer, self.count, self.threads = outer, count, inner.splines.threads
        self.counts, self.window = inner.shape(count), np.ones([1] * inner.dim)
        for axis, (n, stretch) in enumerate(zip(self.counts, inner.stretch, strict=True)):
            away = np.abs(np.arange(n) / count - stretch / 2) - (stretch - 1) / 2  # as far from an edge as in a cube
            self.window = self.window * along(_window(away, _sharpness(accuracy)), axis, inner.dim)
        x = [corner + inner.side / count * np.arange(n) for corner, n in zip(inner.low, self.counts, strict=True)]
        #: By box and axis, exp(-i q x) on the coarse grid.
        self._waves = [
            [np.exp(-1j * np.outer(q, points - corner)) for q, points, corner in zip(box.q, x, box.low, strict=True)]
            for box in outer
        ]
        # contiguous copies: products with strided real and imaginary parts are 10 times slower
        self._last = [(waves[-1].real.copy(), waves[-1].imag.copy()) for waves in self._waves]

    def densities(self, lowest: Modes) -> list[Modes]:
        """Modes of the density in each outer box, times its volume, from the ``count`` lowest modes in the first
        box."""
        grid = fft.irfftn(lowest, s=self.counts, workers=self.threads) * self.window
        densities = []
        for waves, (real, imag) in zip(self._waves, self._last, strict=True):
            modes: NDArray[Any] = applied(real, grid, grid.ndim - 1) + 1j * applied(imag, grid, grid.ndim - 1)
            for axis, matrix in enumerate(waves[:-1]):
                modes = applied(matrix, modes, axis)
            densities.append(modes)
        return densities

    def field(self, parts: Sequence[Modes]) -> Modes:
        """The ``count`` lowest modes, in the first box, of the sum of the outer boxes' shares."""
        total = np.zeros(self.counts)
        for waves, (real, imag), part in zip(self._waves, self._last, parts, strict=True):
            half = part.copy()
            half[..., 1:] *= 2.0  # a real field: the other half is conjugate
            for axis, matrix in enumerate(waves[:-1]):
                half = applied(matrix.conj().T, half, axis)
            for back, one in ((real, half.real), (imag, half.imag)):
                total += applied(back.T, np.ascontiguousarray(one), one.ndim - 1)
        level = float(total[tuple(n // 2 for n in self.counts)])  # the window would give it a slope
        modes = fft.rfftn((total - level) * self.window, workers=self.threads, norm="forward")
        modes.flat[0] += level
        return np.asarray(modes)


N = TypeVar("N", bound=np.inexact)


def applied(matrix: NDArray[np.inexact], values: NDArray[N], axis: int) -> NDArray[N]:
    """``matrix`` times ``values`` along an axis.

    It uses small products. BLAS splits a large product among its threads, which spin while they wait on a busy machine,
    so that 10 us of work may take 0.2 s. A large matrix is multiplied at once.
    """
    rows, length = matrix.shape
    product = np.empty((*values.shape[:axis], rows, *values.shape[axis + 1 :]), np.result_type(matrix, values))
    step = ALONE // (rows * length) or max(1, values.size)
    if axis == values.ndim - 1:
        flat, out = values.reshape(-1, length), product.reshape(-1, rows)
        for begin in range(0, len(flat), step):
            np.matmul(flat[begin : begin + step], matrix.T, out=out[begin : begin + step])
        return product
    old, new = np.moveaxis(values, axis, -2), np.moveaxis(product, axis, -2)
    for begin in range(0, old.shape[-1], step):
        part = (..., slice(begin, begin + step))
        np.matmul(matrix, old[part], out=new[part])
    return product


def _sharpness(accuracy: float) -> float:
    """Parameter of Kaiser's window for the required accuracy."""
    return math.log(1.0 / (SHARE * accuracy))


def _window(away: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """1 up to `HELD`, 0 at 1/2; in between the integral of Kaiser's window, which has the narrowest spectrum."""
    u = np.linspace(-1.0, 1.0, 4001)
    steps = i0(beta * np.sqrt(1.0 - u * u)) / i0(beta)
    rise = np.concatenate([[0.0], np.cumsum(steps[1:] + steps[:-1])])
    return np.asarray(np.interp(away, 0.5 * (HELD + 0.5) + 0.5 * (0.5 - HELD) * u, 1.0 - rise / rise[-1]))
