"""The paper's mini-batch linear programming (section 3.3), and the same iteration with exact sub-problems."""

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

    Each iteration draws M rows without replacement and solves for the columns matched to them. It accepts a result that
    lowers the value. It stops when the value falls by less than ``tolerance`` (relative) over a sweep of N / M
    sub-problems, or after ``iterations`` sub-problems. A negative ``tolerance`` is never met.

    ``literal`` is Algorithm 1 as printed: it accepts every result and stops when one sub-problem changes P = sum |x_i -
    y_gamma(i)|^2 [length^2] by less than ``tolerance``. (The paper prints this loop as continuing *while* the change is
    less.)

    The seed [``seed``, ``step``, b, N] draws the rows of data set b. ``status`` is "capped" if ``iterations`` ended
    before a data set met the tolerance, else "converged", or "iterated" for a negative tolerance. There is no proof:
    random subsets stall a fraction of a per cent above the optimum, more if x and y have one law.

    A GPU draws and solves all N / M sub-problems of a sweep at once, for all data sets; a data set stops after the
    sweep in which it would stop on the CPU. Raises `ConfigError` without iterations and with a negative tolerance.
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
                f"an iterative solver with tolerance = {tolerance:g} and no iterations never ends", "give one of them"
            )
        self.size, self.iterations, self.tolerance, self.seed, self.device = M, iterations, tolerance, seed, device
        self.step, self.literal = step, literal

    def sub_problem(self, cost: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the permutation (M,) that solves one sub-problem ``cost`` (M, M)."""
        return loose_assignment(cost)

    def solve(
        self, x: NDArray[np.floating], y: NDArray[np.floating], start: NDArray[np.int64] | None = None
    ) -> Matching:
        count, n = x.shape[:2]
        permutation = np.tile(np.arange(n), (count, 1)) if start is None else np.array(start, np.int64)
        if self.device != "cpu":
            permutation, converged = self._sweeps(x, y, permutation, self.device)
        else:
            converged = True
            for b in range(count):
                converged &= self._improve(x[b].astype(np.float64), y[b].astype(np.float64), permutation[b], b)
        status = "iterated" if self.tolerance < 0 else "converged" if converged else "capped"
        return Matching(permutation, matching_value(x, y, permutation), status)

    def _improve(self, x: NDArray[np.floating], y: NDArray[np.floating], gamma: NDArray[np.int64], b: int) -> bool:
        """Improve ``gamma`` (N,) in place; return whether the tolerance was met."""
        n, size = len(x), min(self.size, len(x))
        generator = np.random.default_rng([self.seed, self.step, b, n])
        sweep = max(1, n // size)
        value = before = float(((x - y[gamma]) ** 2).sum())
        for iteration in itertools.count(1) if self.iterations is None else range(1, self.iterations + 1):
            rows = generator.permutation(n)[:size]
            columns = gamma[rows]
            cost = ((x[rows][:, None] - y[columns][None]) ** 2).sum(-1)
            permutation = self.sub_problem(cost)
            gain = float(np.trace(cost) - cost[np.arange(size), permutation].sum())
            if gain > 0 or self.literal:  # the projection of a loose result may be worse than the current gamma
                gamma[rows] = columns[permutation]
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
        """Solve disjoint sub-problems of all data sets at once through torch; a data set stops as in `_improve`.

        Returns the permutations (B, N), and whether all data sets met the tolerance.
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
            order = np.stack([generator.permutation(n)[: parts * size] for _ in range(len(on))])
            rows = torch.as_tensor(order, device=device)
            columns = gamma[on].gather(1, rows)
            left, right = (
                side[on].take_along_dim(index[..., None], 1).view(len(on) * parts, size, side.shape[2])
                for side, index in ((p, rows), (q, columns))
            )
            cost = ((left[:, :, None] - right[:, None]) ** 2).sum(-1)
            permutations = loose_assignments_gpu(cost)
            best = cost.gather(2, permutations[..., None])[..., 0].sum(1)
            gain = cost.diagonal(dim1=1, dim2=2).sum(1) - best
            # the projection of a loose result may be worse than the current gamma
            accept = (gain > 0)[:, None] | self.literal
            better = torch.where(accept, columns.view(-1, size).gather(1, permutations), columns.view(-1, size))
            gamma[on[:, None], rows] = better.view(len(on), -1)
            gain = gain.view(len(on), parts)
            decrease = gain.clip(min=0).sum(1)
            going = (gain.abs() >= self.tolerance).all(1) if self.literal else decrease > self.tolerance * before[on]
            before[on] -= decrease
            on = on[going]
            if not len(on):
                break
        permutation: NDArray[np.int64] = gamma.cpu().numpy()
        return permutation, not len(on)


class IterativeExact(IterativeLP):
    """The same iteration with SciPy's exact assignment for each sub-problem, to measure the cost of a loose stop."""

    devices = ("cpu",)

    def sub_problem(self, cost: NDArray[np.float64]) -> NDArray[np.int64]:
        from scipy.optimize import linear_sum_assignment

        return np.asarray(linear_sum_assignment(cost)[1])
