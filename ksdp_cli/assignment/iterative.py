"""The paper's mini-batch linear programming, section 3.3, and the same iteration with exact sub-problems."""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .base import Matching, matching_value
from .interior_point import loose_assignment


class IterativeLP:
    """Solves random M x M sub-problems (16)-(17) by an interior point method with a loose stop, and projects by (18).

    Each iteration draws M rows without replacement and the columns matched to them. It goes on until the value has
    fallen by less than ``tolerance`` of itself over as many sub-problems as touch every row once, at most
    ``iterations`` of them where that is given; a negative ``tolerance`` is never met. A loose answer is taken where it
    gains.

    ``literal`` is Algorithm 1 as it is printed: until one sub-problem changes P = sum |x_i - y_gamma(i)|^2 [length^2]
    by less than ``tolerance``, every answer taken. (Its loop is printed as going on *while* the change is less.)

    The rows of data set b are drawn from the seed [``seed``, ``step``, b, N]. ``status`` is "capped" when
    ``iterations`` ended before the tolerance was met in a data set, else "converged", and "iterated" without a
    tolerance. It proves nothing: random subsets stall a fraction of a percent above the optimum, more when x and y are
    alike.

    On a GPU the N / M sub-problems that touch every row once are drawn and solved at a time, of all data sets; a data
    set ends with the sweep in which it would.
    """

    exact, iterative = False, True
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")

    def __init__(
        self,
        M: int = 50,
        iterations: int | None = None,
        tolerance: float = 1e-3,
        seed: int = 0,
        device: str = "cpu",
        step: int = 0,
        literal: bool = False,
    ) -> None:
        if iterations is None and tolerance < 0:
            raise ConfigError(
                "an iterative solver without a tolerance needs a number of iterations", "give one of them"
            )
        self.size, self.iterations, self.tolerance, self.seed, self.device = M, iterations, tolerance, seed, device
        self.step, self.literal = step, literal

    def sub_problem(self, cost: NDArray[np.float64]) -> NDArray[np.int64]:
        """The permutation that solves one (M, M) sub-problem."""
        return loose_assignment(cost)

    def solve(
        self, x: NDArray[np.floating], y: NDArray[np.floating], start: NDArray[np.int64] | None = None
    ) -> Matching:
        count, n = x.shape[:2]
        permutation = np.tile(np.arange(n), (count, 1)) if start is None else np.array(start, np.int64)
        if self.device != "cpu":
            permutation, met = self._sweeps(x, y, permutation, self.device)
        else:
            met = True
            for b in range(count):
                met &= self._improve(x[b].astype(np.float64), y[b].astype(np.float64), permutation[b], b)
        status = "iterated" if self.tolerance < 0 else "converged" if met else "capped"
        return Matching(permutation, matching_value(x, y, permutation), status)

    def _improve(self, x: NDArray[np.floating], y: NDArray[np.floating], gamma: NDArray[np.int64], b: int) -> bool:
        """Change ``gamma`` in place, and say whether the tolerance was met."""
        n, size = len(x), min(self.size, len(x))
        generator = np.random.default_rng([self.seed, self.step, b, n])
        sweep = max(1, n // size)
        value = before = float(((x - y[gamma]) ** 2).sum())
        for iteration in itertools.count(1) if self.iterations is None else range(1, self.iterations + 1):
            rows = generator.permutation(n)[:size]
            columns = gamma[rows]
            cost = ((x[rows][:, None] - y[columns][None]) ** 2).sum(-1)
            found = self.sub_problem(cost)
            gain = float(np.trace(cost) - cost[np.arange(size), found].sum())
            if gain > 0 or self.literal:  # the projection of a loose answer may be worse than what stands
                gamma[rows] = columns[found]
                value -= gain
            if self.literal:
                if abs(gain) < self.tolerance:
                    return True
            elif iteration % sweep == 0:
                if before - value <= self.tolerance * before:
                    return True
                before = value
        return False

    def _sweeps(
        self, x: NDArray[np.floating], y: NDArray[np.floating], start: NDArray[np.int64], device: str
    ) -> tuple[NDArray[np.int64], bool]:
        """Disjoint sub-problems of all data sets side by side through torch; a data set stops as in `_improve`.

        Returns the permutations, and whether the tolerance was met in all.
        """
        import torch

        from .interior_point_gpu import loose_assignments_gpu

        count, n = x.shape[:2]
        size, sweep = min(self.size, n), max(1, n // min(self.size, n))
        generator = np.random.default_rng([self.seed, self.step, 0, n])
        p, q, gamma = (torch.tensor(part, device=device) for part in (x.astype(float), y.astype(float), start))
        on = torch.arange(count, device=device)
        before = ((p - q.take_along_dim(gamma[..., None], 1)) ** 2).sum((1, 2))
        most = self.iterations
        for done in itertools.count(0, sweep) if most is None else range(0, most, sweep):
            parts = sweep if most is None else min(sweep, most - done)
            drawn = np.stack([generator.permutation(n)[: parts * size] for _ in range(len(on))])
            rows = torch.as_tensor(drawn, device=device)
            columns = gamma[on].gather(1, rows)
            left, right = (
                side[on].take_along_dim(chosen[..., None], 1).view(len(on) * parts, size, side.shape[2])
                for side, chosen in ((p, rows), (q, columns))
            )
            cost = ((left[:, :, None] - right[:, None]) ** 2).sum(-1)
            found = loose_assignments_gpu(cost)
            reached = cost.gather(2, found[..., None])[..., 0].sum(1)
            gain = cost.diagonal(dim1=1, dim2=2).sum(1) - reached
            # the projection of a loose answer may be worse than what stands
            taken = (gain > 0)[:, None] | self.literal
            better = torch.where(taken, columns.view(-1, size).gather(1, found), columns.view(-1, size))
            gamma[on[:, None], rows] = better.view(len(on), -1)
            gain = gain.view(len(on), parts)
            fallen = gain.clip(min=0).sum(1)
            going = (gain.abs() >= self.tolerance).all(1) if self.literal else fallen > self.tolerance * before[on]
            before[on] -= fallen
            on = on[going]
            if not len(on):
                break
        permutation: NDArray[np.int64] = gamma.cpu().numpy()
        return permutation, not len(on)


class IterativeExact(IterativeLP):
    """The same iteration, each sub-problem by SciPy's exact assignment: what the interior point method costs."""

    devices = ("cpu",)

    def sub_problem(self, cost: NDArray[np.float64]) -> NDArray[np.int64]:
        from scipy.optimize import linear_sum_assignment

        return np.asarray(linear_sum_assignment(cost)[1])
