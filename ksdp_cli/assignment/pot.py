"""Solvers of the POT library: the exact network simplex, and the binary-space-partition bijection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NumericalError
from .base import Matching, matching_value


class Emd:
    """POT's network simplex on the dense cost matrix in float64: exact, O(N^2) memory. For validation.

    Bonneel, van de Panne, Paris and Heidrich, ACM Trans. Graph. 30 (2011) 158; POT, Flamary et al., JMLR 22 (2021).
    """

    exact = True
    devices = ("cpu",)

    def __init__(self, seed: int = 0) -> None:
        del seed  # nothing here is random

    def solve(self, x: NDArray[Any], y: NDArray[Any], start: NDArray[np.int64] | None = None) -> Matching:
        import ot

        permutation = np.empty(x.shape[:2], np.int64)
        u, v = np.empty(x.shape[:2]), np.empty(x.shape[:2])
        for b in range(len(x)):
            cost = ot.dist(x[b].astype(np.float64), y[b].astype(np.float64))
            plan, log = ot.emd([], [], cost, numItermax=max(100_000, 200 * len(cost)), log=True)
            if log["warning"] is not None:
                raise NumericalError(f"ot.emd did not reach the optimum: {log['warning']}", "use the solver certified")
            permutation[b], u[b], v[b] = plan.argmax(1), log["u"], log["v"]
            if len(np.unique(permutation[b])) != len(cost):
                raise NumericalError("ot.emd gave a plan that is no permutation", "use the solver certified")
        return Matching(permutation, matching_value(x, y, permutation), "optimal", np.zeros(len(x)), (u, v))


class Bsp:
    """Bijection by binary space partitions, the best of ``plans`` random ones merged: an upper bound in O(N log N).

    POT's `compute_bspot_bijection`. Its ``seed`` does not repeat a permutation within one process.
    """

    exact = False
    devices = ("cpu",)

    def __init__(self, plans: int = 64, seed: int = 0) -> None:
        self.plans, self.seed = plans, seed

    def solve(self, x: NDArray[Any], y: NDArray[Any], start: NDArray[np.int64] | None = None) -> Matching:
        from ot import compute_bspot_bijection

        permutation = np.empty(x.shape[:2], np.int64)
        for b in range(len(x)):
            _, permutation[b], _ = compute_bspot_bijection(
                x[b].astype(np.float64), y[b].astype(np.float64), n_plans=self.plans, seed=self.seed
            )
        return Matching(permutation, matching_value(x, y, permutation), "bound")
