"""Dual-tree traversal: builds and applies the interaction list of each box. The kernel is a compiled loop's address.

Every node works through the list that its parent could not settle. A node that is small beside its gap to a source, and
so is the source: proxies to proxies. A leaf that is not small: its particles hear the proxies. A source leaf that is
not small: its particles speak for themselves. Neither: the larger box is split, or left to the children. The result
for a node depends on the tree alone, so neither threads nor the order of the walk can change it.
"""

from __future__ import annotations

import numpy as np

from ...base.compiled import njit
from .proxies import inherit, place_proxies, settle

#: Sources gathered before they are summed: they stay in the first-level cache, and the loop is long. A box adds at
#: most half of it.
ROOM = 2048


@njit(nogil=True, cache=True)
def gather(source, as_particles, w, out, weight, used):  # type: ignore[no-untyped-def]
    """Append a box to the sources: its particles with weight 1, or its proxies. Returns the new length."""
    level = level_of(source)
    m = source + 1 - (1 << level)
    c = w.c
    dim, count = c.shape
    if as_particles:
        lo, hi = (m * count) >> level, ((m + 1) * count) >> level
        for axis in range(dim):
            for i in range(hi - lo):
                out[axis, used + i] = c[axis, lo + i]
        for i in range(hi - lo):
            weight[used + i] = 1
        return used + hi - lo
    n = w.orders[level]
    size = n**dim
    place_proxies(w.nodes, n, w.centre, w.half, source, out, used)
    first = w.base[level] + m * size
    for i in range(size):
        weight[used + i] = w.q[first + i]
    return used + size


@njit(nogil=True, cache=True)
def extent(half, node):  # type: ignore[no-untyped-def]
    """Squared half diagonal of a box."""
    total = half[node, 0] * half[node, 0]
    for axis in range(1, half.shape[1]):
        total += half[node, axis] * half[node, axis]
    return total


@njit(nogil=True, cache=True)
def level_of(node):  # type: ignore[no-untyped-def]
    """The level that a node's number tells."""
    level = 0
    while (2 << level) <= node + 1:
        level += 1
    return level


@njit(nogil=True, cache=True)
def longer(old):  # type: ignore[no-untyped-def]
    """A copy with twice the room."""
    new = np.empty(2 * old.size, np.int32)
    for i in range(old.size):
        new[i] = old[i]
    return new


@njit(nogil=True, cache=True)
def apart(centre, half, a, b, opening):  # type: ignore[no-untyped-def]
    """Is box a, is box b small enough for its proxies beside the gap between the two; are both the same point?"""
    zero = centre.dtype.type(0)
    gap2 = size_a = size_b = zero
    for axis in range(centre.shape[1]):
        gap = max(zero, abs(centre[a, axis] - centre[b, axis]) - half[a, axis] - half[b, axis])
        gap2 += gap * gap
        size_a, size_b = max(size_a, half[a, axis]), max(size_b, half[b, axis])
    limit = opening * opening * gap2
    away = gap2 > zero
    return away and size_a * size_a <= limit, away and size_b * size_b <= limit, not away and size_a + size_b == zero


@njit(nogil=True, cache=True)
def interact(level, m, given, w, opening, pair_sum, p):  # type: ignore[no-untyped-def]
    """M2L, P2L, M2P and P2P: all that node (level, m) receives; returns what it leaves to its children.

    ``given`` are the nodes that its parent left to it. Sources are gathered from many boxes into one long array before
    they are summed. The field of the far ones is added at the proxies, on top of what the parent's polynomial says
    there, and turned into coefficients; a leaf then passes them to its particles.
    """
    c, half, force = w.c, w.half, w.force
    dim, count = c.shape
    depth = w.orders.size - 1
    node = (1 << level) - 1 + m
    leaf = level == depth
    leaf_count = (count >> depth) + 1
    lo, hi = (m * count) >> level, ((m + 1) * count) >> level
    n = w.field_orders[level]
    size = n**dim
    targets, values = np.empty((dim, size), c.dtype), np.zeros((dim, size), c.dtype)
    place_proxies(w.field_nodes, n, w.centre, half, node, targets, np.int64(0))  # no literal: see `build`
    if level > 0:
        inherit(level, m, w, values)
    far, far_weight, far_used = np.empty((dim, ROOM), c.dtype), np.empty(ROOM, c.dtype), np.int64(0)
    near, near_weight, near_used = np.empty((dim, ROOM), c.dtype), np.empty(ROOM, c.dtype), np.int64(0)
    kept, kept_used = np.empty(2 * given.size + 64, np.int32), 0
    stack = np.empty(64, np.int64)
    for i in range(given.size):
        stack[0] = given[i]
        top = 1
        while top > 0:
            top -= 1
            source = stack[top]
            target_small, source_small, nothing = apart(w.centre, half, node, source, opening)
            source_leaf = source >= (1 << depth) - 1
            if nothing:
                continue
            if (target_small or leaf) and (source_small or source_leaf):
                # particles stand for themselves where they are fewer than proxies, or where proxies would not do
                whole = source_leaf and (not source_small or leaf_count <= w.orders[depth] ** dim)
                if not target_small or (leaf and hi - lo <= size):
                    if near_used > ROOM // 2:
                        pair_sum(c, lo, hi, near, near_weight, near_used, force, p)
                        near_used = np.int64(0)
                    near_used = gather(source, whole, w, near, near_weight, near_used)
                else:
                    if far_used > ROOM // 2:
                        pair_sum(targets, 0, size, far, far_weight, far_used, values, p)
                        far_used = np.int64(0)
                    far_used = gather(source, whole, w, far, far_weight, far_used)
            elif leaf or (not source_leaf and extent(half, source) > extent(half, node)):
                stack[top] = 2 * source + 2
                stack[top + 1] = 2 * source + 1
                top += 2
            else:
                if kept_used == kept.size:
                    kept = longer(kept)
                kept[kept_used] = source
                kept_used += 1
    pair_sum(targets, 0, size, far, far_weight, far_used, values, p)
    pair_sum(c, lo, hi, near, near_weight, near_used, force, p)
    settle(level, m, w, values)
    return kept[:kept_used]


@njit(nogil=True, cache=True)
def descend(level, m, given, w, opening, pair_sum, p):  # type: ignore[no-untyped-def]
    """`interact` for node (level, m) and all its descendants, depth first."""
    depth = w.orders.size - 1
    lists = longer(given)  # of every level on the way down, one after the other
    ends = np.zeros(depth + 2, np.int64)
    ends[level] = given.size
    start = np.zeros(depth + 2, np.int64)
    todo_level, todo_m = np.empty(2 * depth + 2, np.int64), np.empty(2 * depth + 2, np.int64)
    todo_level[0], todo_m[0] = level, m
    top = 1
    while top > 0:
        top -= 1
        n, k = todo_level[top], todo_m[top]
        mine = lists[start[n] : ends[n]]
        kept = interact(n, k, mine, w, opening, pair_sum, p)
        if n < depth:
            start[n + 1], ends[n + 1] = ends[n], ends[n] + kept.size
            while ends[n + 1] > lists.size:
                lists = longer(lists)
            for i in range(kept.size):
                lists[start[n + 1] + i] = kept[i]
            todo_level[top], todo_m[top] = n + 1, 2 * k + 1
            todo_level[top + 1], todo_m[top + 1] = n + 1, 2 * k
            top += 2
