"""A balanced tree over a cloud: each node is split at the median of the longest side of its tight bounding box.

Node k of level l has the number 2^l - 1 + k and owns the particles [k J >> l, (k + 1) J >> l) of the permuted cloud, so
boxes and a permutation describe the whole tree. Median splits need no limit of the depth: a cloud with 99 % of its
particles in a clump gives the same tree as a ball, with smaller boxes.

Particles are ordered by their coordinates, the longest side first, and coincident ones by their index in the cloud,
both at a split and within a leaf. So the tree is a function of the set of positions, and a permuted cloud gives the
permuted forces to the bit. Only coincident particles that a split separates may exchange their forces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.compiled import INNER, PLAIN, njit

#: Particles of a task, which is a subtree; largest level of tasks (2^6 of them). Threads share a level above the tasks
#: if its nodes have more than ``LARGE`` particles; for fewer, synchronisation costs more than it saves.
TASK_SIZE, MOST_TASK_LEVEL, LARGE = 2500, 6, 50_000


@dataclass
class Tree:
    """Boxes and permutation of a tree.

    ``c`` (d, J) holds the coordinates in tree order, ``index`` (J,) their indices in the cloud, ``centre`` and ``half``
    (nodes, d) the centres and half sides of the tight boxes; ``depth`` is the level of the leaves.
    """

    c: NDArray[Any]
    index: NDArray[np.int32]
    centre: NDArray[Any]
    half: NDArray[Any]
    depth: int


def plant(x: NDArray[np.floating], leaf: int) -> Tree:
    """Allocate the tree of a finite cloud ``x`` (J, d) with at most ``leaf`` particles in a leaf, before any split."""
    count, dim = x.shape
    depth = max(0, int(np.ceil(np.log2(count / leaf))))
    centre = np.empty((2 ** (depth + 1) - 1, dim), x.dtype)
    c = np.add(
        x.T, x.dtype.type(0), order="C"
    )  # a copy that turns -0 into 0, so that equal coordinates have equal bits
    return Tree(c, np.arange(count, dtype=np.int32), centre, np.empty_like(centre), depth)


def grow(tree: Tree, level: int, last: int, k: int) -> None:
    """Build the boxes of node (level, k), whose particles are known, and its descendants to level ``last``."""
    parents = max(1, (len(tree.centre) + 1) // 4)  # number of parents of leaves; 1 for a root alone
    room = -(-(tree.index.size // parents + 1) // 32) * 32  # for two leaves, in full vectors
    work = np.empty((2, room), tree.c.dtype), np.empty((2, room), np.int32)
    _split(tree.c, tree.index, tree.centre, tree.half, level, last, k, parents, *work)


def task_level(count: int, depth: int, ranks: int = 1) -> int:
    """Level of the subtrees that are tasks, at least one for each rank. It affects the speed, not the result."""
    return max(0, min(depth, max(min(MOST_TASK_LEVEL, (count // TASK_SIZE).bit_length()), (ranks - 1).bit_length())))


@njit(**PLAIN)
def to_cloud(rows, index, low, out):  # type: ignore[no-untyped-def]
    """out (n, d) <- ``rows`` (d, J) from tree order to cloud order, for cloud indices from ``low`` on."""
    for i in range(index.size):
        row = index[i] - low
        if 0 <= row < out.shape[0]:
            for axis in range(rows.shape[0]):
                out[row, axis] = rows[axis, i]


@njit(**PLAIN)
def _split(c, index, centre, half, level, last, k, parents, keys, places):  # type: ignore[no-untyped-def]
    """Build boxes of node (level, k) and its descendants to level ``last``, splitting each, down to sorted leaves."""
    dim, count = c.shape
    for below in range(last - level + 1):
        n = level + below
        for m in range(k << below, (k + 1) << below):
            lo, hi = (m * count) >> n, ((m + 1) * count) >> n
            node = (1 << n) - 1 + m
            axis = np.int64(0)  # a literal would have its own type and compile its users twice
            for a in range(dim):
                row = c[a, lo:hi]
                low, high = _bounds(row)
                half[node, a] = (high - low) / 2
                centre[node, a] = low + half[node, a]
                if half[node, a] > half[node, axis]:
                    axis = np.int64(a)
            if node < parents - 1:
                _halve(c, index, axis, lo, hi, ((2 * m + 1) * count) >> (n + 1), keys[0])
            elif node < 2 * parents - 1:
                _sort(c, index, axis, lo, hi, keys, places)  # orders both leaves, and thus splits them


@njit(**INNER)
def _bounds(row):  # type: ignore[no-untyped-def]
    low = high = row[0]
    for value in row:
        low = min(low, value)
        high = max(high, value)
    return low, high


@njit(inline="always")
def _halve(c, index, axis, lo, hi, middle, sample):  # type: ignore[no-untyped-def]
    """Permute [lo, hi) so that the first ``middle - lo`` particles in the order by ``axis`` come first.

    Among particles with the coordinate of the one at ``middle`` the next axis decides, and finally the cloud index.
    """
    dim = c.shape[0]
    for turn in range(dim):
        key = c[(axis + turn) % dim]
        _select(key, c, index, lo, hi - 1, middle, sample)
        cut = key[middle]
        if _bounds(key[lo:middle])[1] < cut:
            return
        first, last = middle, middle
        for i in range(middle - 1, lo - 1, -1):
            if key[i] == cut:
                first -= 1
                _swap(c, index, first, i)
        for i in range(middle, hi):
            if key[i] == cut:
                _swap(c, index, last, i)
                last += 1
        lo, hi = first, last
    for bit in range(30, -1, -1):  # coincident particles: by the bits of their unique cloud indices
        zeros = lo
        for i in range(lo, hi):
            if (index[i] >> bit) & 1 == 0:
                index[zeros], index[i] = index[i], index[zeros]
                zeros += 1
        if middle < zeros:
            hi = zeros
        else:
            lo = zeros


@njit(inline="always")
def _sort(c, index, axis, lo, hi, keys, places):  # type: ignore[no-untyped-def]
    """Order [lo, hi) by ``axis``, then the next axes, then the cloud index.

    The rank of a particle is the number of particles before it, counted by a vectorised loop, which for the 128 of two
    leaves is faster than a selection. Only equal coordinates, which make the sum of ranks smaller, need a sort.
    """
    key, row, place, ids = keys[0], keys[1], places[0], places[1]
    size = hi - lo
    for j in range(key.size):
        key[j], place[j] = (c[axis, lo + j] if j < size else np.inf), 0
    for i in range(size):
        value = key[i]
        for j in range(key.size):
            place[j] += np.int32(value < key[j])
    total = 0
    for i in range(size):
        total += place[i]
    if total < size * (size - 1) // 2:
        for i in range(lo + 1, hi):
            j = i
            while j > lo and _before(c, index, axis, j, j - 1):
                _swap(c, index, j, j - 1)
                j -= 1
        return
    for a in range(c.shape[0]):
        for i in range(size):
            row[place[i]] = c[a, lo + i]
        for i in range(size):
            c[a, lo + i] = row[i]
    for i in range(size):
        ids[place[i]] = index[lo + i]
    for i in range(size):
        index[lo + i] = ids[i]


@njit(inline="always")
def _before(c, index, axis, i, j):  # type: ignore[no-untyped-def]
    """Whether particle i comes before particle j in the order by ``axis``."""
    dim = c.shape[0]
    for turn in range(dim):
        row = c[(axis + turn) % dim]
        if row[i] != row[j]:
            return row[i] < row[j]
    return index[i] < index[j]


@njit(inline="always")
def _swap(c, index, i, j):  # type: ignore[no-untyped-def]
    for a in range(c.shape[0]):
        row = c[a]
        row[i], row[j] = row[j], row[i]
    index[i], index[j] = index[j], index[i]


@njit(inline="always")
def _select(key, c, index, lo, hi, middle, sample):  # type: ignore[no-untyped-def]
    """Hoare's selection: permute [lo, hi] so that the entry of rank ``middle`` of ``key``, a row of c, is at
    ``middle``.

    The pivot is an entry close to rank ``middle``, so that a partition discards nearly half.
    """
    dim = c.shape[0]
    while hi > lo:
        pivot = _pivot(key, lo, hi, middle, sample)
        i, j = lo, hi
        while i <= j:
            while key[i] < pivot:
                i += 1
            while key[j] > pivot:
                j -= 1
            if i <= j:
                for a in range(dim):
                    row = c[a]
                    row[i], row[j] = row[j], row[i]
                index[i], index[j] = index[j], index[i]
                i += 1
                j -= 1
        if middle <= j:
            hi = j
        elif middle >= i:
            lo = i
        else:
            return


@njit(inline="always")
def _pivot(key, lo, hi, middle, sample):  # type: ignore[no-untyped-def]
    """A value near rank ``middle`` of key[lo .. hi]: that rank in a sample of 31 entries, spread evenly."""
    size = hi - lo + 1
    many = 31 if size > 600 else 3
    for s in range(many):
        value = key[lo + (size - 1) * s // (many - 1)]
        t = s
        while t > 0 and sample[t - 1] > value:
            sample[t] = sample[t - 1]
            t -= 1
        sample[t] = value
    return sample[(middle - lo) * many // size]
