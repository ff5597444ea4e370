"""A balanced tree over a cloud: every split at the median of the longest side of the tight bounding box.

Node k of level l has the number 2^l - 1 + k and owns the particles [k J >> l, (k + 1) J >> l) of the permuted cloud,
so that the whole tree is its boxes and a permutation. Median splits need no depth bound: a cloud that is 99 % clump
gives the same tree as a ball, with smaller boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.compiled import njit

#: A task for the threads is a subtree of about so many particles, but there are not more than 2^6. The levels above are
#: shared out where a node has more than ``LARGE`` particles: below that, meeting costs more time than it saves.
TASK_SIZE, MOST_TASK_LEVEL, LARGE = 2500, 6, 50_000


@dataclass
class Tree:
    """Boxes and permutation.

    ``c`` (d, J) are the coordinates in tree order, ``index`` (J,) their places in the cloud, ``centre`` and ``half``
    (nodes, d) the middle and the half sides of the tight boxes, ``depth`` the level of the leaves.
    """

    c: NDArray[Any]
    index: NDArray[np.int32]
    centre: NDArray[Any]
    half: NDArray[Any]
    depth: int


def plant(x: NDArray[Any], leaf: int) -> Tree:
    """The tree of a finite cloud ``x`` (J, d) with at most ``leaf`` particles in a leaf, before any split."""
    count, dim = x.shape
    depth = max(0, int(np.ceil(np.log2(count / leaf))))
    centre = np.empty((2 ** (depth + 1) - 1, dim), x.dtype)
    return Tree(np.array(x.T, order="C"), np.arange(count, dtype=np.int32), centre, np.empty_like(centre), depth)


def grow(tree: Tree, level: int, last: int, k: int) -> None:
    """Boxes of node (level, k), whose particles are known, and of its descendants to level ``last``, with their
    particles."""
    _split(tree.c, tree.index, tree.centre, tree.half, level, last, k)


def task_level(count: int, depth: int) -> int:
    """Level of the subtrees that are tasks; it decides on the speed, not on the result."""
    return max(0, min(depth, MOST_TASK_LEVEL, (count // TASK_SIZE).bit_length()))


@njit(nogil=True, cache=True)
def _split(c, index, centre, half, level, last, k):  # type: ignore[no-untyped-def]
    """Boxes of node (level, k) and of its descendants to level ``last``, each partitioned unless it is a leaf."""
    dim, count = c.shape
    leaves = (centre.shape[0] + 1) // 2
    for below in range(last - level + 1):
        n = level + below
        for m in range(k << below, (k + 1) << below):
            lo, hi = (m * count) >> n, ((m + 1) * count) >> n
            node = (1 << n) - 1 + m
            axis = 0
            for a in range(dim):
                row = c[a, lo:hi]
                low, high = _bounds(row)
                half[node, a] = (high - low) / 2
                centre[node, a] = low + half[node, a]
                if half[node, a] > half[node, axis]:
                    axis = a
            if node < leaves - 1:
                _select(c, index, axis, lo, hi - 1, ((2 * m + 1) * count) >> (n + 1))


@njit(nogil=True, cache=True, fastmath={"nnan", "ninf", "nsz"})
def _bounds(row):  # type: ignore[no-untyped-def]
    low = high = row[0]
    for value in row:
        low = min(low, value)
        high = max(high, value)
    return low, high


@njit(nogil=True, cache=True)
def _select(c, index, axis, lo, hi, middle):  # type: ignore[no-untyped-def]
    """Hoare's selection: permute [lo, hi] so that rank ``middle`` of ``axis`` stands at its place.

    The pivot is the median of a few entries about the wanted rank, so that a partition discards nearly half.
    """
    key = c[axis]
    dim = c.shape[0]
    while hi > lo:
        pivot = _pivot(key, lo, hi, middle)
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


@njit(nogil=True, cache=True)
def _pivot(key, lo, hi, middle):  # type: ignore[no-untyped-def]
    """A value near rank ``middle`` of key[lo .. hi]: that rank in a sample of 31 entries, spread evenly."""
    size = hi - lo + 1
    many = 31 if size > 600 else 3
    sample = np.empty(many, key.dtype)
    for s in range(many):
        value = key[lo + (size - 1) * s // (many - 1)]
        t = s
        while t > 0 and sample[t - 1] > value:
            sample[t] = sample[t - 1]
            t -= 1
        sample[t] = value
    return sample[(middle - lo) * many // size]
