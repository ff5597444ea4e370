"""Exact optimal assignment, proven over all pairs, in O(N) memory.

An auction with falling eps finds approximate prices. It starts between the centres of the largest cells of a k-d tree
and ends at the points; the prices and the matching of each level start the next. Prices from an earlier solve of nearly
the same clouds start the last level directly. Shortest augmenting paths then make the prices exact. Both use a short
list of columns for each row, which is renewed when prices have fallen too far. At the end the reduced costs of *all*
pairs are bounded without an N x N matrix. None may be negative, so the result is optimal over all N^2 pairs, up to the
rounding of costs to integers.

If that rounding is not small beside the value, for example with one particle far from all others, the solve is repeated
in finer units. No pair of an optimal matching costs more than the total of a known matching, so costs are cut there.
The cut changes no optimum, and the integers then resolve 2^-46 of it.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...base.threads import core_count, parallel_map
from ...errors import NumericalError
from ..base import Matching, matching_value
from . import AXES
from .auction import auction, augment, least_costs, looseness, violations
from .geometry import BEYOND, LARGEST_COST, Clouds, Lists, clouds, empty_lists, spatial_order

#: Points in a cell of the finest level and cells in a cell above it; number of cells of the coarsest level.
GROUP, COARSEST = 4, 30
#: First eps over the largest cost: at the coarsest level; and at the others, times their number of points.
FIRST, REFINED = 2.0**-3, 2.0**-1
#: Factor of eps between two auctions; number of bids a point below which prices have settled.
FALL, QUIET = 4.0, 5
#: Largest number of bids a distinct point at one level; the shortest paths do the rest. About 100 are usual, and 700
#: for log-normal radii with sigma = 4, where a limit of 350 took 3.5 s instead of 1.1 for N = 2000.
BIDS = 1000
#: Number of bids a point in one auction that shows a price war; a larger eps ends it sooner.
WAR = 60
#: Mean reduced cost of the pairs of ``start``, over the largest cost, above which the given prices do not help.
USELESS = 2.0**-8
#: Largest integer for which a sum of two is exact in float64.
LARGEST_PRICE = 2.0**52
#: Between these bounds, squares are normal float64 numbers.
LARGEST_ENTRY, SMALLEST_DIAMETER = 4e150, 1e-151
#: Largest gap relative to the mean cost, plus so many units a point; a larger gap needs finer units.
TOLERANCE, UNITS = 1e-7, 4.0
#: Relative margin, for rounding, of the cut above the cost of a known matching; largest number of units in a cost of 1.
MARGIN, FINEST = 2.0**-20, 1e280


class Certified:
    """Exact, with a certificate: ``gap`` bounds value minus optimum, from the rounding of costs to integers.

    The gap is about 2e-14 of the squared diameter, and at most 1e-7 of the value (1e-13 N of it beyond a million
    points). Data sets are solved in parallel on all cores. With permutations ``start`` and ``prices`` of nearly the
    same clouds a solve takes about half the time; ``start`` alone has no effect.

    In more than three dimensions boxes exclude few pairs; there the solver is POT's network simplex with N x N costs,
    whose potentials are checked over all pairs.

    Raises `NumericalError` if the certificate does not hold, for entries that are not finite, and for clouds beyond the
    range of float64.
    """

    exact = True
    devices = ("cpu",)
    takes_prices = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed  # the solver is deterministic

    def solve(
        self,
        x: NDArray[np.floating],
        y: NDArray[np.floating],
        start: NDArray[np.int64] | None = None,
        prices: NDArray[np.float64] | None = None,
    ) -> Matching:
        """As in the contract. ``prices`` (B, N) are the column prices, `Matching.prices` [1], that belong to
        ``start``."""

        def one(b: int) -> Assigned:
            return assign(x[b], y[b], None if start is None or prices is None else (start[b], prices[b]))

        if x.shape[2] > AXES:
            from ..pot import Emd

            return Emd().solve(x, y)
        matchings = parallel_map(one, range(len(x)), core_count())
        permutation, gap, u, v = (np.stack(part) for part in zip(*matchings, strict=True))
        return Matching(permutation, matching_value(x, y, permutation), "certified", gap, (u, v))


#: A permutation (N,), its proven gap, and the prices (N,) of rows and columns in units of the cost.
Assigned: TypeAlias = tuple[NDArray[np.int64], float, NDArray[np.float64], NDArray[np.float64]]
#: A permutation (N,) and prices of columns (N,).
Warm: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]


def assign(x: NDArray[np.floating], y: NDArray[np.floating], warm: Warm | None = None) -> Assigned:
    """Compute the optimal permutation of ``x`` (N, d) onto ``y`` (N, d), d <= 3, its proven gap, and the prices."""
    n, dim = x.shape
    if dim > AXES:
        raise NumericalError(f"the certified solver supports {AXES} dimensions, not {dim}", "use the solver emd")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise NumericalError("a cloud has entries that are not finite")
    p, q = np.zeros((n, 3)), np.zeros((n, 3))
    p[:, :dim], q[:, :dim] = x, y
    largest = max(np.abs(p).max(), np.abs(q).max())
    if not largest < LARGEST_ENTRY:
        raise NumericalError(f"a cloud has entries beyond {LARGEST_ENTRY:g}", "use other units")
    unit = 2.0 ** np.frexp(largest)[1]  # a power of two, so that scaling is exact
    p /= unit
    q /= unit
    # a translation by a changes only the prices: of rows by |a|^2 + 2 a.x, of columns by -2 a.y
    a = p.mean(0) - q.mean(0)
    wide, tall = p - p.mean(0), q - q.mean(0)
    diameter2 = float(((np.maximum(wide.max(0), tall.max(0)) - np.minimum(wide.min(0), tall.min(0))) ** 2).sum())
    diameter = diameter2**0.5 * unit
    if 0.0 < diameter < SMALLEST_DIAMETER:
        raise NumericalError(f"the clouds have a diameter of only {diameter:.1e}", "use other units")
    if n == 1 or diameter2 == 0.0:
        return np.arange(n), 0.0, ((x.astype(np.float64) - y) ** 2).sum(1), np.zeros(n)
    scale, guess = LARGEST_COST / diameter2, None
    if warm is not None and np.array_equal(np.sort(warm[0]), np.arange(n)):
        with np.errstate(over="ignore", invalid="ignore"):
            guess = warm[0], np.round((warm[1] / unit**2 + 2 * tall @ a) * scale)
    permutation, u, v = _optimal(wide, tall, scale, guess)
    u, v = u + 2 * wide @ a + a @ a, v - 2 * tall @ a
    value, gap = _mean_cost(p, q, permutation), 1.25 / scale
    while gap > max(TOLERANCE, UNITS * n / LARGEST_COST) * value > 0.0:
        scale = LARGEST_COST / (n * value * (1.0 + MARGIN))
        if not scale < FINEST:
            raise NumericalError(f"no certificate for clouds with distances from {diameter * value**0.5:.0e} "
                                 f"to {diameter:.0e}", "remove the particles that are far away")  # fmt: skip
        with np.errstate(over="ignore"):
            guess = permutation, np.maximum(np.round((v - v.max()) * scale), -2 * LARGEST_COST)
        permutation, u, v = _optimal(p, q, scale, guess, LARGEST_COST)
        value, gap = _mean_cost(p, q, permutation), 1.25 / scale
    return permutation, min(gap, value) * unit**2, u * unit**2, v * unit**2


def _mean_cost(x: NDArray[np.float64], y: NDArray[np.float64], permutation: NDArray[np.int64]) -> float:
    return float(((x - y[permutation]) ** 2).sum(1).mean())


def _optimal(
    x: NDArray[np.float64], y: NDArray[np.float64], scale: float, guess: Warm | None, most: float = BEYOND
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Optimal permutation for |x_i - y_j|^2 in units of 1 / ``scale``, cut at ``most`` units, and the prices.

    ``x`` and ``y`` are (N, 3); ``guess`` is an approximate permutation with column prices in those units. The returned
    prices are in units of the cost. They prove optimality, in the mean over pairs, up to half a unit for the rounding
    of the result's costs, half a unit for those of the optimum, and a quarter for floating point.
    """
    n = len(x)
    rows, columns = spatial_order(x, GROUP), spatial_order(y, GROUP)
    xs, ys = x[rows], y[columns]
    c, lists, eps = clouds(xs, ys, scale, most), empty_lists(n), np.inf
    if guess is not None:
        with np.errstate(invalid="ignore"):
            matched, v = _inverse(columns)[guess[0]][rows], guess[1][columns]
            v -= v.max()
        if np.abs(v).max() < LARGEST_PRICE:  # false for nan
            eps = looseness(c, lists, v, matched)
    if eps > USELESS * LARGEST_COST:
        lists = empty_lists(n)
        matched, v = _from_cells(xs, ys, scale, most)
        eps = REFINED / n * LARGEST_COST
    _descend(c, lists, v, matched, eps)
    # the auction leaves prices of similar columns up to eps apart, with long detours between them. Raise all prices as
    # far as duality allows, which levels them
    feasible = least_costs(clouds(ys, xs, scale, most), empty_lists(n), least_costs(c, lists, v))
    lists.bound[:] -= (feasible - v).max()
    v = feasible
    u = augment(c, lists, v, matched)
    unproven = violations(c, u, v, matched) or max(np.abs(u).max(), np.abs(v).max()) > LARGEST_PRICE
    if unproven or (((xs - ys[matched]) ** 2).sum(1) * scale).max() >= most:
        raise NumericalError(f"no certificate for N = {n}", "use the solver emd")
    permutation, row_prices, column_prices = np.empty(n, np.int64), np.empty(n), np.empty(n)
    permutation[rows], row_prices[rows], column_prices[columns] = columns[matched], u / scale, v / scale
    return permutation, row_prices, column_prices


