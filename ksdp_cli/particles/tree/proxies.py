"""Chebyshev proxies of a box for its particles (multipole side) and its field (local side), for any kernel.

A box of order n has n^d proxies at the Chebyshev points of its sides. A weighted sum over the proxies replaces a sum of
a smooth function over its particles (anterpolation, P2M; weights ``q``), and the polynomial through the values at the
proxies replaces a smooth field in the box (interpolation, L2P; coefficients ``f``). Transfers between parent and child
(M2M, L2L) use coefficients of Chebyshev polynomials, as short matrix products along each axis.

Orders fall with the level, because smaller boxes have less mass and may have a larger relative error (a variable-order
method: Borm, Loehndorf and Melenk, Numer. Math. 99 (2005) 605). Wilson, Vaughn and Krasny, Comput. Phys. Commun. 265
(2021) 108017, use one order.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...base.compiled import FAST, INNER, PLAIN, njit

MAX_ORDER = 16
#: Proxies of sources are the zeros of the Jacobi polynomial with this exponent, those of fields the zeros for -1/2
#: (Chebyshev). Exponent 0 (Legendre) makes the sum over a uniform box exact to twice the degree, so that sources need
#: one order less than fields; -1/2 has the smallest maximum error, which suits a box with a concentration.
SOURCE_EXPONENT, FIELD_EXPONENT = -0.25, -0.5


class Workspace(NamedTuple):
    """The arrays of the passes over a tree, in the working precision.

    ``c`` (d, J), ``centre`` and ``half`` (nodes, d) are the tree's. Sources on a level have order ``orders[level]`` and
    weights ``q`` from ``base[level]`` on; fields have ``field_orders`` and coefficients ``f`` (d, total) from
    ``field_base`` on. ``force`` (d, J) is the result in tree order. For each order n, ``nodes`` and ``field_nodes``
    hold the proxies on [-1, 1], ``fit`` and ``field_fit`` the matrices from values there to Chebyshev coefficients,
    ``unit`` and ``field_unit`` (d, ...) the proxies of the cube [-1, 1]^d from ``unit_base[n]`` on.

    The upward pass takes the first eight, the downward pass all but the first two. Compiled functions take arrays one
    by one, since Numba copies a tuple wherever it is named.
    """

    nodes: NDArray[Any]
    fit: NDArray[Any]
    c: NDArray[Any]
    centre: NDArray[Any]
    half: NDArray[Any]
    orders: NDArray[np.int64]
    base: NDArray[np.int64]
    q: NDArray[Any]
    unit: NDArray[Any]
    unit_base: NDArray[np.int64]
    field_nodes: NDArray[Any]
    field_fit: NDArray[Any]
    field_unit: NDArray[Any]
    field_orders: NDArray[np.int64]
    field_base: NDArray[np.int64]
    f: NDArray[Any]
    force: NDArray[Any]


def workspace(
    c: NDArray[np.floating],
    centre: NDArray[np.floating],
    half: NDArray[np.floating],
    orders: NDArray[np.int64],
    fields: NDArray[np.int64],
) -> Workspace:
    """Allocate a workspace with these orders of sources and fields on each level."""
    dim, real = c.shape[0], c.dtype.str
    base, field_base = _layout(orders, dim), _layout(fields, dim)
    q, f = np.empty(base[-1], real), np.empty((dim, field_base[-1]), real)
    nodes, fit, unit = _tables(SOURCE_EXPONENT, real, dim)
    tables = unit, _unit_base(dim), *_tables(FIELD_EXPONENT, real, dim)
    return Workspace(nodes, fit, c, centre, half, orders, base, q, *tables, fields, field_base, f, np.zeros_like(c))


def _layout(orders: NDArray[np.int64], dim: int) -> NDArray[np.int64]:
    """Index of the first entry of each level in an array with orders[l]^dim entries a box; finally the total."""
    sizes = [2**level * int(n) ** dim for level, n in enumerate(orders)]
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


@cache
def _unit_base(dim: int) -> NDArray[np.int64]:
    """Entry n is the number of proxies of all orders below n."""
    return np.concatenate([[0], np.cumsum(np.arange(MAX_ORDER + 1) ** dim)]).astype(np.int64)


@cache
def _tables(
    exponent: float, real: str, dim: int
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]:
    """Row n: the n proxies on [-1, 1]. Matrix n: from values there to the coefficients of T_0 .. T_(n-1). And the
    proxies of the cube, with the last axis fastest."""
    from scipy.special import roots_jacobi

    nodes = np.zeros((MAX_ORDER + 1, MAX_ORDER))
    fit = np.zeros((MAX_ORDER + 1, MAX_ORDER, MAX_ORDER))
    for n in range(1, MAX_ORDER + 1):
        nodes[n, :n] = roots_jacobi(n, exponent, exponent)[0]
        fit[n, :n, :n] = np.linalg.inv(np.polynomial.chebyshev.chebvander(nodes[n, :n], n - 1))
    grids = [np.meshgrid(*[nodes[n, :n]] * dim, indexing="ij") for n in range(1, MAX_ORDER + 1)]
    unit = np.concatenate([np.reshape(grid, (dim, -1)) for grid in grids], axis=1)
    return nodes.astype(real), fit.astype(real), unit.astype(real, order="C")


@njit(**INNER | {"fastmath": False})  # the caller's fast-math would compute 1 / half
def _divide(points, centre, half, out):  # type: ignore[no-untyped-def]
    """out = (points - centre) / half, clipped to [-1, 1], for a half side whose inverse overflows."""
    one = out.dtype.type(1)
    for j in range(points.size):
        out[j] = min(one, max(-one, (points[j] - centre) / half))


@njit(**INNER)
def chebyshev(points, centre, half, n, t):  # type: ignore[no-untyped-def]
    """t[k, j] <- T_k((points[j] - centre) / half) for k < n; in a box without extent the argument is 0."""
    one = t.dtype.type(1)
    least = t.dtype.type(1e-37 if t.itemsize == 4 else 1e-307)
    first = t[0]
    for j in range(points.size):
        first[j] = one
    if n > 1:
        second = t[1]
        if half > 0 and half < least:
            _divide(points, centre, half, second)
        else:
            scale = one / half if half > 0 else t.dtype.type(0)
            for j in range(points.size):
                second[j] = (points[j] - centre) * scale
        for k in range(2, n):
            new, old, older = t[k], t[k - 1], t[k - 2]
            for j in range(points.size):
                new[j] = second[j] * (old[j] + old[j]) - older[j]


@njit(**INNER)
def tensor(matrices, a, spare):  # type: ignore[no-untyped-def]
    """Apply the matrices of all axes to ``a``; the returned result is a view of ``spare[0]`` or ``spare[1]``.

    One axis is out[r * m + i] = sum_k matrix[i, k] a[k * R + r]; d of them restore the order of axes.
    """
    m, n = matrices.shape[1:]
    for axis in range(matrices.shape[0]):
        rest = a.size // n
        out = spare[axis % 2, : rest * m]
        for i in range(m):
            row = matrices[axis, i]
            for r in range(rest):
                total = row[0] * a[r]
                for k in range(1, n):
                    total += row[k] * a[k * rest + r]
                out[r * m + i] = total
        a = out
    return a


@njit(inline="always")
def place_proxies(unit, start, size, centre, half, node, out, first):  # type: ignore[no-untyped-def]
    """out[:, first:] <- coordinates of the proxies of a box, given as unit[:, start : start + size] on the unit
    cube."""
    for axis in range(centre.shape[1]):
        middle, side = centre[node, axis], half[node, axis]
        for i in range(size):
            out[axis, first + i] = middle + side * unit[axis, start + i]


@njit(inline="always")
def child_matrices(nodes, n, centre, half, parent, child, many, down, matrices):  # type: ignore[no-untyped-def]
    """matrices <- T_k, k < ``many``, of the parent at proxy i < n of the child, on each axis.

    matrices[axis] is (n, many) for ``down`` (L2L) and (many, n) otherwise (M2M).
    """
    table = np.empty((many + 1, n), nodes.dtype)
    points = table[many]
    for axis in range(centre.shape[1]):
        for i in range(n):
            points[i] = centre[child, axis] + half[child, axis] * nodes[n, i]
        chebyshev(points, centre[parent, axis], half[parent, axis], many, table)
        for k in range(many):
            for i in range(n):
                if down:
                    matrices[axis, i, k] = table[k, i]
                else:
                    matrices[axis, k, i] = table[k, i]


@njit(**PLAIN, fastmath=FAST)
def leaf_moments(low, high, c, centre, half, orders, base, q):  # type: ignore[no-untyped-def]
    """P2M: q of the leaves [low, high) <- sum over the particles of T_k1 T_k2 .. in the coordinates of the box."""
    dim, count = c.shape
    depth = orders.size - 1
    n = orders[depth]
    t = np.empty((dim + 1, n, (count >> depth) + 1), c.dtype)
    product = t[dim, 0]
    place = base[depth] + low * n**dim
    for m in range(low, high):
        lo, hi, node = (m * count) >> depth, ((m + 1) * count) >> depth, (1 << depth) - 1 + m
        for axis in range(dim):
            chebyshev(c[axis, lo:hi], centre[node, axis], half[node, axis], n, t[axis])
        for a in range(n if dim == 3 else 1):
            for b in range(n):
                left = t[dim - 2, b]
                for j in range(hi - lo):
                    product[j] = left[j] * t[0, a, j] if dim == 3 else left[j]
                for k in range(n):
                    last = t[dim - 1, k]
                    total = c.dtype.type(0)
                    for j in range(hi - lo):
                        total += product[j] * last[j]
                    q[place] = total
                    place += 1


@njit(**PLAIN, fastmath=FAST)
def leaf_fields(low, high, c, centre, half, orders, base, f, force):  # type: ignore[no-untyped-def]
    """L2P: add the polynomials f of the leaves [low, high), one for each component, at the particles to ``force``."""
    dim, count = c.shape
    depth = orders.size - 1
    n = orders[depth]
    t = np.empty((dim + 1, n, (count >> depth) + 1), c.dtype)
    inner = t[dim, 0]
    for m in range(low, high):
        lo, hi, node = (m * count) >> depth, ((m + 1) * count) >> depth, (1 << depth) - 1 + m
        for axis in range(dim):
            chebyshev(c[axis, lo:hi], centre[node, axis], half[node, axis], n, t[axis])
        for component in range(dim):
            out = force[component, lo:hi]
            place = base[depth] + m * n**dim
            for a in range(n if dim == 3 else 1):
                for b in range(n):
                    for j in range(hi - lo):
                        inner[j] = 0
                    for k in range(n):
                        value = f[component, place]
                        last = t[dim - 1, k]
                        for j in range(hi - lo):
                            inner[j] += value * last[j]
                        place += 1
                    left = t[dim - 2, b]
                    for j in range(hi - lo):
                        out[j] += inner[j] * left[j] * (t[0, a, j] if dim == 3 else c.dtype.type(1))


@njit(**PLAIN)
def upward(level, k, last, nodes, fit, c, centre, half, orders, base, q):  # type: ignore[no-untyped-def]
    """Upward pass, M2M: compute the weights of node (level, k) and its descendants from level ``last`` upwards.

    ``last`` is the level of the leaves, which have their moments, or a level whose children have their weights.
    """
    dim = c.shape[0]
    depth = orders.size - 1
    most = 0
    for order in orders:
        most = max(most, order**dim)
    spare = np.empty((2, most), c.dtype)
    for n in range(last, level - 1, -1):
        order = orders[n]
        size = order**dim
        below = orders[min(n + 1, depth)]
        step = below**dim
        fits = np.empty((dim, order, order), c.dtype)
        for axis in range(dim):
            for i in range(order):
                for j in range(order):
                    fits[axis, i, j] = fit[order, j, i]
        matrices = np.empty((dim, order, below), c.dtype)
        for m in range(k << (n - level), (k + 1) << (n - level)):
            node = (1 << n) - 1 + m
            total = q[base[n] + m * size : base[n] + (m + 1) * size]
            if n < depth:
                for i in range(size):
                    total[i] = 0
                for child in range(2):
                    child_matrices(nodes, below, centre, half, node, 2 * node + 1 + child, order, False, matrices)
                    first = base[n + 1] + (2 * m + child) * step
                    part = tensor(matrices, q[first : first + step], spare)
                    for i in range(size):
                        total[i] += part[i]
            weights = tensor(fits, total, spare)
            for i in range(size):
                total[i] = weights[i]


@njit(inline="always")
def inherit(level, m, n, above, centre, half, nodes, base, f, values):  # type: ignore[no-untyped-def]
    """L2L: values[axis, i] <- the parent's polynomial, of order ``above``, at proxy i of node (level, m)."""
    dim = f.shape[0]
    spare = np.empty((2, max(n, above) ** dim), f.dtype)
    matrices = np.empty((dim, n, above), f.dtype)
    node = (1 << level) - 1 + m
    child_matrices(nodes, n, centre, half, (node - 1) // 2, node, above, True, matrices)
    first = base[level - 1] + (m >> 1) * above**dim
    for axis in range(dim):
        part = tensor(matrices, f[axis, first : first + above**dim], spare)
        for i in range(part.size):
            values[axis, i] = part[i]


@njit(inline="always")
def settle(n, fit, values, f, first):  # type: ignore[no-untyped-def]
    """Downward pass: f[:, first:] <- Chebyshev coefficients of the field with these ``values`` at the proxies."""
    dim, size = values.shape
    fits = np.empty((dim, n, n), f.dtype)
    for axis in range(dim):
        for i in range(n):
            for j in range(n):
                fits[axis, i, j] = fit[n, i, j]
    spare = np.empty((2, size), f.dtype)
    for axis in range(dim):
        part = tensor(fits, values[axis], spare)
        for i in range(size):
            f[axis, first + i] = part[i]
