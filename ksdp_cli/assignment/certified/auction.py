"""Compiled loops of the certified solver: an auction for approximate prices, shortest paths for exact ones, the proof.

A matching with prices u (rows) and v (columns) is optimal when c_ij - u_i - v_j >= 0 on all pairs and = 0 on matched
ones. All numbers are integers in float64, see `geometry`. ``matched`` (N,) has the column of each row, or -1 if free.
"""

from __future__ import annotations

import heapq

import numpy as np

from ...base.compiled import njit
from .geometry import (
    BLOCK,
    ROOM,
    SHRUNK,
    Clouds,
    Lists,
    Places,
    Reals,
    block_bounds,
    cost,
    estimate,
    highest_prices,
    least_reduced,
)

#: Tolerance, in eps, for a better column that is not on a row's list: renewing a list costs much more than a bid.
SLACK = 16.0


@njit(cache=True, nogil=True)
def auction(c: Clouds, lists: Lists, v: Reals, matched: Places, eps: float, most: int) -> tuple[int, int]:
    """Match rows in place so that c_ij - v_j is minimal up to about ``eps`` >= 1 (Bertsekas, Ann. Oper. Res. 14).

    A free row bids for its best column: the loss with its second best, plus eps. Pairs that satisfy the condition at
    the start keep their match, so that an eps too large for their neighbourhood does not disturb them. Returns the
    number of rows that were free at the start, and the number of bids, at most ``most``.
    """
    n = len(v)
    top, bounds = np.empty(c.low.shape[1]), np.empty(c.low.shape[1])
    work = np.empty(BLOCK + lists.columns.shape[1])
    highest_prices(v, top)
    queue, head, length = np.empty(n, np.int64), 0, 0
    owner = np.full(n, -1)
    for i in range(n):
        j = matched[i]
        if j >= 0:
            _, best, _ = least_reduced(c, lists, v, top, i, SLACK * eps, bounds, work)
            if cost(c, i, j) - v[j] <= best + eps:
                owner[j] = i
                continue
            matched[i] = -1
        queue[length] = i
        length += 1
    freed, bids = length, 0
    while length > 0 and bids < most:
        bids += 1
        i = queue[head]
        head = (head + 1) % n
        length -= 1
        j, best, second = least_reduced(c, lists, v, top, i, SLACK * eps, bounds, work)
        v[j] -= eps + (second - best if second < np.inf else 0.0)
        loser = owner[j]
        owner[j], matched[i] = i, j
        if loser >= 0:
            matched[loser] = -1
            queue[(head + length) % n] = loser
            length += 1
    return freed, bids


@njit(cache=True, nogil=True)
def least_costs(c: Clouds, lists: Lists, v: Reals) -> Reals:
    """u_i = min_j c_ij - v_j over all columns."""
    top, bounds = np.empty(c.low.shape[1]), np.empty(c.low.shape[1])
    work, u = np.empty(BLOCK + lists.columns.shape[1]), np.empty(len(v))
    highest_prices(v, top)
    for i in range(len(v)):
        _, u[i], _ = least_reduced(c, lists, v, top, i, 0.0, bounds, work)
    return u


