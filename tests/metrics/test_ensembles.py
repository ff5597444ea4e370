"""Intervals over seeds: Student's t covers, the jackknife of pairs covers, and pairs are what they are called.

Coverages are counted over independent repetitions; a right interval of 95 % fails a bound below with probability 1e-6.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, t

from ksdp_cli.metrics import exact_w2_squared, moments
from ksdp_cli.metrics.ensembles import Pairs, all_pairs, ensemble_moments, student
from ksdp_cli.metrics.exact import Exact

FAILS = 1e-6


def test_the_interval_is_students() -> None:
    x = np.random.default_rng(0).standard_normal(7)
    found = student(x)
    half = t.ppf(0.975, 6) * x.std(ddof=1) / np.sqrt(7)
    assert (found.mean, found.low, found.high) == pytest.approx((x.mean(), x.mean() - half, x.mean() + half))
    assert student([3.0]).low is None
    assert student([2.0, 2.0]).high == 2.0


@pytest.mark.parametrize("count", [2, 3, 16])
def test_a_band_over_seeds_covers(count: int) -> None:
    """Of a normal law exactly 95 %, for any number of seeds."""
    samples, times = np.random.default_rng(count).standard_normal((4000, count)) + 5.0, 4000
    bands = [student(sample) for sample in samples]
    hits = sum(band.low <= 5.0 <= band.high for band in bands if band.low is not None and band.high is not None)
    assert binom.ppf(FAILS / 2, times, 0.95) <= hits <= binom.isf(FAILS / 2, times, 0.95)


def squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return ((a[:, None] - b[None]) ** 2).sum(-1)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize(("clouds", "references"), [(5, 5), (8, 16), (16, 3)])
def test_the_interval_of_the_excess_covers(shift: float, clouds: int, references: int) -> None:
    """A law in which it is known: a run is one normal point of R^3, the excess of |a - b|^2 is shift^2 exactly.

    Welch's degrees of freedom are an approximation: 94 % are asked for, and more where both laws are one.
    """
    rng, times, hits = np.random.default_rng([clouds, references, int(10 * shift)]), 1500, 0
    for _ in range(times):
        a, b = rng.standard_normal((clouds, 3)), rng.standard_normal((references, 3))
        a[:, 0] += shift
        found = Pairs(1, squares(a, b), squares(b, b)).excess()
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= shift**2 <= found.high
    assert hits >= binom.ppf(FAILS, times, 0.93)


def test_pairs_of_an_ensemble() -> None:
    rng = np.random.default_rng(1)
    clouds, references = rng.standard_normal((2, 30, 2)), rng.standard_normal((4, 30, 2))
    found = all_pairs(Exact(clouds[0], references[0]), clouds, references, 30)
    assert found.across[1, 2] == pytest.approx(exact_w2_squared(clouds[1], references[2]))
    assert found.within[0, 3] == found.within[3, 0] == pytest.approx(exact_w2_squared(references[0], references[3]))
    floor, excess = found.floor(), found.excess()
    assert floor is not None
    assert excess is not None
    every = [exact_w2_squared(references[i], references[j]) for i in range(4) for j in range(i)]
    assert floor.mean == pytest.approx(np.mean(every))
    assert excess.mean == pytest.approx(found.across.mean() - np.mean(every))


def test_too_few_runs_have_no_interval() -> None:
    rng = np.random.default_rng(2)
    one = Pairs(1, rng.random((1, 5)), squares(*[rng.random((5, 2))] * 2)).excess()
    two = Pairs(1, rng.random((5, 2)), squares(*[rng.random((2, 2))] * 2))
    assert one is not None
    assert one.low is None
    assert two.excess() is not None
    assert (two.excess().low, two.floor().low) == (None, None)  # type: ignore[union-attr]
    alone = Pairs(1, rng.random((5, 1)), np.zeros((1, 1)))
    assert (alone.floor(), alone.excess()) == (None, None)
    assert alone.distance().low is not None


def test_moments_over_runs() -> None:
    clouds = np.random.default_rng(3).standard_normal((5, 100, 2))
    found = ensemble_moments([moments(cloud) for cloud in clouds])
    each = (clouds**2).sum(-1).mean(-1)
    assert found.second_moment == student(each)
    whole = found.as_moments()
    assert (whole.n, whole.second_moment) == (500, pytest.approx(each.mean()))
    assert whole.mean == pytest.approx(clouds.mean((0, 1)))


def test_the_place_of_one_run_is_uniform() -> None:
    """For one law each of the 6 places of a run among 5 others has the probability 1 / 6."""
    rng, counts = np.random.default_rng(4), np.zeros(6, int)
    for _ in range(3000):
        a, b = rng.standard_normal((1, 3)), rng.standard_normal((5, 3))
        counts[Pairs(1, squares(a, b), squares(b, b)).rank()] += 1
    assert (counts >= binom.ppf(FAILS / 12, 3000, 1 / 6)).all()
    assert (counts <= binom.isf(FAILS / 12, 3000, 1 / 6)).all()
    far = Pairs(1, squares(np.full((1, 3), 50.0), b), squares(b, b))
    assert far.rank() == 0
