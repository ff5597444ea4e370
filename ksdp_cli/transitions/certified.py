"""Exact optimal assignment on a sparse graph, proven over all pairs.

Candidate edges (nearest neighbours both ways, a few binary-space-partition plans, the previous permutation) go to
OR-Tools' cost-scaling assignment with integer costs. Dual prices follow from the sparse optimum by label correcting;
then the reduced cost of *every* pair is bounded, without an N x N matrix. Pairs that violate it are added, and the
problem is solved again: from scratch while most rows are violated, by shortest augmenting paths from the prices at
hand once few are. When no pair is violated, the answer is optimal over all N^2 pairs, up to integer rounding.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..errors import NumericalError
from .base import Matching, matching_value
from .sparse_dual import augment, correct_labels, pair_costs, violations

NEIGHBOURS = 6
#: Random partition plans among the first edges, and from ``MANY`` points on: fewer cost several rounds more.
PLANS, PLANS_OF_MANY, MANY = 6, 16, 5000
ADDED_PER_ROW = 12
ROUNDS = 60
#: OR-Tools scales costs by N + 1 and lets prices change by N times the largest, all in 63 bits.
LARGEST_COST, LARGEST_PRICE = 2.0**46, 2.0**59


class Certified:
    """Exact, with a certificate: ``gap`` bounds value minus optimum by the rounding of costs to integers.

    About 1e-13 to 1e-9 of the squared diameter, as N goes from 100 to 10^4. Data sets are solved side by side on all
    cores; OR-Tools holds the interpreter's lock, the compiled loops do not. ``start`` saves a few rounds.

    Raises `NumericalError` when no certificate is reached in ``ROUNDS`` rounds.
    """

    exact = True
    devices = ("cpu",)

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def solve(self, x: NDArray[Any], y: NDArray[Any], start: NDArray[np.int64] | None = None) -> Matching:
        def one(b: int) -> Assigned:
            return assign(x[b], y[b], None if start is None else start[b], self.seed + b)

        if len(x) > 1:
            with ThreadPoolExecutor(min(len(x), os.cpu_count() or 1)) as pool:
                found = list(pool.map(one, range(len(x))))
        else:
            found = [one(b) for b in range(len(x))]
        permutation, gap, u, v = (np.stack(part) for part in zip(*found, strict=True))
        return Matching(permutation, matching_value(x, y, permutation), "certified", gap, (u, v))


#: A permutation (N,), its proven gap, and the prices (N,) of rows and columns in units of the cost.
Assigned: TypeAlias = tuple[NDArray[np.int64], float, NDArray[np.float64], NDArray[np.float64]]


def assign(x: NDArray[Any], y: NDArray[Any], start: NDArray[np.int64] | None, seed: int = 0) -> Assigned:
    """The optimal permutation of ``x`` (N, d) onto ``y`` (N, d), d <= 3, the proven gap of its mean cost, prices."""
    x, y = np.ascontiguousarray(x, np.float64), np.ascontiguousarray(y, np.float64)
    n = len(x)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise NumericalError("a cloud to be matched has entries that are not finite")
    diameter2 = float(((np.maximum(x.max(0), y.max(0)) - np.minimum(x.min(0), y.min(0))) ** 2).sum())
    if n == 1 or diameter2 == 0.0:
        return np.arange(n), 0.0, ((x - y) ** 2).sum(1), np.zeros(n)
    scale = min(LARGEST_COST, LARGEST_PRICE / (n + 1) ** 2) / diameter2
    codes = _candidates(x, y, start, seed)
    matched, u, v = np.empty(0, np.int64), np.empty(0, np.int64), np.zeros(n, np.int64)
    violated = n
    for _ in range(ROUNDS):
        rows, columns = np.divmod(codes, n)
        costs = pair_costs(x, y, rows, columns, scale)
        first = np.searchsorted(rows, np.arange(n + 1))
        if not len(matched) or 2 * violated > n:
            matched = _sparse_optimum(n, rows, columns, costs)
            u, settled = correct_labels(first, columns, costs, matched, v)
        else:
            settled = augment(first, columns, costs, matched, u, v)
        if not settled:
            raise NumericalError("the sparse assignment is not optimal", "use the solver emd")
        extra, count = violations(x, y, u, v, scale, ADDED_PER_ROW)
        if count == 0:
            # half a unit for the answer's costs, half for the optimum's, a quarter for floating point
            return matched, 1.25 / scale, u / scale, v / scale
        violated = 1 + int((np.diff(extra // n) != 0).sum())
        codes = _sorted_union(codes, extra)
    raise NumericalError(f"no certificate after {ROUNDS} rounds for N = {n}", "use the solver emd")


def _candidates(x: NDArray[Any], y: NDArray[Any], start: NDArray[np.int64] | None, seed: int) -> NDArray[np.int64]:
    """Codes row * N + column of the first edges; one perfect matching at least is among them."""
    from scipy.spatial import cKDTree

    n, k = len(x), min(NEIGHBOURS, len(x))
    rows = np.repeat(np.arange(n), k)
    forward = rows * n + cKDTree(y).query(x, k)[1].reshape(-1)
    backward = cKDTree(x).query(y, k)[1].reshape(-1) * n + rows
    plans = [] if start is None else [np.asarray(start)]
    generator = np.random.default_rng([seed, n])
    plans += [partition_plan(x, y, generator) for _ in range(PLANS if n < MANY else PLANS_OF_MANY)]
    return _sorted_union(forward, backward, *(np.arange(n) * n + plan for plan in plans))


def _sorted_union(*codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The distinct codes in order; `np.unique` and `np.union1d` take 10 times as long."""
    merged = np.sort(np.concatenate(codes))
    return merged[np.append(True, merged[1:] != merged[:-1])]


def partition_plan(x: NDArray[Any], y: NDArray[Any], generator: np.random.Generator) -> NDArray[np.int64]:
    """A permutation from halving both clouds along common random directions until single points are left."""
    n = len(x)
    directions = generator.standard_normal((64, x.shape[1]))
    left, right = np.arange(n), np.arange(n)
    _halve(x, y, left, right, directions / np.linalg.norm(directions, axis=1)[:, None])
    plan = np.empty(n, np.int64)
    plan[left] = right
    return plan


@njit(cache=True, nogil=True)
def _halve(x: Any, y: Any, left: Any, right: Any, directions: Any) -> None:
    stack = [(0, len(left), 0)]
    while len(stack):
        first, last, depth = stack.pop()
        if last - first < 2:
            continue
        way = directions[(depth * 7 + first) % len(directions)]
        a, b = left[first:last].copy(), right[first:last].copy()
        keys_a, keys_b = np.empty(len(a)), np.empty(len(b))
        for i in range(len(a)):
            keys_a[i] = (x[a[i]] * way).sum()
            keys_b[i] = (y[b[i]] * way).sum()
        left[first:last] = a[np.argsort(keys_a)]
        right[first:last] = b[np.argsort(keys_b)]
        middle = (first + last) // 2
        stack.append((first, middle, depth + 1))
        stack.append((middle, last, depth + 1))


def _sparse_optimum(
    n: int, rows: NDArray[np.int64], columns: NDArray[np.int64], costs: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The cheapest perfect matching of the sparse graph."""
    from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment

    problem = SimpleLinearSumAssignment()
    problem.add_arcs_with_cost(rows, columns, costs)
    status = problem.solve()
    if status != problem.OPTIMAL:
        raise NumericalError(f"the sparse assignment ended with status {status}", "use the solver emd")
    return np.array([problem.right_mate(i) for i in range(n)], np.int64)
