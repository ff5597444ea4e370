"""Means over the seeds of an ensemble, and distances between two ensembles, with Student's intervals over the seeds.

An ensemble is several independent runs of one problem. What varies from run to run is then seen, and no model of how
particles interact is needed: an interval is Student's t over seeds, at 95 %.

Distances are those of all pairs: S runs of the cloud a with R runs of the reference b. The floor is the mean over all
R (R - 1) / 2 pairs of the reference. Pairs that share a run are not independent: the variance of a mean over pairs
is that of the jackknife, which leaves out one run at a time (Arvesen, Ann. Math. Stat. 40 (1969) 2076, for such means).
With d(i, j) for the distances and f(j, k) for the floors, the pseudo-values of the excess are the means of d(i, .) over
the runs of the cloud, and d(., j) - [R f - (R - 1) f without j] over those of the reference; their variances add, and
the degrees of freedom are Welch's. One run of the cloud does not show how it varies, and there is no interval. For two
ensembles of one law the mean of pairs varies less than the jackknife says, so that the interval is too wide there, and
never too narrow in the mean.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..base.threads import core_count
from .base import Distance
from .estimates import LEVEL, Estimate
from .moments import Moments, moments

Values = NDArray[np.float64]
#: Runs of the reference from which on the floor has an interval: leaving out one must leave a pair.
FEWEST_RUNS = 3


def student(*samples: Sequence[float] | Values, mean: float | None = None) -> Estimate:
    """The mean of independent numbers with Student's 95 % interval; of several samples the sum of their means.

    A sample of one number counts as exact. Degrees of freedom of several are Welch's; ``mean`` replaces the sum where
    the samples are pseudo-values. Without two numbers anywhere there is no interval.

    >>> one = student([1.0, 2.0, 3.0])
    >>> one.mean, round(one.high - one.mean, 3)
    (2.0, 2.484)
    """
    from scipy.special import stdtrit

    centre = float(sum(np.mean(sample) for sample in samples)) if mean is None else mean
    parts = [(float(np.var(sample, ddof=1)) / len(sample), len(sample) - 1) for sample in samples if len(sample) > 1]
    if not parts:
        return Estimate(centre)
    variance, slack = sum(part for part, _ in parts), sum(part**2 / freedom for part, freedom in parts)
    freedom = variance**2 / slack if slack > 0 else min(freedom for _, freedom in parts)
    width = float(stdtrit(freedom, 0.5 + LEVEL / 2)) * math.sqrt(variance)
    return Estimate(centre, math.sqrt(variance), centre - width, centre + width)


@dataclass(frozen=True)
class EnsembleMoments:
    """Moments of ``seeds`` runs of ``n`` particles: the mean of x (an entry an axis) and E|x|^2, over seeds."""

    seeds: int
    n: int
    mean: tuple[Estimate, ...]
    second_moment: Estimate

    def as_moments(self) -> Moments:
        """With standard errors over seeds."""
        errors = [math.nan if one.se is None else one.se for one in (*self.mean, self.second_moment)]
        means = np.array([one.mean for one in self.mean])
        return Moments(self.seeds * self.n, means, np.array(errors[:-1]), self.second_moment.mean, errors[-1])


def ensemble_moments(each: Sequence[Moments]) -> EnsembleMoments:
    """Of the moments of every run."""
    means = np.stack([one.mean for one in each])
    second = student([one.second_moment for one in each])
    return EnsembleMoments(len(each), each[0].n, tuple(student(column) for column in means.T), second)


def moments_of_runs(clouds: Sequence[Cloud]) -> Moments:
    """Moments of an ensemble with standard errors over its runs; those of independent particles where there is one."""
    each = [moments(cloud) for cloud in clouds]
    return each[0] if len(each) == 1 else ensemble_moments(each).as_moments()


@dataclass(frozen=True)
class Pairs:
    """Squared distances [length^2] at ``n`` particles a side: ``across`` (S, R) from each run of the cloud to each of
    the reference, ``within`` (R, R) between those of the reference, 0 on its diagonal."""

    n: int
    across: Values
    within: Values

    def distance(self) -> Estimate:
        """Cloud to reference; the interval is that over the runs of either, where it has several."""
        return student(self.across.mean(1), self.across.mean(0), mean=float(self.across.mean()))

    def floor(self) -> Estimate | None:
        """Between two runs of the reference; None where there is one."""
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
        """How many runs of the reference are at least as far from all others as the one run of the cloud is.

        All R + 1 runs counted alike, so that for one law every number from 0 to R has the probability 1 / (R + 1).
        """
        runs = len(self.within)
        others = (self.within.sum(1) + self.across[0]) / runs
        return int((others >= self.across.mean()).sum())

    def _floor(self) -> float:
        runs = len(self.within)
        return float(self.within.sum()) / (runs * (runs - 1))

    def _floors(self) -> Values:
        """The pseudo-values (R,) of the floor."""
        runs, whole = len(self.within), self._floor()
        each = self.within.sum(1) / (runs - 1)
        without = (runs * whole - 2 * each) / (runs - 2)
        pseudo: Values = runs * whole - (runs - 1) * without
        return pseudo


def solves(clouds: int, references: int) -> int:
    """The number of `all_pairs`."""
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
) -> Pairs:
    """Distances by ``metric`` of every pair, each the mean over ``repeats`` sub-samples of ``n`` particles of a run."""
    every = [*clouds, *references]
    first = len(clouds)
    if all(len(one) == n for one in every):
        repeats = 1  # each sub-sample is the whole run
    rows = [_rows(len(one), n, repeats, [seed, 0, i]) for i, one in enumerate(every)]
    pairs = [(i, first + j) for i in range(first) for j in range(len(references))]
    pairs += list(itertools.combinations(range(first, len(every)), 2))
    found = np.zeros((len(every), len(every)))

    def one(pair: tuple[int, int]) -> float:
        i, j = pair
        values = [metric.transport(every[i][a], every[j][b]).value for a, b in zip(rows[i], rows[j], strict=True)]
        return float(np.mean(values))

    # one thread more than cores: solvers hold the interpreter's lock for part of their time
    with ThreadPoolExecutor(min(len(pairs), core_count() + 1)) as pool:
        for done, ((i, j), value) in enumerate(zip(pairs, pool.map(one, pairs), strict=True), 1):
            found[i, j] = found[j, i] = value
            if progress:
                progress(done, len(pairs))
    return Pairs(n, found[:first, first:], found[first:, first:])


def _rows(total: int, n: int, repeats: int, key: list[int]) -> list[NDArray[np.int64]]:
    """Sub-samples of a run: disjoint ones while the particles last."""
    if total == n:
        return [np.arange(n)] * repeats
    order = np.random.default_rng(key).permutation(total)
    return [np.take(order, range(r * n, (r + 1) * n), mode="wrap") for r in range(repeats)]
