"""Compiled loops of the certified solver: dual prices of a sparse assignment, augmenting paths, the look at all pairs.

Costs are int64. A matching with prices u (rows) and v (columns) is optimal on a set of pairs when c_ij - u_i - v_j >= 0
on all of them and = 0 on the matched ones. Sparse graphs are (first, columns, costs), the edges of row i at
first[i]:first[i + 1].
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: Columns whose reduced costs are bounded together before any of them is looked at exactly.
BLOCK = 128
FAR = np.int64(2**62)


@njit(cache=True, nogil=True, inline="always")
def _cost(x: Any, y: Any, i: Any, j: Any, scale: float) -> Any:
    """Integer cost of a pair: the one definition that the sparse problem and the certificate share."""
    square = 0.0
    for axis in range(x.shape[1]):
        square += (x[i, axis] - y[j, axis]) ** 2
    return np.int64(np.round(square * scale))


@njit(cache=True, nogil=True)
def pair_costs(x: Any, y: Any, rows: Any, columns: Any, scale: float) -> Any:
    """Integer costs of the pairs (rows, columns)."""
    out = np.empty(len(rows), np.int64)
    for e in range(len(rows)):
        out[e] = _cost(x, y, rows[e], columns[e], scale)
    return out


@njit(cache=True, nogil=True)
def correct_labels(first: Any, columns: Any, costs: Any, matched: Any, v: Any) -> Any:
    """Lower ``v`` in place until v_j <= c_ij - c_im(i) + v_m(i): Bellman and Ford with a queue.

    Starting from prices that are almost right leaves little to do. Returns u and whether there was no negative cycle,
    that is, whether ``matched`` is optimal on the graph.
    """
    n = len(matched)
    paid, owner = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        owner[matched[i]] = i
        for e in range(first[i], first[i + 1]):
            if columns[e] == matched[i]:
                paid[i] = costs[e]
    queued = np.ones(n, np.bool_)
    queue = owner.copy()
    head, length = 0, n
    for _ in range(n * n + n):
        if length == 0:
            break
        i = queue[head]
        head = (head + 1) % n
        length -= 1
        queued[i] = False
        base = v[matched[i]] - paid[i]
        for e in range(first[i], first[i + 1]):
            j = columns[e]
            if base + costs[e] < v[j]:
                v[j] = base + costs[e]
                if not queued[owner[j]]:
                    queue[(head + length) % n] = owner[j]
                    length += 1
                    queued[owner[j]] = True
    return paid - v[matched], length == 0


@njit(cache=True, nogil=True)
def augment(first: Any, columns: Any, costs: Any, matched: Any, u: Any, v: Any) -> bool:
    """Make ``matched``, ``u``, ``v`` optimal in place after edges were added that violate the prices.

    Rows whose cheapest edge is no longer the matched one are freed, and each is matched again along a shortest
    augmenting path (Jonker and Volgenant, Computing 38 (1987) 325, with a heap). False if a row cannot be matched.
    """
    n = len(matched)
    owner = np.full(n, -1, np.int64)
    for i in range(n):
        least, own = FAR, FAR
        for e in range(first[i], first[i + 1]):
            reduced = costs[e] - v[columns[e]]
            least = min(least, reduced)
            if columns[e] == matched[i]:
                own = min(own, reduced)
        u[i] = least
        if own == least:
            owner[matched[i]] = i
        else:
            matched[i] = -1
    distance = np.full(n, FAR)
    before, settled = np.full(n, -1, np.int64), np.zeros(n, np.bool_)
    for free in range(n):
        if matched[free] >= 0:
            continue
        touched, done = [np.int64(0)], [np.int64(0)]
        touched.clear()
        done.clear()
        heap = [(np.int64(0), np.int64(0))]
        heap.clear()
        i, reached, end = free, np.int64(0), np.int64(-1)
        while True:
            for e in range(first[i], first[i + 1]):
                j = columns[e]
                if settled[j]:
                    continue
                away = reached + costs[e] - u[i] - v[j]
                if away < distance[j]:
                    if distance[j] == FAR:
                        touched.append(j)
                    distance[j] = away
                    before[j] = i
                    heapq.heappush(heap, (away, j))
            while len(heap) > 0:
                reached, end = heapq.heappop(heap)
                if not settled[end]:
                    break
                end = np.int64(-1)
            if end < 0:
                return False
            if owner[end] < 0:
                break
            settled[end] = True
            done.append(end)
            i = owner[end]
            end = np.int64(-1)
        u[free] += reached
        for j in done:
            u[owner[j]] += reached - distance[j]
            v[j] -= reached - distance[j]
            settled[j] = False
        for j in touched:
            distance[j] = FAR
        while True:  # swap along the path
            i = before[end]
            owner[end] = i
            end, matched[i] = matched[i], end
            if i == free:
                break
    return True


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nnan", "ninf", "nsz"})
def _estimate(base: Any, y0: Any, y1: Any, y2: Any, a0: float, a1: float, a2: float, out: Any) -> float:
    """out <- base - a.y over columns, and its least entry; vectorised, good to rounding."""
    least = np.inf
    for j in range(base.size):
        out[j] = base[j] - a0 * y0[j] - a1 * y1[j] - a2 * y2[j]
        least = min(least, out[j])
    return least


@njit(cache=True, nogil=True)
def _scan(x: Any, y: Any, u: Any, v: Any, scale: float, most: int, wide: Any, tall: Any) -> Any:
    """`violations` given the clouds centred and filled up to three axes, ``wide`` (N, 3) and ``tall`` (3, N)."""
    n = len(x)
    base, lift = np.empty(n), np.empty(n)
    for j in range(n):
        base[j] = (tall[0, j] ** 2 + tall[1, j] ** 2 + tall[2, j] ** 2) * scale - v[j]
    for i in range(n):
        lift[i] = (wide[i, 0] ** 2 + wide[i, 1] ** 2 + wide[i, 2] ** 2) * scale - u[i]
    # room for the rounding of a sum of terms of this size, so that no pair is passed over
    room = 2.0 + (np.abs(base).max() + np.abs(lift).max()) * 2.0**-48
    out, worst = np.full(n * most, -1, np.int64), np.empty(most, np.int64)
    estimate = np.empty(BLOCK)
    count = 0
    for i in range(n):
        a0, a1, a2 = 2 * scale * wide[i, 0], 2 * scale * wide[i, 1], 2 * scale * wide[i, 2]
        held = 0
        for start in range(0, n, BLOCK):
            end = min(start + BLOCK, n)
            part, bound = slice(start, end), room - lift[i]
            if _estimate(base[part], tall[0, part], tall[1, part], tall[2, part], a0, a1, a2, estimate) > bound:
                continue
            for j in range(start, end):
                if estimate[j - start] > bound:
                    continue
                reduced = _cost(x, y, i, j, scale) - u[i] - v[j]
                if reduced >= 0:
                    continue
                count += 1
                slot = held
                if held == most:
                    slot = 0
                    for s in range(1, most):
                        if worst[s] > worst[slot]:
                            slot = s
                    if worst[slot] <= reduced:
                        continue
                else:
                    held += 1
                worst[slot] = reduced
                out[i * most + slot] = i * n + j
    return out, count


def violations(
    x: NDArray[np.float64], y: NDArray[np.float64], u: NDArray[np.int64], v: NDArray[np.int64], scale: float, most: int
) -> tuple[NDArray[np.int64], int]:
    """Of all N^2 pairs those with a negative reduced cost: how many, and codes i N + j of the ``most`` worst a row.

    ``x``, ``y`` are (N, d) with d <= 3. Memory is O(N): a bound in floating point clears whole blocks of columns, and
    only the others are computed exactly.
    """
    centre = y.mean(0)
    wide, tall = np.zeros((len(x), 3)), np.zeros((3, len(y)))
    wide[:, : x.shape[1]] = x - centre
    tall[: x.shape[1]] = (y - centre).T
    codes, count = _scan(x, y, u, v, scale, most, wide, tall)
    return codes[codes >= 0], count