def _descend(c: Clouds, lists: Lists, v: NDArray[np.float64], matched: NDArray[np.int64], eps: float) -> None:
    """Run auctions in place with falling eps, until most rows keep their column at the next eps.

    The number of bids is limited, since among coincident points prices never settle at eps = 1.
    """
    n, distinct = len(v), min(_distinct(c.x), _distinct(c.y.T))
    left = BIDS * distinct
    while left > 0:
        most = min(left, WAR * n)
        freed, bids = auction(c, lists, v, matched, max(1.0, np.floor(eps)), most)
        left -= bids
        highest = v.max()  # if all columns are contested, all prices fall without end
        v -= highest
        lists.bound[:] += highest
        if eps <= 1.0 or (2 * freed > n and bids < QUIET * n):
            return
        eps = eps / FALL if bids < most else min(eps * FALL**3, LARGEST_COST)


def _from_cells(
    x: NDArray[np.float64], y: NDArray[np.float64], scale: float, most: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Partial matching (-1 for free rows) and column prices of spatially ordered clouds, from coarser levels."""
    n = len(x)
    if n <= COARSEST:
        return np.full(n, -1), np.zeros(n)
    rows, columns = _cell_means(x), _cell_means(y)
    cells = len(rows)
    matched, v = _from_cells(rows, columns, scale, most)
    c = clouds(rows, columns, scale, most)
    eps = FIRST if cells <= COARSEST else REFINED / n
    _descend(c, empty_lists(cells), v, matched, eps * LARGEST_COST)
    # a point's price is what the row of its cell would pay for it: |x - y_j|^2 - u
    owner = _inverse(matched)
    centre = rows[owner]
    u = np.minimum(((centre - columns) ** 2).sum(1) * scale, most) - v
    parent = np.arange(n) // GROUP
    prices = np.floor(np.minimum(((centre[parent] - y) ** 2).sum(1) * scale, most) - u[parent])
    # match the points of a cell to those of its match, in order; an incomplete last cell stays free
    finer = np.full(n, -1)
    full = np.flatnonzero((np.arange(cells) < n // GROUP) & (matched < n // GROUP) & (matched >= 0))
    inside = np.arange(GROUP)
    finer[full[:, None] * GROUP + inside] = matched[full][:, None] * GROUP + inside
    return finer, prices


def _distinct(points: NDArray[np.float64]) -> int:
    """Approximate number of distinct points, given in spatial order."""
    return 1 + int((points[1:] != points[:-1]).any(1).sum())


def _cell_means(points: NDArray[np.float64]) -> NDArray[np.float64]:
    first = np.arange(0, len(points), GROUP)
    return np.add.reduceat(points, first, axis=0) / np.minimum(GROUP, len(points) - first)[:, None]


def _inverse(permutation: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of each column; 0 for columns that a partial matching leaves free."""
    place = np.zeros(len(permutation), np.int64)
    rows = np.flatnonzero(permutation >= 0)
    place[permutation[rows]] = rows
    return place
