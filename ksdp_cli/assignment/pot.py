"""Solvers of the POT library: the exact network simplex, and the binary-space-partition bijection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import NumericalError
from .base import Matching, matching_value

#: Part of the mean cost that value minus optimum may be, as far as duality proves it.
TOLERANCE = 1e-7
#: Squared distances below this have too few digits in float64.
SMALLEST = 1e-302
EPSILON = float(np.finfo(np.float64).eps)
#: Part by which the cut of the costs lies above the cost of a known matching.
MARGIN = 2.0**-20


class Emd:
    """POT's network simplex on the dense cost matrix in float64: exact, O(N^2) memory. For validation.

    Its potentials bound value minus optimum, ``gap``, over all pairs. Where that is more than 1e-7 of the value, as
    with a particle far from all others, it is solved again with costs cut at what all pairs cost together: no pair of
    an optimal matching costs more. Raises `NumericalError` when that does not do.

    Bonneel, van de Panne, Paris and Heidrich, ACM Trans. Graph. 30 (2011) 158; POT, Flamary et al., JMLR 22 (2021).
    """

    exact = True
    devices = ("cpu",)

    def __init__(self, seed: int = 0) -> None:
        del seed  # nothing here is random

    def solve(
        self, x: NDArray[np.floating], y: NDArray[np.floating], start: NDArray[np.int64] | None = None
    ) -> Matching:
        permutation, gap = np.empty(x.shape[:2], np.int64), np.empty(len(x))
        u, v = np.empty(x.shape[:2]), np.empty(x.shape[:2])
        for b in range(len(x)):
            cost, most = squared_distances(x[b], y[b]), np.inf
            if not (cost.max() == 0 or SMALLEST < cost.max() < np.inf):
                raise NumericalError(
                    f"squared distances to be matched are as large as {cost.max():g}", "use other units"
                )
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
                    told = f"ot.emd is known to be right to {gap[b]:.1e} only, where the value is {now:.1e}"
                    raise NumericalError(told, "use the solver certified")
                np.minimum(cost, most, out=cost)
        return Matching(permutation, matching_value(x, y, permutation), "optimal", gap, (u, v))


def _simplex(cost: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """The permutation and the potentials that POT finds for a cost matrix (N, N)."""
    import ot

    largest = cost.max() or 1.0  # POT stops at reduced costs of an absolute size
    plan, log = ot.emd([], [], cost / largest, numItermax=max(100_000, 200 * len(cost)), log=True)
    if log["warning"] is not None:
        raise NumericalError(f"ot.emd did not reach the optimum: {log['warning']}", "use the solver certified")
    permutation = plan.argmax(1)
    if len(np.unique(permutation)) != len(cost):
        raise NumericalError("ot.emd gave a plan that is no permutation", "use the solver certified")
    return permutation, log["u"] * largest, log["v"] * largest


def squared_distances(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """|x_i - y_j|^2, (n, m) in float64, of differences: right wherever the clouds lie, unlike expanded squares."""
    cost = np.zeros((len(x), len(y)))
    with np.errstate(over="ignore"):
        for p, q in zip(x.T.astype(np.float64), y.T.astype(np.float64), strict=True):
            apart = np.subtract.outer(p, q)
            apart *= apart
            cost += apart
    return cost


class Bsp:
    """Bijection by binary space partitions, the best of ``plans`` random ones merged: an upper bound in O(N log N).

    POT's `compute_bspot_bijection`. Its ``seed`` does not repeat a permutation within one process.
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
            both -= both.mean(0)  # neither where the clouds lie nor their units matter
            p, q = np.split(both / (np.abs(both).max() or 1.0), 2)
            _, permutation[b], _ = compute_bspot_bijection(p, q, n_plans=self.plans, seed=self.seed)
        return Matching(permutation, matching_value(x, y, permutation), "bound")
