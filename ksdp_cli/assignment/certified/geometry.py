"""Compiled geometry of an assignment: integer costs, points in spatial order, the cheapest columns of a row.

Costs |x_i - y_j|^2 are rounded to integers and cut at 2^46. Costs and prices are float64, so that sums and differences
are exact. A row keeps a short list of the columns j with least c_ij - v_j. Prices v only fall, so a bound for columns
off the list stays valid until the list is renewed.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...base.compiled import njit

Reals: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]
Point: TypeAlias = tuple[float, float, float]
#: Number of a row or column.
Place: TypeAlias = int | np.int64

#: Points of a block. A row skips a block if the box and the highest price of the block exclude it.
BLOCK = 32
#: Length of a row's list.
LISTED = 8
#: The largest cost, and a number above all costs.
LARGEST_COST, BEYOND = 2.0**46, 2.0**52
#: Bound of the rounding of a float64 estimate of a cost, in units; factor that makes squares of far points too small
#: rather than too large.
ROOM, SHRUNK = 4.0, 1.0 - 2.0**-48


class Clouds(NamedTuple):
    """Both clouds in spatial order, padded to three axes, and the boxes of the blocks of columns.

    ``x`` (N, 3), ``y`` (3, N), ``square`` (N,) a lower bound of scale |y_j|^2, ``low`` and ``high`` (3, blocks) the
    corners of the boxes. ``most`` is the largest cost of a pair.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    square: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    scale: float
    most: float


class Lists(NamedTuple):
    """``columns`` and ``costs`` (N, k) of each row's list; other columns have c_ij - v_j >= ``bound`` (N,)."""

    columns: NDArray[np.int64]
    costs: NDArray[np.float64]
    bound: NDArray[np.float64]


def clouds(x: NDArray[np.float64], y: NDArray[np.float64], scale: float, most: float = BEYOND) -> Clouds:
    """Build `Clouds` from ``x`` and ``y`` (N, 3) in spatial order."""
    first = np.arange(0, len(y), BLOCK)
    tall = np.ascontiguousarray(y.T)
    low, high = np.minimum.reduceat(tall, first, axis=1), np.maximum.reduceat(tall, first, axis=1)
    return Clouds(np.ascontiguousarray(x), tall, (tall**2).sum(0) * (scale * SHRUNK), low, high, scale, most)


def empty_lists(n: int) -> Lists:
    """Empty lists; the first use of a row replaces its list."""
    k = min(LISTED, n)
    return Lists(np.zeros((n, k), np.int64), np.full((n, k), np.inf), np.full(n, -np.inf))


@njit(cache=True, nogil=True)
def spatial_order(points: Reals, leaf: int) -> Places:
    """Order (N,) in which each aligned run of leaf * 2^k points is a cell of a k-d tree, split across its widest
    axis."""
    order = np.arange(len(points))
    stack = [(0, len(points))]
    while len(stack) > 0:
        first, last = stack.pop()
        if last - first <= leaf:
            continue
        axis, widest = 0, -1.0
        for k in range(points.shape[1]):
            low, high = np.inf, -np.inf
            for q in range(first, last):
                low, high = min(low, points[order[q], k]), max(high, points[order[q], k])
            if high - low > widest:
                axis, widest = k, high - low
        keys = np.empty(last - first)
        for q in range(first, last):
            keys[q - first] = points[order[q], axis]
        order[first:last] = order[first:last][np.argsort(keys)]
        half = leaf
        while 2 * half < last - first:
            half *= 2
        stack.append((first, first + half))
        stack.append((first + half, last))
    return order


@njit(cache=True, nogil=True, inline="always")
def cost(c: Clouds, i: Place, j: Place) -> float:
    """Integer cost of a pair; solver and certificate share this definition."""
    square = (c.x[i, 0] - c.y[0, j]) ** 2 + (c.x[i, 1] - c.y[1, j]) ** 2 + (c.x[i, 2] - c.y[2, j]) ** 2
    rounded: float = min(np.round(square * c.scale), c.most)
    return rounded


