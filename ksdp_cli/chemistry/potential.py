"""The potential of any kernel, and c as its sum over the particles: what an elliptic chemical is between them.

A particle of unit mass makes c(r) with -c'(r) = g(r^2) r. It is fixed by what it is far away: the Green's function,
-log(r) / (2 pi) in the plane and 1 / (4 pi r) in space, or 0 for a kernel that is screened.
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

#: Intervals of the table between r^2 and 2 r^2: linear between them, the error is below 4e-7 of 1 / (4 pi).
FINE = 512
#: Octaves of r^2 below delta^2, where c no longer changes, and beyond the cloud, where the kernel is the true one.
BELOW, BEYOND = 16, 40
#: Points of a piece of work.
PIECE = 256


class Potential:
    """c(r) of a kernel in ``dim`` dimensions for distances up to ``reach``, as a table over r^2."""

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
        # m, the part of the mass that is seen from afar: r^2 g is m / (2 pi) in the plane, m / (4 pi r) in space
        last_value = -far * beyond * math.log(far) / 2 if dim == 2 else far * beyond
        values = last_value + np.concatenate([np.cumsum(parts[::-1])[::-1], [0.0]])
        self.low, self.high = float(ends[0]), float(coarse[0])
        self.values = np.ascontiguousarray(values[: len(fine) + 1])
        self.slopes = np.diff(self.values) / np.diff(ends[: len(fine) + 1])

    def at(self, points: Sequence[NDArray[np.float64]], x: Cloud, threads: int | None = None) -> NDArray[np.float64]:
        """Sum over particles ``x`` (J, d) at ``points``, one array (n,) an axis: (n,), to the bit for any threads."""
        axes = np.ascontiguousarray(np.asarray(x, np.float64).T)
        targets = np.ascontiguousarray(np.stack(points))
        total = np.zeros(targets.shape[1])

        def piece(begin: int) -> None:
            here = slice(begin, begin + PIECE)
            _add(targets[:, here], axes, self.low, self.high, self.first, self.values, self.slopes, total[here])

        parallel_map(piece, range(0, len(total), PIECE), threads or core_count())
        return total


@njit(nogil=True, error_model="numpy", cache=True)
def _add(targets, axes, low, high, first, values, slopes, total):  # type: ignore[no-untyped-def]
    """Add the potentials of all particles to ``total``; a coincident pair counts as one at the table's beginning."""
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
        found = 0.0
        for i in range(count):
            s = min(max(r2[i], low), high)
            bits = np.float64(s).view(np.int64)
            k = (bits >> 43) - ((first + 1023) << 9)  # the exponent and the 9 leading digits, FINE = 2^9
            k = min(k, slopes.size - 1)
            start = np.int64((bits >> 43) << 43).view(np.float64)
            found += values[k] + slopes[k] * (s - start)
        total[j] += found
