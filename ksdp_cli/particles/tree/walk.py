"""Dual-tree traversal: builds and applies the interaction list of each box. The kernel enters only as a compiled
function.

Each node processes the sources that its parent passed on. If node and source are both small compared with the gap
between them, their proxies interact (M2L). If the node is a leaf but not small, its particles interact with the
source's proxies (M2P); if the source is a leaf but not small, its particles act on the node's proxies (P2L); two leaves
that are not small interact by particles (P2P). Otherwise the larger box is split, or the source is passed on to the
children. The result for a node depends on the tree alone, not on threads or on the order of the traversal.
"""

from __future__ import annotations

import numpy as np

from ...base.compiled import PLAIN, njit
from .proxies import inherit, place_proxies, settle

#: Largest number of sources gathered for one sum: few enough for the first-level cache, enough for a long loop. A box
#: adds at most half of it.
ROOM = 2048


@njit(inline="always")
def gather_particles(c, lo, hi, out, weight, first):  # type: ignore[no-untyped-def]
    """Append the particles [lo, hi), with weight 1, after ``first`` sources."""
    for axis in range(c.shape[0]):
        for i in range(hi - lo):
            out[axis, first + i] = c[axis, lo + i]
    for i in range(hi - lo):
        weight[first + i] = 1


@njit(inline="always")
def extent(half, node):  # type: ignore[no-untyped-def]
    """Squared half diagonal of a box."""
    total = half[node, 0] * half[node, 0]
    for axis in range(1, half.shape[1]):
        total += half[node, axis] * half[node, axis]
    return total


@njit(inline="always")
def level_of(node):  # type: ignore[no-untyped-def]
    """Level of a node, from its number."""
    level = 0
    while (2 << level) <= node + 1:
        level += 1
    return level


@njit(inline="always")
def longer(old):  # type: ignore[no-untyped-def]
    """A copy of twice the length."""
    new = np.empty(2 * old.size, np.int64)
    for i in range(old.size):
        new[i] = old[i]
    return new


@njit(inline="always")
def apart(centre, half, a, b, opening):  # type: ignore[no-untyped-def]
    """Return whether box a, and whether box b, is small compared with their gap, and whether both are one point."""
    zero = centre.dtype.type(0)
    gap2 = size_a = size_b = zero
    for axis in range(centre.shape[1]):
        gap = max(zero, abs(centre[a, axis] - centre[b, axis]) - half[a, axis] - half[b, axis])
        gap2 += gap * gap
        size_a, size_b = max(size_a, half[a, axis]), max(size_b, half[b, axis])
    limit = opening * opening * gap2
    away = gap2 > zero
    return away and size_a * size_a <= limit, away and size_b * size_b <= limit, not away and size_a + size_b == zero


@njit(**PLAIN)
def descend(  # type: ignore[no-untyped-def]
    level, m, passed, last, opening, pair_sum, p,
    c, centre, half, orders, base, q, unit, unit_base,
    field_nodes, field_fit, field_unit, field_orders, field_base, f, force,
):  # fmt: skip
    """L2L, M2L, P2L, M2P and P2P for node (level, m) and its descendants to level ``last``, depth first.

        for each node: L2L from the parent to the values at the node's proxies
            for each source passed on: gather it (near: for particles; far: for proxies), split it, or pass it on
            sum the gathered sources at the particles of a leaf, or at the proxies of the node
            convert the values at the proxies to coefficients

    ``passed`` holds the sources that the parent passed on; returns those that the last node passes on to its children.
    """
    dim, count = c.shape
    depth = orders.size - 1
    leaf_count = (count >> depth) + 1
    leaf_proxies = orders[depth] ** dim
    sources, weights = np.empty((2, dim, ROOM), c.dtype), np.empty((2, ROOM), c.dtype)
    used = np.empty(2, np.int64)  # far and near
    used[0] = used[1] = 0
    stack = np.empty(64, np.int64)
    lists = longer(passed)  # for the current path, level after level
    start, ends = np.empty(depth + 2, np.int64), np.empty(depth + 2, np.int64)
    start[level], ends[level] = 0, passed.size
    todo_level, todo_m = np.empty(2 * depth + 2, np.int64), np.empty(2 * depth + 2, np.int64)
    todo_level[0], todo_m[0] = level, m
    todo = 1
    kept = ends[level]
    while todo > 0:
        todo -= 1
        n, k = todo_level[todo], todo_m[todo]
        node = (1 << n) - 1 + k
        leaf = n == depth
        lo, hi = (k * count) >> n, ((k + 1) * count) >> n
        order = field_orders[n]
        size = order**dim
        targets, values = np.empty((dim, size), c.dtype), np.empty((dim, size), c.dtype)
        place_proxies(field_unit, unit_base[order], size, centre, half, node, targets, 0)
        if n > 0:
            inherit(n, k, order, field_orders[n - 1], centre, half, field_nodes, field_base, f, values)
        else:
            for axis in range(dim):
                for j in range(size):
                    values[axis, j] = 0
        i, kept, top = start[n], ends[n], 0
        done = False
        while not done:
            if top == 0 and i == ends[n]:
                done = True
            else:
                if top == 0:
                    stack[0] = lists[i]
                    i += 1
                    top = 1
                top -= 1
                source = stack[top]
                target_small, source_small, nothing = apart(centre, half, node, source, opening)
                source_leaf = source >= (1 << depth) - 1
                if nothing:
                    pass
                elif (target_small or leaf) and (source_small or source_leaf):
                    # use particles if they are fewer than the proxies, or if the proxies are not accurate
                    whole = source_leaf and (not source_small or leaf_count <= leaf_proxies)
                    near = np.int64(not target_small or (leaf and hi - lo <= size))
                    first = used[near]
                    at = level_of(source)
                    number = source + 1 - (1 << at)
                    if whole:
                        low, high = (number * count) >> at, ((number + 1) * count) >> at
                        gather_particles(c, low, high, sources[near], weights[near], first)
                        used[near] = first + high - low
                    else:
                        many = orders[at] ** dim
                        place_proxies(unit, unit_base[orders[at]], many, centre, half, source, sources[near], first)
                        for j in range(many):
                            weights[near, first + j] = q[base[at] + number * many + j]
                        used[near] = first + many
                elif leaf or (not source_leaf and extent(half, source) > extent(half, node)):
                    stack[top] = 2 * source + 2
                    stack[top + 1] = 2 * source + 1
                    top += 2
                else:
                    if kept == lists.size:
                        lists = longer(lists)
                    lists[kept] = source
                    kept += 1
            for kind in range(2):
                if used[kind] > (0 if done else ROOM // 2):
                    where, out, low, high = (c, force, lo, hi) if kind else (targets, values, 0, size)
                    pair_sum(where, low, high, sources[kind], weights[kind], used[kind], out, p)
                    used[kind] = 0
        settle(order, field_fit, values, f, field_base[n] + k * size)
        if n < last:
            start[n + 1], ends[n + 1] = ends[n], kept
            todo_level[todo], todo_m[todo] = n + 1, 2 * k + 1
            todo_level[todo + 1], todo_m[todo + 1] = n + 1, 2 * k
            todo += 2
    return lists[ends[last] : kept]
