"""The potential K of any kernel, tabulated, and the elliptic chemical c as its sum over the particles.

K solves -K'(r) = g(r^2) r. Its constant follows from the far field: the Green's function, -log(r) / (2 pi) in the plane
and 1 / (4 pi r) in space, or 0 for a screened kernel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..base.compiled import njit
from ..base.shapes import Cloud
from ..base.threads import core_count, parallel_map
from ..particles.kernel_compiler.source import array_function

#: Intervals of the table in each octave of r^2; linear interpolation then errs by less than 4e-7 of 1 / (4 pi).
FINE = 512
#: Octaves of r^2 tabulated below delta^2, where K is constant, and beyond the cloud, where g is the Green's function's.
BELOW, BEYOND = 16, 40
#: Points of one task of a thread.
PIECE = 256


class Potential:
    """K(r) of ``kernel`` with arguments ``args`` in ``dim`` dimensions, for r <= ``reach`` [length], as a table in
    r^2."""

    def __init__(self, kernel: object, args: tuple[float, ...], dim: int, reach: float) -> None:
        g = array_function(kernel, dim)
        near = min(args[0] or math.inf, (1e-6 * reach) ** 2)
        self.first = math.floor(math.log2(near)) - BELOW
        last = math.ceil(math.log2(max(reach**2, args[0]))) + 1
        fractions = np.arange(FINE) / FINE
        fine = np.concatenate([2.0**k * (1.0 + fractions) for k in range(self.first, last)])
        coarse = 2.0 ** (last + np.arange(2 * BEYOND + 1) / 2)
        ends = np.concatenate([fine, coarse])
        u, weight = np.polynomial.legendre.leggauss(6)
        middle, half = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
        with np.errstate(under="ignore", over="ignore"):
            parts = 0.5 * half * (g(middle[:, None] + half[:, None] * u, *args) * weight).sum(1)
            far, beyond = ends[-1], float(g(ends[-1:], *args)[0])
        # far away r^2 g = m / (2 pi) in the plane and m / (4 pi r) in space; m is the unscreened part of the mass
        last_value = -far * beyond * math.log(far) / 2 if dim == 2 else far * beyond
        values = last_value + np.concatenate([np.cumsum(parts[::-1])[::-1], [0.0]])
        self.low, self.high = float(ends[0]), float(coarse[0])
        self.values = np.ascontiguousarray(values[: len(fine) + 1])
        self.slopes = np.diff(self.values) / np.diff(ends[: len(fine) + 1])
        with np.errstate(under="ignore", over="ignore"):
            self.pulls = np.ascontiguousarray(g(ends[: len(fine) + 1], *args), np.float64)
        self.bends = np.diff(self.pulls) / np.diff(ends[: len(fine) + 1])

    def gradient_at(
        self, points: Sequence[NDArray[np.float64]], x: Cloud, threads: int | None = None
    ) -> NDArray[np.float64]:
        """Gradient (d, n) of `at`: the sum of g(r^2) (X_i - y)."""
        axes = np.ascontiguousarray(np.asarray(x, np.float64).T)
        targets = np.ascontiguousarray(np.stack(points))
        total = np.zeros_like(targets)

        def piece(begin: int) -> None:
            part = slice(begin, begin + PIECE)
            table = (self.low, self.high, self.first, self.pulls, self.bends)
            _add_gradient(targets[:, part], axes, *table, total[:, part])

        parallel_map(piece, range(0, targets.shape[1], PIECE), threads or core_count())
        return total

    def at(self, points: Sequence[NDArray[np.float64]], x: Cloud, threads: int | None = None) -> NDArray[np.float64]:
        """Sum of K over the particles ``x`` (J, d) at ``points``, one array (n,) an axis. Returns (n,), equal to the
        bit for any number of threads."""
        axes = np.ascontiguousarray(np.asarray(x, np.float64).T)
        targets = np.ascontiguousarray(np.stack(points))
        total = np.zeros(targets.shape[1])

        def piece(begin: int) -> None:
            part = slice(begin, begin + PIECE)
            _add(targets[:, part], axes, self.low, self.high, self.first, self.values, self.slopes, total[part])

        parallel_map(piece, range(0, len(total), PIECE), threads or core_count())
        return total


@njit(nogil=True, error_model="numpy", cache=True)
def _add(targets, axes, low, high, first, values, slopes, total):  # type: ignore[no-untyped-def]
    """Add the potentials of all particles to ``total``; a smaller r^2 than the table's first counts as that one."""
    dim, count = axes.shape
    r2 = np.empty(count)
    for j in range(total.size):
        for i in range(count):
            d = axes[0, i] - targets[0, j]
            r2[i] = d * d
        for axis in range(1, dim):
            for i in range(count):
                d = axes[axis, i] - targets[axis, j]
                r2[i] += d * d
        potential = 0.0
        for i in range(count):
            s = min(max(r2[i], low), high)
            bits = np.float64(s).view(np.int64)
            k = (bits >> 43) - ((first + 1023) << 9)  # the exponent and the 9 leading digits, FINE = 2^9
            k = min(k, slopes.size - 1)
            start = np.int64((bits >> 43) << 43).view(np.float64)
            potential += values[k] + slopes[k] * (s - start)
        total[j] += potential


@njit(nogil=True, error_model="numpy", cache=True)
def _add_gradient(targets, axes, low, high, first, values, slopes, total):  # type: ignore[no-untyped-def]
    """Add the gradients of the potentials of all particles to ``total`` (d, n); ``values`` holds g in r^2."""
    dim, count = axes.shape
    for j in range(total.shape[1]):
        for i in range(count):
            r2 = 0.0
            for axis in range(dim):
                d = axes[axis, i] - targets[axis, j]
                r2 += d * d
            s = min(max(r2, low), high)
            bits = np.float64(s).view(np.int64)
            k = min((bits >> 43) - ((first + 1023) << 9), slopes.size - 1)
            start = np.int64((bits >> 43) << 43).view(np.float64)
            g = values[k] + slopes[k] * (s - start)
            for axis in range(dim):
                total[axis, j] += g * (axes[axis, i] - targets[axis, j])
