"""Chebyshev proxies: what a box keeps of its particles, and of the field in it. Nothing here knows the kernel.

A box with order n has n^d proxies at the Chebyshev points of its sides. A sum over its particles of a smooth function
is replaced by a weighted sum over the proxies (anterpolation; weights ``q``), and a smooth field in the box by the
polynomial through its values at the proxies (coefficients ``f``). Both are held as coefficients of Chebyshev
polynomials where boxes are joined, because a polynomial of a parent is evaluated in a child by short matrix products.

Orders fall with the level: the boxes below have less mass and attract less, so that their relative error may be larger,
and seen from afar they are small (a variable-order method, Borm, Loehndorf and Melenk, Numer. Math. 99 (2005) 605).
Wilson, Vaughn and Krasny, Comput. Phys. Commun. 265 (2021) 108017 is the method with one order.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...base.compiled import INNER, PLAIN, njit

MAX_ORDER = 16
#: Sources sit at the zeros of the Jacobi polynomial with this exponent, fields at those of -1/2 (Chebyshev). Towards
#: 0 (Legendre, Gauss quadrature) the sum over a uniform box is exact to twice the degree, which is why sources do with
#: one order less than fields; a box with a concentration in it wants the smaller maximum error of -1/2.
SOURCE_EXPONENT, FIELD_EXPONENT = -0.25, -0.5


class Workspace(NamedTuple):
    """What the passes over a tree read and write; arrays of the working precision unless said.

    ``c`` (d, J), ``centre`` and ``half`` (nodes, d) are the tree's. Proxies of a source have the order
    ``orders[level]`` and weights ``q`` from ``base[level]`` on; the polynomials of a field have ``field_orders``, and
    coefficients ``f`` (d, total) from ``field_base`` on. ``force`` (d, J) is the result in tree order. The tables
    hold, for every order n, the proxies on [-1, 1] and the matrices from values there to Chebyshev coefficients;
    ``unit`` (d, ...) the proxies of the cube [-1, 1]^d from ``unit_base[n]`` on.
    """

    c: NDArray[Any]
    centre: NDArray[Any]
    half: NDArray[Any]
    orders: NDArray[np.int64]
    base: NDArray[np.int64]
    q: NDArray[Any]
    field_orders: NDArray[np.int64]
    field_base: NDArray[np.int64]
    f: NDArray[Any]
    force: NDArray[Any]
    nodes: NDArray[Any]
    fit: NDArray[Any]
    unit: NDArray[Any]
    field_nodes: NDArray[Any]
    field_fit: NDArray[Any]
    field_unit: NDArray[Any]
    unit_base: NDArray[np.int64]


def workspace(
    c: NDArray[np.floating],
    centre: NDArray[np.floating],
    half: NDArray[np.floating],
    orders: NDArray[np.int64],
    fields: NDArray[np.int64],
) -> Workspace:
    """Room for a pass with these orders of sources and fields on every level."""
    dim, real = c.shape[0], c.dtype.str
    base, field_base = _layout(orders, dim), _layout(fields, dim)
    q, f = np.empty(base[-1], real), np.empty((dim, field_base[-1]), real)
    tables = *_tables(SOURCE_EXPONENT, real, dim), *_tables(FIELD_EXPONENT, real, dim)
    force, first = np.zeros_like(c), _unit_base(dim)
    return Workspace(c, centre, half, orders, base, q, fields, field_base, f, force, *tables, first)


def _layout(orders: NDArray[np.int64], dim: int) -> NDArray[np.int64]:
    """First entry of every level in an array with orders[l]^dim entries a box; the last entry is the total."""
    sizes = [2**level * int(n) ** dim for level, n in enumerate(orders)]
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


@cache
def _unit_base(dim: int) -> NDArray[np.int64]:
    """Entry n: the proxies of all orders below n."""
    return np.concatenate([[0], np.cumsum(np.arange(MAX_ORDER + 1) ** dim)]).astype(np.int64)


@cache
def _tables(
    exponent: float, real: str, dim: int
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]:
    """Row n: the n proxies on [-1, 1]; matrix n: values there to the coefficients of T_0 .. T_(n-1); the proxies of the
    cube, the last axis fastest."""
    from scipy.special import roots_jacobi

    nodes = np.zeros((MAX_ORDER + 1, MAX_ORDER))
    fit = np.zeros((MAX_ORDER + 1, MAX_ORDER, MAX_ORDER))
    for n in range(1, MAX_ORDER + 1):
        nodes[n, :n] = roots_jacobi(n, exponent, exponent)[0]
        fit[n, :n, :n] = np.linalg.inv(np.polynomial.chebyshev.chebvander(nodes[n, :n], n - 1))
    grids = [np.meshgrid(*[nodes[n, :n]] * dim, indexing="ij") for n in range(1, MAX_ORDER + 1)]
    unit = np.concatenate([np.reshape(grid, (dim, -1)) for grid in grids], axis=1)
    return nodes.astype(real), fit.astype(real), unit.astype(real, order="C")


@njit(**PLAIN, fastmath=False)  # said, or it would take over its caller's, which turn it into 1 / half
def _divide(points, centre, half, out):  # type: ignore[no-untyped-def]
    """out = (points - centre) / half for a half side of which there is no inverse; what rounding adds is cut off."""
    one = out.dtype.type(1)
    for j in range(points.size):
        out[j] = min(one, max(-one, (points[j] - centre) / half))


@njit(**INNER)
def chebyshev(points, centre, half, n, t):  # type: ignore[no-untyped-def]
    """Fill t[k, j], k < n, with T_k((points[j] - centre) / half). A box without extent has all its points at 0."""
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
def contract(matrix, a, out):  # type: ignore[no-untyped-def]
    """One axis of a tensor product: out[r * m + i] = sum_k matrix[i, k] a[k * R + r]; d calls restore the axes."""
    m, n = matrix.shape
    rest = a.size // n
    for i in range(m):
        row = matrix[i]
        for r in range(rest):
            total = row[0] * a[r]
            for k in range(1, n):
                total += row[k] * a[k * rest + r]
            out[r * m + i] = total


@njit(**INNER)
def tensor(matrices, a, spare):  # type: ignore[no-untyped-def]
    """The matrices of all axes applied to ``a``; the result lies in ``spare[0 or 1]``, and is returned."""
    where = 0
    for axis in range(matrices.shape[0]):
        size = a.size // matrices.shape[2] * matrices.shape[1]
        out = spare[where, :size]
        contract(matrices[axis], a, out)
        a = out
        where = 1 - where
    return a


@njit(inline="always")
def place_proxies(unit, start, size, centre, half, node, out, first):  # type: ignore[no-untyped-def]
    """Coordinates of the proxies of a box, which are unit[:, start : start + size] in its own, to out[:, first:]."""
    for axis in range(centre.shape[1]):
        middle, side = centre[node, axis], half[node, axis]
        for i in range(size):
            out[axis, first + i] = middle + side * unit[axis, start + i]


@njit(inline="always")
def child_matrices(nodes, n, centre, half, parent, child, many, down, matrices):  # type: ignore[no-untyped-def]
    """T_k of the parent's order ``many`` at proxy i of the child's n on each axis.

    matrices[axis] is (n, many) for the way ``down`` and (many, n) for the way up.
    """
    points = np.empty(n, nodes.dtype)
    table = np.empty((many, n), nodes.dtype)
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


@njit(**INNER)
def leaf_moments(c, lo, hi, centre, half, node, n, moments, t, product):  # type: ignore[no-untyped-def]
    """P2M: moments[(k1, k2, ..)] = sum over the particles of T_k1 T_k2 .. in the coordinates of the box.

    ``t`` (d, n, most) and ``product`` (most,) are room for the values of as many particles.
    """
    dim = c.shape[0]
    for axis in range(dim):
        chebyshev(c[axis, lo:hi], centre[node, axis], half[node, axis], n, t[axis])
    place = 0
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
                moments[place] = total
                place += 1


@njit(**INNER)
def leaf_field(c, lo, hi, centre, half, node, n, f, first, force, t, inner):  # type: ignore[no-untyped-def]
    """L2P: add the polynomials f[:, first:], one for each component, at the particles to ``force`` (d, J).

    ``t`` and ``inner`` are room as in `leaf_moments`.
    """
    dim = c.shape[0]
    for axis in range(dim):
        chebyshev(c[axis, lo:hi], centre[node, axis], half[node, axis], n, t[axis])
    for component in range(dim):
        out = force[component, lo:hi]
        place = first
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
def upward(w, level, k, last):  # type: ignore[no-untyped-def]
    """Upward pass, P2M and M2M: weights of the descendants of node (level, k) from level ``last`` up to itself.

    ``last`` is the level of the leaves, or one whose children have theirs.
    """
    c, centre, half, orders, base, q = w[:6]
    nodes, fit = w[10:12]
    dim, count = c.shape
    depth = orders.size - 1
    most = 0
    for order in orders:
        most = max(most, order**dim)
    spare = np.empty((2, most), c.dtype)
    moments = np.empty(most, c.dtype)
    leaf_count = (count >> depth) + 1
    tables, row = np.empty((dim, orders[depth], leaf_count), c.dtype), np.empty(leaf_count, c.dtype)
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
        total = moments[:size]
        for m in range(k << (n - level), (k + 1) << (n - level)):
            node = (1 << n) - 1 + m
            if n == depth:
                leaf_moments(c, (m * count) >> n, ((m + 1) * count) >> n, centre, half, node, order, total, tables, row)
            else:
                for i in range(size):
                    total[i] = 0
                for child in range(2):
                    child_matrices(nodes, below, centre, half, node, 2 * node + 1 + child, order, False, matrices)
                    first = base[n + 1] + (2 * m + child) * step
                    part = tensor(matrices, q[first : first + step], spare)
                    for i in range(size):
                        total[i] += part[i]
            weights = tensor(fits, total, spare)
            first = base[n] + m * size
            for i in range(size):
                q[first + i] = weights[i]


@njit(inline="always")
def inherit(level, m, n, above, centre, half, nodes, base, f, values):  # type: ignore[no-untyped-def]
    """L2L: values[axis, i] = the polynomial of the parent, of order ``above``, at proxy i of node (level, m)."""
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
    """Downward pass: the field at the proxies of a node to coefficients, f[:, first:]."""
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