@njit(cache=True, nogil=True)
def highest_prices(v: Reals, top: Reals) -> None:
    """top <- highest price in each block; stays an upper bound when prices fall."""
    for b in range(len(top)):
        top[b] = v[b * BLOCK : (b + 1) * BLOCK].max()


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nnan", "ninf", "nsz"})
def block_bounds(c: Clouds, i: Place, top: Reals, out: Reals) -> None:
    """out <- lower bound of c_ij - v_j in each block."""
    a0, a1, a2 = c.x[i, 0], c.x[i, 1], c.x[i, 2]
    low0, low1, low2 = c.low[0], c.low[1], c.low[2]
    high0, high1, high2 = c.high[0], c.high[1], c.high[2]
    for b in range(len(top)):
        d0 = max(max(low0[b] - a0, a0 - high0[b]), 0.0)
        d1 = max(max(low1[b] - a1, a1 - high1[b]), 0.0)
        d2 = max(max(low2[b] - a2, a2 - high2[b]), 0.0)
        out[b] = min((d0 * d0 + d1 * d1 + d2 * d2) * c.scale, c.most) - top[b] - ROOM


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nnan", "ninf", "nsz"})
def estimate(
    square: Reals, v: Reals, y0: Reals, y1: Reals, y2: Reals, a: Point, lift: float, most: float, out: Reals
) -> float:
    """out <- min(lift + square - a.y, most) - v over columns; return its minimum. Vectorised, exact up to rounding."""
    least = np.inf
    a0, a1, a2 = a
    for j in range(square.size):
        out[j] = min(lift + square[j] - a0 * y0[j] - a1 * y1[j] - a2 * y2[j], most) - v[j]
        least = min(least, out[j])
    return least


@njit(cache=True, nogil=True)
def renew_list(c: Clouds, lists: Lists, v: Reals, top: Reals, i: Place, bounds: Reals, work: Reals) -> None:
    """Renew the list of row i with the columns of least c_ij - v_j; ``bounds`` (blocks,), ``work`` (BLOCK + k,)."""
    columns, costs = lists.columns[i], lists.costs[i]
    k, n = len(columns), len(v)
    block_bounds(c, i, top, bounds)
    # the old list gives an upper limit, and the block to start with
    limit, least, home = -np.inf, np.inf, np.argmin(bounds)
    for q in range(k):
        reduced = costs[q] - v[columns[q]]
        limit = max(limit, reduced)
        if reduced < least:
            least, home = reduced, columns[q] // BLOCK
    limit += 1.0
    values = work[BLOCK:]
    a0, a1, a2 = c.x[i, 0], c.x[i, 1], c.x[i, 2]
    lift = (a0 * a0 + a1 * a1 + a2 * a2) * (c.scale * SHRUNK) - ROOM
    a = (2 * c.scale * a0, 2 * c.scale * a1, 2 * c.scale * a2)
    filled, slot = 0, 0
    for step in range(-1, len(top)):
        b = home if step < 0 else step
        if step == home or bounds[b] >= limit:
            continue
        s, e = b * BLOCK, min(n, (b + 1) * BLOCK)
        y0, y1, y2 = c.y[0, s:e], c.y[1, s:e], c.y[2, s:e]
        if estimate(c.square[s:e], v[s:e], y0, y1, y2, a, lift, c.most, work) >= limit:
            continue
        for j in range(s, e):
            if work[j - s] >= limit:
                continue
            price = cost(c, i, j)
            reduced = price - v[j]
            if reduced >= limit:
                continue
            if filled < k:
                slot = filled
                filled += 1
            values[slot], columns[slot], costs[slot] = reduced, j, price
            if filled == k:
                slot = 0
                for q in range(1, k):
                    if values[q] > values[slot]:
                        slot = q
                limit = values[slot]
    lists.bound[i] = limit if k < n else np.inf


@njit(cache=True, nogil=True)
def least_reduced(
    c: Clouds, lists: Lists, v: Reals, top: Reals, i: Place, slack: float, bounds: Reals, work: Reals
) -> tuple[Place, float, float]:
    """The column with the least c_ij - v_j up to ``slack``, its value, and the second least value or a lower bound."""
    while True:
        best, second, column = np.inf, np.inf, np.int64(-1)
        for q in range(lists.columns.shape[1]):
            reduced = lists.costs[i, q] - v[lists.columns[i, q]]
            if reduced < best:
                best, second, column = reduced, best, lists.columns[i, q]
            elif reduced < second:
                second = reduced
        if best <= lists.bound[i] + slack:
            return column, best, max(best, min(second, lists.bound[i]))
        renew_list(c, lists, v, top, i, bounds, work)
