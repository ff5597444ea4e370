"""Solvers of the POT library: the exact network simplex, and the binary-space-partition bijection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import NumericalError
from .base import Matching, matching_value

#: Largest gap between value and optimum, proven by duality, relative to the value.
TOLERANCE = 1e-7
#: Squared distances below this have too few digits in float64.
SMALLEST = 1e-302
EPSILON = float(np.finfo(np.float64).eps)
#: Relative margin of the cut of the costs above the cost of a known matching.
MARGIN = 2.0**-20


class Emd:
    """POT's network simplex on the dense cost matrix in float64: exact, O(N^2) memory. For validation.

    Its potentials give a bound of value minus optimum, ``gap``, over all pairs. If that exceeds 1e-7 of the value, for
    example with one particle far from all others, it solves again with the costs cut at the total cost of the known
    matching: no pair of an optimal matching costs more. Raises `NumericalError` if the gap stays too large, and for
    distances beyond the range of float64.

    Bonneel, van de Panne, Paris and Heidrich, ACM Trans. Graph. 30 (2011) 158; POT, Flamary et al., JMLR 22 (2021).
    """

    exact = True
    devices = ("cpu",)

    def __init__(self, seed: int = 0) -> None:
        del seed  # the solver is deterministic

    def solve(
        self, x: NDArray[np.floating], y: NDArray[np.floating], start: NDArray[np.int64] | None = None
    ) -> Matching:
        permutation, gap = np.empty(x.shape[:2], np.int64), np.empty(len(x))
        u, v = np.empty(x.shape[:2]), np.empty(x.shape[:2])
        for b in range(len(x)):
            cost, most = squared_distances(x[b], y[b]), np.inf
            if not (cost.max() == 0 or SMALLEST < cost.max() < np.inf):
                raise NumericalError(f"the largest squared distance is {cost.max():g}", "use other units")
            while True:
                permutation[b], u[b], v[b] = _simplex(cost)
                now = float(cost[np.arange(len(cost)), permutation[b]].mean())
                least = sum(float((row - u[b, i] - v[b]).min()) for i, row in enumerate(cost)) / len(cost)
                rounding = 4 * EPSILON * (np.abs(u[b]).max() + np.abs(v[b]).max() + now)
                gap[b] = min(now, max(0.0, now - u[b].mean() - v[b].mean()) + max(0.0, -least) + rounding)
                if gap[b] <= TOLERANCE * now:
                    break
                before, most = most, len(cost) * now * (1 + MARGIN)
                if not most < before / 2:
                    message = f"ot.emd has a proven gap of {gap[b]:.1e} at a value of {now:.1e}"
                    raise NumericalError(message, "use the solver certified")
                np.minimum(cost, most, out=cost)
        return Matching(permutation, matching_value(x, y, permutation), "optimal", gap, (u, v))


def _simplex(cost: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """The permutation (N,) and the potentials (N,) of POT for a cost matrix (N, N)."""
    import ot

    largest = cost.max() or 1.0  # POT stops at an absolute size of reduced costs
    plan, log = ot.emd([], [], cost / largest, numItermax=max(100_000, 200 * len(cost)), log=True)
    if log["warning"] is not None:
        raise NumericalError(f"ot.emd did not reach the optimum: {log['warning']}", "use the solver certified")
    permutation = plan.argmax(1)
    if len(np.unique(permutation)) != len(cost):
        raise NumericalError("ot.emd returned a plan that is not a permutation", "use the solver certified")
    return permutation, log["u"] * largest, log["v"] * largest


def squared_distances(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """|x_i - y_j|^2 (n, m) in float64 from differences, which stays accurate far from the origin."""
    cost = np.zeros((len(x), len(y)))
    with np.errstate(over="ignore"):
        for p, q in zip(x.T.astype(np.float64), y.T.astype(np.float64), strict=True):
            difference = np.subtract.outer(p, q)
            difference *= difference
            cost += difference
    return cost


class Bsp:
    """Bijection by binary space partitions, merged from ``plans`` random ones: an upper bound in O(N log N).

    It is POT's `compute_bspot_bijection`. Two calls with one ``seed`` in one process return different permutations.
    """

    exact = False
    devices = ("cpu",)

    def __init__(self, plans: int = 64, seed: int = 0) -> None:
        self.plans, self.seed = plans, seed % 2**31  # POT takes 32 bits

    def solve(
        self, x: NDArray[np.floating], y: NDArray[np.floating], start: NDArray[np.int64] | None = None
    ) -> Matching:
        from ot import compute_bspot_bijection

        permutation = np.empty(x.shape[:2], np.int64)
        for b in range(len(x)):
            both = np.concatenate([x[b], y[b]]).astype(np.float64)
            both -= both.mean(0)  # makes the result independent of origin and units
            p, q = np.split(both / (np.abs(both).max() or 1.0), 2)
            _, permutation[b], _ = compute_bspot_bijection(p, q, n_plans=self.plans, seed=self.seed)
        return Matching(permutation, matching_value(x, y, permutation), "bound")
