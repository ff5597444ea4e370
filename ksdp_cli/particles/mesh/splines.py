"""Deposit and interpolation by B-splines on a periodic grid, with sums independent of the order of particles.

A particle at u = (x - low) / h deposits its unit weight on p nodes from floor(u) on, centred p / 2 - 1 cells after it;
`symbol` has the Fourier factors of that shift and of the spline. Each weight is rounded to a multiple of a quantum so
small that the sum of J weights is exact in float64. The grid's bits therefore depend on the set of particles alone, not
on their order, on threads or on ranks.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from importlib.resources import files
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ...base.threads import core_count, parallel_map
from ..kernel_compiler.module_cache import import_text
from ..kernel_compiler.source import for_dimension
from ..world import World, share_of

Grid = NDArray[np.float64]
#: A part of the nodes: one range for each axis.
Window = tuple[slice, ...]
#: Supported orders (4 is cubic). Particles of a task. Bytes for the grids of all threads.
ORDERS, PIECE, ROOM = (4, 6, 8), 1 << 16, 1 << 30


@functools.cache
def loops(order: int, dim: int) -> ModuleType:
    """Compile ``deposit`` and ``gather`` for an order in 2D or 3D."""
    text = files("ksdp_cli.particles.mesh").joinpath("loops.txt").read_text().replace("@ORDER@", str(order))
    return import_text(for_dimension(text, dim), f"mesh_{order}_{dim}d")


class Splines:
    """B-splines of ``order`` on a periodic grid of ``cells`` (d,) of side ``h``, from the corner ``low`` (d,)."""

    def __init__(
        self, order: int, cells: Sequence[int], low: Sequence[float], h: float, threads: int | None = None
    ) -> None:
        self.order, self.dim, self.h = order, len(cells), h
        self.cells = np.array(cells, np.int64)
        self.low = np.array(low, np.float64)
        self.threads = threads or core_count()
        self.loops = loops(order, self.dim)

    def window(self, axes: Sequence[NDArray[np.floating]]) -> Window:
        """The nodes that the splines of these particles touch, along each axis but the last; all of the last one, and
        of every one where a spline reaches around an edge."""
        if not self._inside(axes):
            return tuple(slice(0, int(n)) for n in self.cells)
        ends = [
            [math.floor((float(end) - low) * (1.0 / self.h)) for end in (axis.min(), axis.max())]
            for axis, low in zip(axes[:-1], self.low, strict=False)
        ]
        return (*(slice(first, last + self.order) for first, last in ends), slice(0, int(self.cells[-1])))

    def deposit(
        self, axes: Sequence[NDArray[np.floating]], window: Window | None = None, world: World | None = None
    ) -> Grid:
        """Sum of the splines of all particles on the grid, or on the `window` of these particles; ``axes`` holds one
        array of positions an axis. The ranks of a ``world`` share them out, and all have the sum."""
        low, high = share_of(axes[0].size, world) if world else (0, axes[0].size)
        n, inside = axes[0].size, self._inside(axes)
        shape = tuple(int(c) + (0 if inside else self.order - 1) for c in self.cells)
        first = np.zeros(self.dim, np.int64)
        if window and inside:
            shape, first = tuple(s.stop - s.start for s in window), np.array([s.start for s in window], np.int64)
        count = max(1, min(self.threads, ROOM // (8 * math.prod(shape)), -(-(high - low) // PIECE)))
        grids = np.zeros((count, *shape))
        # 1.5 * 2^52 quanta; a node may hold all n particles
        magic = 1.5 * 2.0 ** math.ceil(math.log2(max(n, 2)))
        size = -(-(high - low) // count)

        def part(k: int) -> None:
            some = [axis[low + k * size : min(low + (k + 1) * size, high)] for axis in axes]
            self.loops.deposit(*some, self.low, 1.0 / self.h, self.cells, first, grids[k], magic)

        parallel_map(part, range(count), count)
        for other in grids[1:]:
            grids[0] += other
        if world:
            world.total(grids[0])  # exact, as the sum over particles is
        return np.asarray(grids[0]) if inside else self._fold(grids[0])

    def gather(
        self,
        coefficients: Grid,
        axes: Sequence[NDArray[np.floating]],
        value: Grid,
        gradient: Grid,
        window: Window | None = None,
    ) -> None:
        """Add the spline function of ``coefficients`` and its gradient to ``value`` (n,) and ``gradient`` (d, n). They
        are those of all nodes, or of the `window` of these particles."""
        inside, first = self._inside(axes), np.zeros(self.dim, np.int64)
        if window and inside:
            first = np.array([s.start for s in window], np.int64)
        if not inside:
            coefficients = np.pad(coefficients, [(0, self.order - 1)] * self.dim, mode="wrap")

        def part(begin: int) -> None:
            piece = slice(begin, begin + PIECE)
            self.loops.gather(
                *(axis[piece] for axis in axes),
                self.low,
                1.0 / self.h,
                self.cells,
                first,
                coefficients,
                value[piece],
                *(row[piece] for row in gradient),
            )

        parallel_map(part, range(0, axes[0].size, PIECE), self.threads)

    def symbol(self) -> list[Grid]:
        """For each axis, the Fourier transform of the spline over that of a point, at the modes of `numpy.fft.fftfreq`.

        It is complex, since the spline is not centred on the point. The last axis has the modes of `rfftfreq`.
        """
        factors = []
        for axis, n in enumerate(self.cells):
            turns = np.fft.rfftfreq(n) if axis == self.dim - 1 else np.fft.fftfreq(n)
            factors.append(np.sinc(turns) ** self.order * np.exp(-2j * math.pi * turns * (self.order / 2 - 1)))
        return factors

    def _inside(self, axes: Sequence[NDArray[np.floating]]) -> bool:
        """Whether no spline crosses an edge."""
        ends = self.low + self.h * (self.cells - self.order)
        bounds = zip(axes, self.low, ends, strict=True)
        return all(float(axis.min()) >= low and float(axis.max()) <= end for axis, low, end in bounds)

    def _fold(self, grid: Grid) -> Grid:
        """Add the nodes past the end of each axis to its start. Exact, like all these sums."""
        for axis, n in enumerate(self.cells):
            inside, beyond = np.split(grid, [n], axis)
            where = [slice(None)] * self.dim
            for first in range(0, beyond.shape[axis], int(n)):  # several turns if the grid is tiny
                more = np.take(beyond, range(first, min(first + int(n), beyond.shape[axis])), axis)
                where[axis] = slice(0, more.shape[axis])
                inside[tuple(where)] += more
            grid = inside
        return np.ascontiguousarray(grid)