@njit(cache=True, nogil=True)
def augment(c: Clouds, lists: Lists, v: Reals, matched: Places) -> Reals:
    """Make ``matched`` and ``v`` optimal over all pairs, in place, and return u.

    Frees every row whose column does not have the least c_ij - v_j, and matches each free row along a shortest
    augmenting path (Jonker and Volgenant, Computing 38 (1987) 325, with a heap):

        for each free row: relax the columns on its list, and push them on the heap
            pop the nearest: a column -> continue from the row that owns it; a bound -> relax that row's other columns
            stop at the nearest free column; update the prices of the settled ones; swap matches along the path

    The heap holds the bound for the pairs off a row's list as -1 - row.
    """
    n, k = lists.columns.shape
    top, bounds, work = np.empty(c.low.shape[1]), np.empty(c.low.shape[1]), np.empty(BLOCK + k)
    highest_prices(v, top)
    u, owner = np.empty(n), np.full(n, -1)
    for i in range(n):
        _, u[i], _ = least_reduced(c, lists, v, top, i, 0.0, bounds, work)
        j = matched[i]
        if j >= 0 and cost(c, i, j) - v[j] == u[i]:
            owner[j] = i
        else:
            matched[i] = -1
    distance, before, settled = np.full(n, np.inf), np.full(n, -1, np.int64), np.zeros(n, np.bool_)
    touched, reached_before = np.empty(n, np.int64), np.empty(n, np.int64)
    heap = [(0.0, np.int64(0))]
    for free in range(n):
        if matched[free] >= 0:
            continue
        heap.clear()
        seen, done = 0, 0
        # ``end`` is the nearest free column so far, at distance ``near``
        i, reached, near, end = free, 0.0, np.inf, np.int64(-1)
        while i >= 0:
            away = reached - u[i]
            for q in range(k):
                j = lists.columns[i, q]
                length = away + lists.costs[i, q] - v[j]
                if length < min(distance[j], near) and not settled[j]:
                    if distance[j] == np.inf:
                        touched[seen] = j
                        seen += 1
                    distance[j], before[j] = length, i
                    if owner[j] < 0:
                        near, end = length, j
                    else:
                        heapq.heappush(heap, (length, j))
            if away + lists.bound[i] < near:
                heapq.heappush(heap, (away + lists.bound[i], np.int64(-1 - i)))
            i = -1
            while len(heap) > 0 and i < 0:
                reached, j = heapq.heappop(heap)
                if reached >= near:
                    break
                if j >= 0:
                    if not settled[j]:
                        settled[j] = True
                        reached_before[done] = j
                        done += 1
                        i = owner[j]
                    continue
                row = -1 - j
                away = reached - lists.bound[row]
                block_bounds(c, row, top, bounds)
                for b in range(len(top)):
                    if away + bounds[b] >= near or near <= reached:
                        continue
                    for j in range(b * BLOCK, min(n, (b + 1) * BLOCK)):
                        length = away + cost(c, row, j) - v[j]
                        if length < min(distance[j], near) and not settled[j]:
                            if distance[j] == np.inf:
                                touched[seen] = j
                                seen += 1
                            distance[j], before[j] = length, row
                            if owner[j] < 0:
                                near, end = length, np.int64(j)
                            else:
                                heapq.heappush(heap, (length, np.int64(j)))
        u[free] += near
        for q in range(done):
            j = reached_before[q]
            u[owner[j]] += near - distance[j]
            v[j] -= near - distance[j]
            settled[j] = False
        for q in range(seen):
            distance[touched[q]] = np.inf
        while True:  # swap matches along the path
            i = before[end]
            owner[end] = i
            end, matched[i] = matched[i], end
            if i == free:
                break
    return u


@njit(cache=True, nogil=True)
def looseness(c: Clouds, lists: Lists, v: Reals, matched: Places) -> float:
    """Mean over matched rows of c_ij - v_j at the match minus its minimum: 0 at the optimum."""
    top, bounds = np.empty(c.low.shape[1]), np.empty(c.low.shape[1])
    work = np.empty(BLOCK + lists.columns.shape[1])
    highest_prices(v, top)
    total, pairs = 0.0, 0
    for i in range(len(v)):
        if matched[i] >= 0:
            _, best, _ = least_reduced(c, lists, v, top, i, 0.0, bounds, work)
            total += cost(c, i, matched[i]) - v[matched[i]] - best
            pairs += 1
    return total / max(pairs, 1)


@njit(cache=True, nogil=True)
def violations(c: Clouds, u: Reals, v: Reals, matched: Places) -> int:
    """Count violated optimality conditions: of N^2 pairs, of N matched pairs, and columns not matched exactly once.

    It uses no list and no block, and O(N) memory.
    """
    n, count = len(v), 0
    met = np.zeros(n, np.bool_)
    for i in range(n):
        if matched[i] < 0 or met[matched[i]]:
            count += 1
            continue
        met[matched[i]] = True
        count += cost(c, i, matched[i]) - u[i] - v[matched[i]] != 0.0
    estimates = np.empty(n)
    # bound of the rounding of these sums, so that the estimate misses no pair
    room = ROOM + (np.abs(u).max() + np.abs(v).max()) * 2.0**-48
    for i in range(n):
        lift = (c.x[i, 0] ** 2 + c.x[i, 1] ** 2 + c.x[i, 2] ** 2) * (c.scale * SHRUNK) - room
        a = (2 * c.scale * c.x[i, 0], 2 * c.scale * c.x[i, 1], 2 * c.scale * c.x[i, 2])
        if estimate(c.square, v, c.y[0], c.y[1], c.y[2], a, lift, c.most - room, estimates) >= u[i]:
            continue
        for j in range(n):
            if estimates[j] < u[i] and cost(c, i, j) - v[j] < u[i]:
                count += 1
    return count
