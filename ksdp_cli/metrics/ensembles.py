"""Means over the seeds of an ensemble, and distances between two ensembles, with Student's intervals over the seeds.

An ensemble is several independent runs of one problem. It shows the variation between runs directly, without a model of
how particles interact: every interval is Student's t over seeds, at 95 %.

The distance is the mean over all pairs of the S runs of the cloud with the R runs of the reference; the floor is the
mean over the R (R - 1) / 2 pairs of reference runs. Pairs that share a run are not independent, so the variance is that
of the jackknife, which leaves out one run at a time (Arvesen, Ann. Math. Stat. 40 (1969) 2076). Let d(i, j) be the
distances and f(j, k) the floors. The pseudo-values of the excess are the means of d(i, .) for the runs of the cloud,
and d(., j) - [R f - (R - 1) f without j] for those of the reference; their variances add, and the degrees of freedom
are Welch's. A single run of the cloud shows no variation and has no interval. For two ensembles of one law the
jackknife overestimates the variance, so the interval is too wide there; on average it is never too narrow.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from .base import Distance
from .estimates import LEVEL, Estimate
from .moments import Moments, moments
from .solving import Solver, solve_by_threads

Values = NDArray[np.float64]
#: Smallest number of reference runs for an interval of the floor: without one of them a pair must remain.
FEWEST_RUNS = 3


def student(*samples: Sequence[float] | Values, mean: float | None = None) -> Estimate:
    """Mean of independent numbers with Student's 95 % interval; for several samples, the sum of their means.

    A sample of one number counts as exact. Several samples have Welch's degrees of freedom. ``mean`` replaces the sum
    if the samples are pseudo-values. There is no interval unless some sample has two numbers.

    >>> one = student([1.0, 2.0, 3.0])
    >>> one.mean, round(one.high - one.mean, 3)
    (2.0, 2.484)
    """
    from scipy.special import stdtrit

    total = float(sum(np.mean(sample) for sample in samples)) if mean is None else mean
    parts = [(float(np.var(sample, ddof=1)) / len(sample), len(sample) - 1) for sample in samples if len(sample) > 1]
    if not parts:
        return Estimate(total)
    variance, slack = sum(part for part, _ in parts), sum(part**2 / freedom for part, freedom in parts)
    freedom = variance**2 / slack if slack > 0 else min(freedom for _, freedom in parts)
    width = float(stdtrit(freedom, 0.5 + LEVEL / 2)) * math.sqrt(variance)
    return Estimate(total, math.sqrt(variance), total - width, total + width)


@dataclass(frozen=True)
class EnsembleMoments:
    """Means over ``seeds`` runs of ``n`` particles of the mean of x (one entry an axis) and of E|x|^2."""

    seeds: int
    n: int
    mean: tuple[Estimate, ...]
    second_moment: Estimate

    def as_moments(self) -> Moments:
        """As `Moments`, with standard errors over seeds."""
        errors = [math.nan if one.se is None else one.se for one in (*self.mean, self.second_moment)]
        means = np.array([one.mean for one in self.mean])
        return Moments(self.seeds * self.n, means, np.array(errors[:-1]), self.second_moment.mean, errors[-1])


def ensemble_moments(each: Sequence[Moments]) -> EnsembleMoments:
    """The moments of an ensemble from ``each``, the moments of its runs."""
    means = np.stack([one.mean for one in each])
    second = student([one.second_moment for one in each])
    return EnsembleMoments(len(each), each[0].n, tuple(student(column) for column in means.T), second)


def moments_of_runs(clouds: Sequence[Cloud]) -> Moments:
    """Moments with standard errors over the runs ``clouds``; for a single run, those of independent particles."""
    each = [moments(cloud) for cloud in clouds]
    return each[0] if len(each) == 1 else ensemble_moments(each).as_moments()


@dataclass(frozen=True)
class Pairs:
    """Squared distances [length^2] at ``n`` particles a side.

    ``across`` (S, R) is between runs of the cloud and runs of the reference; ``within`` (R, R) between runs of the
    reference, with 0 on its diagonal.
    """

    n: int
    across: Values
    within: Values

    def distance(self) -> Estimate:
        """Mean distance from cloud to reference; the interval covers both ensembles, if they have several runs."""
        return student(self.across.mean(1), self.across.mean(0), mean=float(self.across.mean()))

    def floor(self) -> Estimate | None:
        """Mean distance between two runs of the reference; None if there is only one run."""
        runs = len(self.within)
        if runs < 2:
            return None
        return student(*([self._floors()] if runs >= FEWEST_RUNS else []), mean=self._floor())

    def excess(self) -> Estimate | None:
        """Distance minus floor."""
        runs = len(self.within)
        if runs < 2:
            return None
        mean = float(self.across.mean()) - self._floor()
        if runs < FEWEST_RUNS or len(self.across) < 2:
            return Estimate(mean)
        return student(self.across.mean(1), self.across.mean(0) - self._floors(), mean=mean)

    def rank(self) -> int:
        """Number of reference runs whose mean distance to all other runs is at least that of the cloud's one run.

        It treats all R + 1 runs alike. If they have one law, each rank from 0 to R has probability 1 / (R + 1).
        """
        runs = len(self.within)
        others = (self.within.sum(1) + self.across[0]) / runs
        return int((others >= self.across.mean()).sum())

    def _floor(self) -> float:
        runs = len(self.within)
        return float(self.within.sum()) / (runs * (runs - 1))

    def _floors(self) -> Values:
        """Jackknife pseudo-values (R,) of the floor."""
        runs, whole = len(self.within), self._floor()
        each = self.within.sum(1) / (runs - 1)
        without = (runs * whole - 2 * each) / (runs - 2)
        pseudo: Values = runs * whole - (runs - 1) * without
        return pseudo


def solves(clouds: int, references: int) -> int:
    """Number of distances in `all_pairs`."""
    return clouds * references + references * (references - 1) // 2


def all_pairs(
    metric: Distance,
    clouds: Sequence[Cloud],
    references: Sequence[Cloud],
    n: int,
    *,
    repeats: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    solver: Solver = solve_by_threads,
) -> Pairs:
    """Compute the distance of every pair by ``metric``, as a mean over ``repeats`` sub-samples of ``n`` particles."""
    every = [*clouds, *references]
    first = len(clouds)
    if all(len(one) == n for one in every):
        repeats = 1  # each sub-sample is the whole run
    rows = [_rows(len(one), n, repeats, [seed, 0, i]) for i, one in enumerate(every)]
    pairs = [(i, first + j) for i in range(first) for j in range(len(references))]
    pairs += list(itertools.combinations(range(first, len(every)), 2))
    distances = np.zeros((len(every), len(every)))

    def take(number: int) -> Cloud:
        i, r = divmod(number, repeats)
        return every[i][rows[i][r]]

    sample_pairs = [(i * repeats + r, j * repeats + r) for i, j in pairs for r in range(repeats)]
    values = []
    for done, transport in enumerate(solver(metric, take, sample_pairs), 1):
        values.append(transport.value)
        if progress:
            progress(done, len(sample_pairs))
    for (i, j), each in zip(pairs, np.reshape(values, (len(pairs), repeats)), strict=True):
        distances[i, j] = distances[j, i] = float(np.mean(each))
    return Pairs(n, distances[:first, first:], distances[first:, first:])


def _rows(total: int, n: int, repeats: int, key: list[int]) -> list[NDArray[np.int64]]:
    """Rows of the sub-samples of a run; disjoint if it has enough particles."""
    if total == n:
        return [np.arange(n)] * repeats
    order = np.random.default_rng(key).permutation(total)
    return [np.take(order, range(r * n, (r + 1) * n), mode="wrap") for r in range(repeats)]
