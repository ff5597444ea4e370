"""The outer boxes through the first one's modes, so that particles are spread and read once for all boxes.

An outer box needs few modes, since its band ends at the scale of the first box, and within a window w that is 1 where
the particles are and 0 at the edge of the first box its waves are waves of the first box:

    w(x) exp(i q x) = sum_m a_qm exp(i k_m x),    k_m = 2 pi m / L

with few m. So the density in an outer mode is a sum over a coarse grid, of what the first box's lowest modes say there;
and the outer field on that grid, times w, has modes that add to the first box's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import i0

from .modes import Box, Modes, along

#: The window is 1 up to this distance from the centre, over the side of the first box, and falls to 0 at its edge.
HELD = 0.32
#: Multiplications of a product that OpenBLAS gives to one thread, of complex numbers.
ALONE = 1 << 16
#: Error of the window's waves, over the accuracy asked for.
SHARE = 0.02


def coarse_modes(accuracy: float, outer: int, ratio: int) -> int:
    """Modes an axis of the coarse grid: those of the window, and those that ``outer`` are in the first box."""
    return fast_even(2 * math.ceil(_sharpness(accuracy) / (math.pi * (0.5 - HELD)) + outer / (2 * ratio)))


def fast_even(least: int) -> int:
    """The next even length that transforms fast."""
    n = int(fft.next_fast_len(least, real=True))
    while n % 2:
        n = int(fft.next_fast_len(n + 1, real=True))
    return n


class Shared:
    """``outer`` boxes as seen on ``count`` modes an axis of the first box ``inner``."""

    def __init__(self, inner: Box, outer: Sequence[Box], count: int, accuracy: float) -> None:
        self.outer, self.count, self.threads = outer, count, inner.splines.threads
        away = np.arange(count) / count - 0.5
        self.window = np.ones([1] * inner.dim)
        for axis in range(inner.dim):
            self.window = self.window * along(_window(np.abs(away), _sharpness(accuracy)), axis, inner.dim)
        x = [corner + inner.side / count * np.arange(count) for corner in inner.low]
        #: By box and axis, exp(-i q x) on the coarse grid.
        self._waves = [
            [np.exp(-1j * np.outer(q, points - corner)) for q, points, corner in zip(box.q, x, box.low, strict=True)]
            for box in outer
        ]
        # matrices with gaps, as real and imaginary parts are, are multiplied 10 times slower
        self._last = [(waves[-1].real.copy(), waves[-1].imag.copy()) for waves in self._waves]

    def densities(self, lowest: Modes) -> list[Modes]:
        """Modes of the density in each outer box, from its ``count`` lowest ones in the first box, per volume there."""
        shape = [self.count] * self.window.ndim
        grid = fft.irfftn(lowest, s=shape, workers=self.threads) * self.window
        found = []
        for waves, (real, imag) in zip(self._waves, self._last, strict=True):
            modes: NDArray[Any] = applied(real, grid, grid.ndim - 1) + 1j * applied(imag, grid, grid.ndim - 1)
            for axis, matrix in enumerate(waves[:-1]):
                modes = applied(matrix, modes, axis)
            found.append(modes)
        return found

    def field(self, parts: Sequence[Modes]) -> Modes:
        """The ``count`` lowest modes, in the first box, of the sum of what the outer boxes add."""
        total = np.zeros([self.count] * self.window.ndim)
        for waves, (real, imag), part in zip(self._waves, self._last, parts, strict=True):
            half = part.copy()
            half[..., 1:] *= 2.0  # a real field: the other half is conjugate
            for axis, matrix in enumerate(waves[:-1]):
                half = applied(matrix.conj().T, half, axis)
            for back, one in ((real, half.real), (imag, half.imag)):
                total += applied(back.T, np.ascontiguousarray(one), one.ndim - 1)
        level = float(total[(self.count // 2,) * total.ndim])  # the window would turn it into a slope
        modes = fft.rfftn((total - level) * self.window, workers=self.threads, norm="forward")
        modes.flat[0] += level
        return np.asarray(modes)


N = TypeVar("N", bound=np.inexact)


def applied(matrix: NDArray[np.inexact], values: NDArray[N], axis: int) -> NDArray[N]:
    """``matrix`` times ``values`` along an axis.

    In small products: a large one is shared by BLAS among threads of its own, which spin while they wait for each
    other where the machine is busy: 10 us of work take 0.2 s then. A large matrix is not worth the pieces.
    """
    rows, length = matrix.shape
    found = np.empty((*values.shape[:axis], rows, *values.shape[axis + 1 :]), np.result_type(matrix, values))
    step = ALONE // (rows * length) or max(1, values.size)
    if axis == values.ndim - 1:
        flat, out = values.reshape(-1, length), found.reshape(-1, rows)
        for begin in range(0, len(flat), step):
            np.matmul(flat[begin : begin + step], matrix.T, out=out[begin : begin + step])
        return found
    old, new = np.moveaxis(values, axis, -2), np.moveaxis(found, axis, -2)
    for begin in range(0, old.shape[-1], step):
        here = (..., slice(begin, begin + step))
        np.matmul(matrix, old[here], out=new[here])
    return found


def _sharpness(accuracy: float) -> float:
    """Parameter of Kaiser's window whose waves end at the accuracy wanted."""
    return math.log(1.0 / (SHARE * accuracy))


def _window(away: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """1 up to `HELD`, 0 at 1/2, the integral of Kaiser's window in between, whose spectrum is the shortest."""
    u = np.linspace(-1.0, 1.0, 4001)
    steps = i0(beta * np.sqrt(1.0 - u * u)) / i0(beta)
    rise = np.concatenate([[0.0], np.cumsum(steps[1:] + steps[:-1])])
    return np.asarray(np.interp(away, 0.5 * (HELD + 0.5) + 0.5 * (0.5 - HELD) * u, 1.0 - rise / rise[-1]))
