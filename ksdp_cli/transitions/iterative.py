"""The paper's mini-batch linear programming, section 3.3, and the same iteration with exact sub-problems."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Matching, matching_value
from .interior_point import loose_assignment


class IterativeLP:
    """Solves random M x M sub-problems (16)-(17) by an interior point method with a loose stop, and projects by (18).

    Each iteration draws M rows without replacement and the columns matched to them. Up to ``iterations``, and until
    the value has fallen by less than ``tolerance`` of itself over as many sub-problems as touch every row once. It
    proves nothing: random subsets stall a fraction of a percent above the optimum, more when x and y are alike.
    """

    exact = False
    devices = ("cpu",)

    def __init__(self, M: int = 50, iterations: int = 2000, tolerance: float = 1e-3, seed: int = 0) -> None:
        self.size, self.iterations, self.tolerance, self.seed = M, iterations, tolerance, seed

    def sub_problem(self, cost: NDArray[np.float64]) -> NDArray[np.int64]:
        """The permutation that solves one (M, M) sub-problem."""
        return loose_assignment(cost)

    def solve(self, x: NDArray[Any], y: NDArray[Any], start: NDArray[np.int64] | None = None) -> Matching:
        count, n = x.shape[:2]
        permutation = np.tile(np.arange(n), (count, 1)) if start is None else np.array(start, np.int64)
        for b in range(count):
            self._improve(x[b].astype(np.float64), y[b].astype(np.float64), permutation[b], self.seed + b)
        return Matching(permutation, matching_value(x, y, permutation), "iterated")

    def _improve(self, x: NDArray[Any], y: NDArray[Any], gamma: NDArray[np.int64], seed: int) -> None:
        n, size = len(x), min(self.size, len(x))
        generator = np.random.default_rng([seed, n])
        sweep = max(1, n // size)
        value = before = float(((x - y[gamma]) ** 2).sum())
        for iteration in range(1, self.iterations + 1):
            rows = generator.permutation(n)[:size]
            columns = gamma[rows]
            cost = ((x[rows][:, None] - y[columns][None]) ** 2).sum(-1)
            found = self.sub_problem(cost)
            gain = float(np.trace(cost) - cost[np.arange(size), found].sum())
            if gain > 0:  # the projection of a loose answer may be worse than what stands
                gamma[rows] = columns[found]
                value -= gain
            if iteration % sweep == 0:
                if before - value <= self.tolerance * before:
                    return
                before = value


class IterativeExact(IterativeLP):
    """The same iteration, each sub-problem by SciPy's exact assignment: what the interior point method costs."""

    def sub_problem(self, cost: NDArray[np.float64]) -> NDArray[np.int64]:
        from scipy.optimize import linear_sum_assignment

        return linear_sum_assignment(cost)[1]
