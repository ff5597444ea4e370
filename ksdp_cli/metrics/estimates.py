"""Repeated sub-samples, their means, intervals, and the verdict.

Sub-samples that share particles vary less than independent ones: with N = J all repeats are the same number, and their
spread would be zero. So a spread s is only taken over disjoint sub-samples. When there are not three of N particles at
least, five disjoint blocks of J/5 particles at most give it, and it is scaled: the variance of W2^2 over n particles
falls with n at least as fast as 1/n (as 1/n between different laws, faster between equal ones), so the result is right
or too wide. Two repeats of N out of J particles share N/J of them, which gives the mean over r repeats the variance

    s^2 (block size / N) [1/r + (1 - 1/r) N/J],    the last term being absent when the repeats are disjoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..shapes import Cloud
from .wasserstein import exact_w2_squared

LEVEL = 0.95
BLOCKS, FEWEST_REPEATS = 5, 3
#: There is said to be no difference when even the upper end of its interval is no more than this part of the floor.
SMALL_PART = 0.5


@dataclass(frozen=True)
class Estimate:
    """A mean, its standard error and the ends of its 95 % interval, which are None where nothing gives them."""

    mean: float
    se: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Measured:
    """W2^2 of pairs of clouds: ``values`` (repeats, pairs) at N, ``blocks`` (k, pairs) over disjoint sub-samples.

    ``ratio`` is the variance of the mean of ``values`` over the variance of one block, ``source`` says it in words.
    """

    values: NDArray[np.float64]
    blocks: NDArray[np.float64]
    ratio: float
    source: str

    def estimate(self, *weights: float) -> Estimate:
        """The mean of a combination of pairs with Student's interval."""
        mean, k = float((self.values @ weights).mean()), len(self.blocks)
        if k < 2:
            return Estimate(mean)
        from scipy.special import stdtrit

        se = float((self.blocks @ weights).std(ddof=1)) * math.sqrt(self.ratio)
        width = float(stdtrit(k - 1, 0.5 + LEVEL / 2)) * se
        return Estimate(mean, se, mean - width, mean + width)


def measure(clouds: list[Cloud], n: int, repeats: int, seed: int, estimator: str) -> Measured:
    """Exact W2^2 of the pair (0, 1) of two clouds, or of (0, 1), (0, 2) and (1, 2) of three."""
    fewest = min(len(cloud) for cloud in clouds)
    if max(len(cloud) for cloud in clouds) == n:
        repeats = 1  # every sub-sample is the whole cloud
    values = _repeat(clouds, n, repeats, [seed, 0], estimator)
    disjoint = repeats * n <= fewest
    if disjoint and repeats >= FEWEST_REPEATS:
        return Measured(values, values, 1 / repeats, f"spread of {repeats} disjoint sub-samples")
    size = min(n, fewest // BLOCKS)
    if size < 2:
        return Measured(values, values[:0], 1.0, f"no interval: {fewest} particles are too few")
    blocks = _repeat(clouds, size, BLOCKS, [seed, 1], estimator)
    shared = 0.0 if disjoint else (1 - 1 / repeats) * n / fewest
    source = f"spread of {BLOCKS} disjoint blocks of {size} particles, scaled"
    return Measured(values, blocks, size / n * (1 / repeats + shared), source)


def _repeat(clouds: list[Cloud], n: int, repeats: int, key: list[int], estimator: str) -> NDArray[np.float64]:
    drawn = [_subsamples(cloud, n, repeats, [*key, i]) for i, cloud in enumerate(clouds)]
    pairs = [(0, 1), (0, 2), (1, 2)][: 1 if len(clouds) == 2 else 3]
    return np.array([[exact_w2_squared(drawn[i][r], drawn[j][r], estimator) for i, j in pairs] for r in range(repeats)])


def _subsamples(cloud: Cloud, n: int, repeats: int, key: list[int]) -> list[Cloud]:
    """Disjoint sub-samples (n, d) while the particles last, else each from a shuffle of its own."""
    generator = np.random.default_rng(key)
    if len(cloud) >= n * repeats:
        chosen = generator.choice(len(cloud), (repeats, n), replace=False)
        return [cloud[rows] for rows in chosen]
    return [cloud[generator.permutation(len(cloud))[:n]] for _ in range(repeats)]


def verdict(distance: Estimate, floor: Estimate | None, excess: Estimate | None, n: int, other: str) -> str:
    """The comparison in words; ``other`` is what the floor compares the reference with."""
    if floor is None or excess is None:
        return "no floor, no verdict"
    ratio = f"{distance.mean / floor.mean:.3g} x the floor at N = {n}" if floor.mean > 0 else "above a floor of zero"
    if excess.low is None or excess.high is None:
        return f"{ratio}, without an interval"
    if excess.low > 0:
        return ratio
    if excess.high <= SMALL_PART * floor.mean:
        part = math.ceil(100 * max(excess.high, 0.0) / floor.mean)
        return f"indistinguishable from {other} at N = {n} (excess at most {part} % of the floor)"
    between = f"the excess lies between {excess.low:.2g} and {excess.high:.2g}"
    return f"undecided at N = {n}: {between}, the floor is {floor.mean:.2g}"
