"""The pair sum of the plane on a particle mesh, for a kernel regularised by delta, in free space, in O(J + n log n).

Forces are -grad of the potential phi with phi' = g(r^2) r. B-splines deposit the particles on cells of side delta / c.
The grid is doubled, so that no periodic image acts (Hockney and Eastwood, Computer Simulation Using Particles, 1988),
and the spline's transform is divided out twice. The spectrum of a kernel that is smooth on the scale delta ends there,
so no near-field correction is needed. c is chosen by the error measured on the current cloud, like the tree's order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ...base.shapes import Cloud
from ...base.threads import core_count, parallel_map
from ...errors import ResourceError
from ..engines.direct_cpu import compile_direct
from ..kernel_compiler.source import array_function
from ..tree.accuracy import SAMPLE, Rung, Tuner, sampled_error
from ..world import Alone, World, share_of
from .splines import Grid, Splines

#: Splines and their coefficients on the nodes.
Potential = tuple[Splines, Grid]

ORDER = 6
#: Numbers of cells in delta; each is about 2.4 times as accurate as the one before on an aggregated cloud. Measured:
#: 2e-2 for 1 to 4e-6 for 4.
CELLS = tuple(1.0 + 0.3 * k for k in range(14))
#: Cells outside the cloud on each axis of the doubled grid. The splines reach ORDER of them; over the rest the
#: potential falls smoothly to 0, since a kink would disturb the whole cloud.
MARGIN = 6 * ORDER
#: Points of the table of the potential in delta; quadrature nodes between two points.
TABLE, NODES = 32, 6
#: Largest number of nodes of the doubled grid: 256 MiB in float64; a force needs five such grids.
MOST = 1 << 25


class MeshEngine:
    """F_j = sum over i != j of g(r_ij^2) (X_i - X_j), equation (8) without its factor, in the plane.

    ``accuracy`` is the target for the relative l2 error of the force, ``most`` the largest number of grid nodes. The
    result depends on the set of particles, on the number of the call and on `state`, but not on the order of particles
    or the number of threads. A call raises `ResourceError` if the grid needs more nodes.
    """

    name = "mesh"

    def __init__(
        self,
        kernel: object,
        kernel_args: tuple[float, ...],
        dtype: str,
        accuracy: float = 1e-4,
        threads: int | None = None,
        most: float = MOST,
        world: World | None = None,
    ) -> None:
        self.g = array_function(kernel, 2)
        self.reference = compile_direct(kernel, 2, "float64")
        self.args, self.delta = kernel_args, math.sqrt(kernel_args[0])
        self.threads, self.most = threads or core_count(), most
        self.world = world or Alone()
        self.dtype = np.dtype(dtype)
        self.tuner = Tuner(accuracy, [Rung(cells, 0.0, 1.0, 0) for cells in CELLS])
        self._symbol = lru_cache(4)(self._green)

    def __call__(self, x: Cloud) -> Cloud:
        """Forces in the type of ``x`` (J, 2): (J, 2), or on ranks of a world those of this rank's share of particles.

        They are NaN when a position is not finite.
        """
        positions = np.ascontiguousarray(x, self.dtype)
        low, high = share_of(len(x), self.world)
        if len(x) < 2 or not np.isfinite(positions).all():
            return np.full((high - low, 2), 0.0 if len(x) < 2 else np.nan, x.dtype)
        axes = [np.ascontiguousarray(axis) for axis in positions.T]
        potential = self.tuner.run(
            lambda rung: self._potential_of(axes, rung.order), lambda found, n: self._error(positions, axes, found, n)
        )
        force = _force(potential, [axis[low:high] for axis in axes])
        return np.ascontiguousarray(force.T.astype(x.dtype, copy=False))

    def nodes(self, x: Cloud) -> float:
        """Number of grid nodes for positions ``x`` (J, 2) at the current setting."""
        extent = np.ptp(np.asarray(x, np.float64), axis=0) / (self.delta / self._cells())
        return float(np.prod(2.0 * (extent + MARGIN)))

    def report(self) -> dict[str, object]:
        tuning = self.tuner.report()
        names = ("target", "error", "max_error", "worst_error", "met", "checked_at_call")
        return {
            "engine": self.name,
            "threads": self.threads,
            "cells_a_delta": self._cells(),
            "spline_order": ORDER,
            **{name: tuning[name] for name in names},
        }

    def state(self) -> dict[str, object]:
        """Return what a resumed run needs to repeat to the bit."""
        return self.tuner.state()

    def restore(self, state: dict[str, object]) -> None:
        """Continue from the `state` of another engine of this class."""
        self.tuner.restore(state)

    def _cells(self) -> float:
        return float(self.tuner.rungs[self.tuner.rung].order)

    def _run(self, task: Callable[[int], object], items: Iterable[int]) -> list[object]:
        return parallel_map(task, items, self.threads)

    def _error(
        self, x: Cloud, axes: list[NDArray[np.floating]], potential: Potential, number: int
    ) -> tuple[float, float]:
        sample = _sample(axes, number)
        force = _force(potential, [axis[sample] for axis in axes])
        return sampled_error(self.reference, self.args, x, force.T, sample, self._run, self.world)

    def _potential_of(self, axes: list[NDArray[np.floating]], cells: float) -> Potential:
        """A deposit, which ranks share, and one transform and back, which each makes: the same numbers as on one."""
        h = self.delta / cells
        low = [h * (math.floor(float(axis.min()) / h) - 1) for axis in axes]
        extents = [(float(axis.max()) - corner) / h for axis, corner in zip(axes, low, strict=True)]
        shape = tuple(_length(2 * (math.ceil(extent) + MARGIN)) for extent in extents)
        if math.prod(shape) > self.most:
            raise ResourceError(f"{math.prod(shape):.3g} nodes, more than {self.most:.3g}", "use the tree engine")
        splines = Splines(ORDER, shape, low, h, self.threads)
        modes = fft.rfftn(splines.deposit(axes, world=self.world), workers=self.threads)
        modes *= self._symbol(shape, h)
        return splines, fft.irfftn(modes, s=shape, workers=self.threads)

    def _green(self, shape: tuple[int, int], h: float) -> NDArray[np.float64]:
        """Transform (real) of the potential on the doubled grid, divided by the square of the spline's transform."""
        cells = [np.abs(np.fft.fftfreq(n, 1 / n)) for n in shape]
        r = h * np.hypot(cells[0][:, None], cells[1][None, :])
        window = [_window(away, n // 2) for away, n in zip(cells, shape, strict=True)]
        potential = self._potential(r) * window[0][:, None] * window[1][None, :]
        symbol: NDArray[np.float64] = fft.rfftn(potential, workers=self.threads).real
        for axis, n in enumerate(shape):
            turns = np.fft.rfftfreq(n) if axis else np.fft.fftfreq(n)
            symbol /= (np.sinc(turns) ** (2 * ORDER)).reshape((1, -1) if axis else (-1, 1))
        return symbol

    def _potential(self, r: NDArray[np.float64]) -> NDArray[np.float64]:
        """phi(r) = int_0^r g(s^2) s ds, by Gauss-Legendre between table points and cubic interpolation."""
        from scipy.interpolate import CubicHermiteSpline

        far = float(r.max()) / self.delta
        # spacing delta / TABLE near the origin and proportional to r outside
        steps = math.ceil(TABLE * (4.0 + 8.0 * math.log1p(far)))
        table = self.delta * np.expm1(np.linspace(0.0, math.log1p(far * (1 + 1e-9)), steps + 1))
        u, weight = np.polynomial.legendre.leggauss(NODES)
        middle, half = (table[1:] + table[:-1]) / 2, np.diff(table) / 2
        s = middle[:, None] + half[:, None] * u
        parts = (self.g(s**2 + 1e-24, *self.args) * s * weight).sum(1) * half
        values = np.concatenate([[0.0], np.cumsum(parts)])
        slopes = self.g(table**2 + 1e-24, *self.args) * table
        return np.asarray(CubicHermiteSpline(table, values, slopes)(r))


def _force(potential: Potential, axes: list[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Minus the gradient (2, n) at positions given axis by axis."""
    splines, coefficients = potential
    value, gradient = np.zeros(axes[0].size), np.zeros((2, axes[0].size))
    splines.gather(coefficients, axes, value, gradient)
    return np.negative(gradient, out=gradient)


def _sample(axes: list[NDArray[np.floating]], number: int) -> NDArray[np.int64]:
    """Indices of the particles whose force is checked at call ``number``: those with the smallest position hashes.

    A draw by index would depend on the order of particles. The hash is the mixing function of splitmix64.
    """
    key = np.full(axes[0].size, number + 1, np.uint64)
    for axis in axes:
        key += (axis.astype(np.float64) + 0.0).view(np.uint64)  # -0 is 0
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            key ^= key >> np.uint64(shift)
            key *= np.uint64(factor)
        key ^= key >> np.uint64(31)
    count = min(SAMPLE, key.size)
    smallest = np.argpartition(key, count - 1)[:count]
    return smallest[np.argsort(key[smallest], kind="stable")]


def _window(away: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """1 up to the largest distance of two particles, 0 at half the doubled grid, smooth in between."""
    from scipy.special import erfc

    reach = MARGIN - ORDER
    return np.asarray(0.5 * erfc(8.0 * ((away - (half - reach)) / reach - 0.5)))


def _length(n: int) -> int:
    """A fast transform length >= ``n``, from a coarse set, so that it rarely changes while a cloud grows."""
    unit = 1 << max(0, n.bit_length() - 4)
    return int(fft.next_fast_len(-(-n // unit) * unit, real=True))
