"""Distances of sub-samples, their intervals, and the verdict.

The dual potentials give the variance of a distance. A particle's potential is the derivative of W2^2 with respect to
its weight. The variance of any combination of distances is therefore the sum over particles of their squared
influences, for any set of pairs and repeats (the jackknife; del Barrio and Loubes, Ann. Probab. 47 (2019) 926, prove it
between different laws). It needs neither disjoint sub-samples nor a second solve, and works for N = J.

Three corrections extend this theory of different laws at large N:

- Between samples of *one* law the potentials are noise, W2^2 is quadratic in the fluctuations of the samples, and the
  jackknife counts a quadratic term twice. The floor consists of this part alone and measures it. Let A, B, C be the
  fluctuations of three samples. The W2^2 of two of them is |A - B|^2, and a combination p (a, b) + q (a, c) + s (b, c)
  has (1/4) [(p + q)^2 + (p + s)^2 + (q + s)^2] + (1/2) [p^2 + q^2 + s^2] times the variance of the floor (b, c).
- The other part of the variance is proportional to the excess. With the variance at the measured excess, the interval
  would be too narrow whenever that is small by chance. Wilson's interval (J. Am. Stat. Assoc. 22 (1927) 209) uses the
  variance at each of its own ends.
- Particles of one simulation interact, so its first and second moments differ from run to run by more than those of
  independent particles. Two references measure this ratio in the d (d + 3) / 2 moments of first and second order. The
  linear part of the variance is multiplied by it, the quadratic part by its square. Two halves of one reference cannot
  measure it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from .base import Distance
from .solving import Solver, solve_by_threads
from .wasserstein import power_of_two

LEVEL, NORMAL = 0.95, 1.959964
#: Fraction of the jackknife's variance to remove for a quadratic distance: 1/2, and a little more for higher orders.
#: The jackknife's variance was measured to be 2.0 to 2.3 times the true one there.
COUNTED_TWICE = 0.55
#: Smallest sub-sample whose potentials give an interval.
FEWEST = 20
#: The verdict is "indistinguishable" if the upper end of the excess is at most this fraction of the floor.
SMALL_PART = 0.5
#: What the floor compares half of a reference with; such a floor knows one run only.
REST = "the rest of the reference"
PAIRS = ((0, 1), (0, 2), (1, 2))


@dataclass(frozen=True)
class Estimate:
    """A mean, its standard error and the ends of its 95 % interval; None if they are unknown."""

    mean: float
    se: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Measured:
    """Squared distances of pairs of clouds: ``values`` (repeats, pairs) at ``n`` particles a side.

    ``influence[pair][cloud]`` (J,) is the derivative of the mean over repeats with respect to the weight of each
    particle, times that weight; None for an estimator without potentials, whose intervals are Student's over disjoint
    repeats. ``dispersion`` multiplies the linear part of the variance and ``noise`` its quadratic part. ``source``
    describes the intervals in words.
    """

    n: int
    values: NDArray[np.float64]
    influence: list[dict[int, NDArray[np.float64]]] | None
    dispersion: float
    noise: float
    source: str

    def distance(self) -> Estimate:
        """Distance from cloud to reference; with two references, the mean over both."""
        return self.estimate(1.0) if self.values.shape[1] == 1 else self.estimate(0.5, 0.5, 0.0)

    def floor(self) -> Estimate | None:
        """Distance between the two references; None with one reference."""
        return None if self.values.shape[1] == 1 else self.estimate(0.0, 0.0, 1.0)

    def excess(self) -> Estimate | None:
        """Distance minus floor, paired by repeat; None with one reference."""
        return None if self.values.shape[1] == 1 else self.estimate(0.5, 0.5, -1.0)

    def estimate(self, *weights: float) -> Estimate:
        """Mean and interval of the combination of pairs with these ``weights``."""
        unit = self.unit
        each = (self.values / unit) @ weights
        ratio = self._estimate(each, weights, float((self.values / unit)[:, :2].mean()))
        errors = (None if value is None else value * unit for value in (ratio.se, ratio.low, ratio.high))
        return Estimate(ratio.mean * unit, *errors)

    @property
    def unit(self) -> float:
        """A power of two [length^2]. Division by it is exact, and the squares of all scaled values are finite."""
        parts = [one for of_pair in self.influence or [] for one in of_pair.values()]
        return max([power_of_two(self.values), *(power_of_two(one) for one in parts if one.any())])

    def _estimate(self, each: NDArray[np.float64], weights: tuple[float, ...], apart: float) -> Estimate:
        mean, count = float(each.mean()), len(each)
        if self.influence is not None and self.n >= FEWEST:
            noise, growing = self._variances(weights)
            noise, growing = noise * self.noise, growing * self.dispersion
            # ends t with (t - mean)^2 = NORMAL^2 [noise + growing (1 + (t - mean) / apart)]
            lift = NORMAL**2 * growing / apart / 2 if apart > 0 else 0.0
            width = math.sqrt(NORMAL**2 * (noise + growing) + lift**2)
            return Estimate(mean, math.sqrt(noise + growing), mean + lift - width, mean + lift + width)
        if self.influence is None and count > 1:
            from scipy.special import stdtrit

            se = float(each.std(ddof=1)) * math.sqrt(self.dispersion / count)
            width = float(stdtrit(count - 1, 0.5 + LEVEL / 2)) * se
            return Estimate(mean, se, mean - width, mean + width)
        return Estimate(mean)

    def _variances(self, weights: tuple[float, ...]) -> tuple[float, float]:
        """Return the quadratic part of the variance, which samples of one law have too, and the part linear in the
        excess."""
        whole = self._jackknife(weights)
        if len(weights) < 3:
            return 0.0, whole
        p, q, s = weights
        share = ((p + q) ** 2 + (p + s) ** 2 + (q + s) ** 2) / 4 + (p * p + q * q + s * s) / 2
        of_noise = min(whole, share * self._jackknife((0.0, 0.0, 1.0)))
        return (1 - COUNTED_TWICE) * of_noise, whole - of_noise

    def _jackknife(self, weights: tuple[float, ...]) -> float:
        assert self.influence is not None
        total, unit = 0.0, self.unit
        for cloud in {cloud for of_pair in self.influence for cloud in of_pair}:
            parts = [w * (own[cloud] / unit) for w, own in zip(weights, self.influence, strict=True) if cloud in own]
            together = np.sum(parts, 0)
            total += float(together @ together)
        return total


def measure(
    clouds: list[Cloud],
    metric: Distance,
    n: int,
    repeats: int,
    seed: int,
    *,
    independent: bool = False,
    progress: Callable[[int, int], None] | None = None,
    solver: Solver = solve_by_threads,
) -> Measured:
    """Compute ``metric`` of the pair (0, 1) of two clouds, or of (0, 1), (0, 2) and (1, 2) of three, by ``solver``.

    ``independent``: the last two clouds are independent runs, and the intervals include their difference.
    """
    if max(len(cloud) for cloud in clouds) == n:
        repeats = 1  # every sub-sample is the whole cloud
    rows = [_subsamples(len(cloud), n, repeats, [seed, 0, i]) for i, cloud in enumerate(clouds)]
    pairs = PAIRS[: 1 if len(clouds) == 2 else 3]
    tasks = [(r, k) for r in range(repeats) for k in range(len(pairs))]
    values = np.empty((repeats, len(pairs)))
    influence = [{i: np.zeros(len(clouds[i])) for i in pair} for pair in pairs]

    def take(number: int) -> Cloud:
        i, r = divmod(number, repeats)
        return clouds[i][rows[i][r]]

    sample_pairs = [(pairs[k][0] * repeats + r, pairs[k][1] * repeats + r) for r, k in tasks]
    by_potentials = True
    for done, ((r, k), result) in enumerate(zip(tasks, solver(metric, take, sample_pairs), strict=True), 1):
        values[r, k] = result.value
        by_potentials = result.potentials is not None
        for i, potential in zip(pairs[k], result.potentials or (), strict=by_potentials):
            influence[k][i][rows[i][r]] += (potential - potential.mean()) / (n * repeats)
        if progress:
            progress(done, len(tasks))
    if n < FEWEST:
        return Measured(
            n, values, influence, 1.0, 1.0, f"missing: {n} particles are too few, at least {FEWEST} are needed"
        )
    source = (
        f"by the jackknife over {n} particles per cloud" if by_potentials else f"from {repeats} disjoint sub-samples"
    )
    ratio = noise = 1.0
    if independent:
        used = float(np.mean([min(1.0, repeats * n / len(cloud)) for cloud in clouds]))
        ratio, noise = _ratios(dispersion(clouds[1], clouds[2]), used, clouds[1].shape[1])
        source += f", variance x {ratio:.3g}, since two runs differ by more than two samples" if ratio >= 1.005 else ""
    return Measured(n, values, influence if by_potentials else None, ratio, noise, source)


def _ratios(dispersion: float, used: float, dim: int) -> tuple[float, float]:
    """Factors of the linear and the quadratic part of the variance, both at least 1.

    ``dispersion`` is that of two references and ``used`` the fraction of their particles in sub-samples. The linear
    factor is the dispersion. The quadratic factor is its square over 1 + 2 / m, the mean square of the dispersion of
    independent particles with m moments.
    """
    moments, linear = dim * (dim + 3) / 2, 1 + used * (dispersion - 1)
    return max(1.0, linear), max(1.0, linear**2 / (1 + 2 * used**2 / moments))


def _subsamples(total: int, n: int, repeats: int, key: list[int]) -> list[NDArray[np.int64]]:
    """Rows (n,) of the sub-samples: disjoint if there are enough particles, else each from its own shuffle."""
    generator = np.random.default_rng(key)
    if total == n:
        return [np.arange(n)] * repeats
    if total >= n * repeats:
        return list(generator.permutation(total)[: n * repeats].reshape(repeats, n))
    return [generator.permutation(total)[:n] for _ in range(repeats)]


def dispersion(a: Cloud, b: Cloud) -> float:
    """Mean square difference of the first and second moments of two clouds (n, d), standardised by their covariance.

    It is about 1 for independent particles of one law.
    """
    centre = (a.mean(0, dtype=np.float64) + b.mean(0, dtype=np.float64)) / 2
    a, b = a - centre, b - centre
    unit = max(np.abs(a).max(), np.abs(b).max()) or 1.0
    (mean_a, spread_a), (mean_b, spread_b) = _low_moments(a / unit), _low_moments(b / unit)
    difference = mean_a - mean_b
    return float(difference @ np.linalg.pinv(spread_a + spread_b, hermitian=True) @ difference) / len(difference)


def _low_moments(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means (m,) of x_i and x_i x_j over ``x`` (n, d), and the covariance (m, m) of these means for independent x."""
    i, j = np.triu_indices(x.shape[1])
    terms = np.concatenate([x, x[:, i] * x[:, j]], 1)
    return terms.mean(0), np.cov(terms.T) / len(x)


def verdict(distance: Estimate, floor: Estimate | None, excess: Estimate | None, n: int, other: str) -> str:
    """The comparison in words; ``other`` names the cloud that the floor compares the reference with."""
    if floor is None or excess is None:
        return "no floor, no verdict"
    ratio = f"{distance.mean / floor.mean:.3g} x the floor at N = {n}" if floor.mean > 0 else "above a floor of zero"
    if excess.low is None or excess.high is None:
        return f"{ratio}, without an interval"
    if excess.low > 0:
        return f"different{' from this reference' if other == REST else ''}: {ratio}"
    if distance.mean == floor.mean == 0:
        return f"the same as {other} at N = {n}: distance and floor are 0"
    if excess.high <= SMALL_PART * floor.mean:
        part = math.ceil(100 * max(excess.high, 0.0) / floor.mean)
        return f"indistinguishable from {other} at N = {n} (excess at most {part} % of the floor)"
    most = f"{math.ceil(100 * excess.high / floor.mean)} % of the floor" if floor.mean > 0 else f"{excess.high:.2g}"
    return f"undecided: no difference seen at N = {n}, but an excess of up to {most} cannot be excluded"
