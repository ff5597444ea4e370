"""Floors, sizes, intervals and verdicts of whole comparisons."""

from __future__ import annotations

import re
import threading
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from ksdp_cli.base.shapes import Cloud
from ksdp_cli.base.threads import limit_threads
from ksdp_cli.errors import ConfigError, DataError, ResourceError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.metrics import announce, compare_clouds, exact_w2_squared, wasserstein
from ksdp_cli.metrics.base import Distance, Transport
from ksdp_cli.metrics.binned import Binned
from ksdp_cli.metrics.comparison import HALVES, TWO_RUNS
from ksdp_cli.metrics.estimates import Estimate, dispersion, verdict
from ksdp_cli.metrics.exact import Exact
from ksdp_cli.metrics.sizes import default_sizes
from ksdp_cli.metrics.sliced import Sliced
from ksdp_cli.metrics.solving import solve_by_threads
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.simulation import Simulation

RIGHT = np.array([0.2, 0.0])


def disc(n: int, seed: int) -> NDArray[np.float64]:
    return Ball().draw(n, 2, seed).astype(float)


def test_with_all_particles_it_is_the_three_distances() -> None:
    a, b, c = disc(200, 0) + RIGHT, disc(200, 1), disc(200, 2)
    found = compare_clouds(a, b, c)
    ab, ac, bc = exact_w2_squared(a, b), exact_w2_squared(a, c), exact_w2_squared(b, c)
    assert (found.N, found.repeats, found.floor_source) == (200, 1, TWO_RUNS)
    assert found.w2_squared_each == (ab, ac)
    assert found.w2_squared == pytest.approx((ab + ac) / 2, rel=1e-12)
    assert found.w2 == pytest.approx(found.w2_squared**0.5)
    assert found.floor == pytest.approx(bc)
    assert found.excess == pytest.approx((ab + ac) / 2 - bc)
    assert compare_clouds(a + RIGHT, b, c).verdict.endswith("x the floor at N = 200")


def test_one_reference_is_cut_in_halves_and_says_so() -> None:
    found = compare_clouds(disc(300, 0), disc(400, 1))
    assert (found.N, found.repeats, found.floor_source) == (60, 3, HALVES)
    assert found.floor_source == HALVES
    without = compare_clouds(disc(300, 0), disc(400, 1), n=300)
    assert without.floor is None
    assert without.excess is None
    assert "400 particles, fewer than 2 N" in without.floor_source
    assert without.verdict == "no floor, no verdict"
    assert without.w2_squared_low is not None


def test_a_seed_decides_the_sub_samples() -> None:
    clouds = disc(500, 0), disc(500, 1), disc(500, 2)
    first, same, other = (compare_clouds(*clouds, n=100, seed=seed) for seed in (1, 1, 2))
    assert first.repeats == 3
    assert first.as_dict() == same.as_dict()
    assert first.w2_squared != other.w2_squared


def test_default_sizes() -> None:
    small, large, huge = np.zeros((300, 2)), np.zeros((10_000, 2)), np.zeros((10**6, 2))
    assert default_sizes(large, large, large) == (10_000, 1)
    assert default_sizes(large, large, None) == (2000, 2)
    assert default_sizes(huge, huge, huge) == (10_000, 3)
    assert default_sizes(huge, small, None) == (60, 2)
    assert default_sizes(huge, huge, None) == (10_000, 3)
    assert default_sizes(huge, huge, None, n=2000, repeats=7) == (2000, 7)
    assert default_sizes(small[:1], small[:1], None) == (1, 1)


def test_too_few_particles_give_no_interval() -> None:
    found = compare_clouds(disc(10, 0), disc(10, 1), disc(10, 2))
    assert found.excess_low is None
    assert found.w2_squared_se is None
    assert found.interval_source.startswith("missing: 10 ")
    assert "without an interval" in found.verdict


@pytest.mark.parametrize("shift", [0.0, 0.2])
@pytest.mark.parametrize("mode", ["whole", "sub-samples", "halves"])
def test_the_interval_contains_the_true_excess(mode: str, shift: float) -> None:
    """|s|^2 is in the 95 % interval in 88 to 100 of 100 pairs, and no interval is far too wide.

    With coverage p = 0.95 fewer than 88 come by chance in 1 of 800 sets of pairs, with p = 0.97 in 1 of 10^5. The
    stated standard error lies within 30 % of the true one, here 1.0 to 1.15 of it; 100 pairs know the latter to 7 %.
    """
    n, rows = 80, []
    for pair in range(100):
        a, b, c = (disc(n if mode != "sub-samples" else 5 * n, 3 * pair + i) for i in range(3))
        a += np.array([shift, 0.0])
        if mode == "halves":
            found = compare_clouds(a, np.concatenate([b, c]), n=n, seed=pair)
        else:
            found = compare_clouds(a, b, c, n=n, seed=pair)
        assert found.excess is not None
        assert found.excess_low is not None
        assert found.excess_high is not None
        rows.append((found.excess, found.excess_low, found.excess_high))
    excess, low, high = np.array(rows).T
    contained = int(((low <= shift**2) & (shift**2 <= high)).sum())
    assert contained >= 88
    stated = (high - low).mean() / (2 * 1.96)
    assert 0.7 < stated / excess.std() < 1.45
    if mode == "halves":  # the excess is unbiased: 4 standard errors
        assert abs(excess.mean() - shift**2) < 4 * excess.std() / 10


def runs(J: int, count: int) -> list[NDArray[np.float64]]:
    """Independent simulations of equation (8) in the plane to t = 0.05, where the cloud has begun to collapse."""
    found: list[NDArray[np.float64]] = []
    for seed in range(count):
        simulation = Simulation(pose({"T": 0.05, "dt": 2.5e-3, "J": J, "seed": seed}), "cpu", threads=1)
        simulation.start()
        simulation.run(lambda k, frame: found.append(frame[0].astype(float)), lambda done: None)
    return found


def test_the_interval_holds_for_particles_that_interact() -> None:
    """A second run makes the default floor: 0 is in the interval in 68 or more of 80 pairs.

    With coverage p = 0.95, which 200 pairs of each law gave, fewer come by chance in 1 of 6000 sets of pairs. Such runs
    differ by more than independent particles do: the variance of their low moments is 1.9 times as large in 200 pairs.
    The mean of 80 such ratios has a standard error of 0.15, so that one below 1.3 is four of them away. A cloud that is
    moved by 0.2 is still found.
    """
    clouds = runs(100, 240)
    held, ratios = 0, []
    for a, b, c in zip(clouds[::3], clouds[1::3], clouds[2::3], strict=True):
        found = compare_clouds(a, b, c)
        assert found.excess_low is not None
        assert found.excess_high is not None
        held += found.excess_low <= 0 <= found.excess_high
        ratios.append(dispersion(b, c))
    assert held >= 68
    assert np.mean(ratios) > 1.3
    a, b, c = runs(1000, 3)
    assert compare_clouds(a + RIGHT, b, c).verdict.endswith("x the floor at N = 1000")


def test_dispersion_is_one_for_independent_particles_and_sees_runs() -> None:
    """The mean of 5 squared standard normals: 1 +- 0.63, so +- 0.2 for the mean of 100 pairs is over 3 s.e.

    With a common displacement of each cloud of three times the standard error of its mean, two moments of five vary
    1 + 9 times as much: 4.6 in the mean, whose standard error is 0.6.
    """
    generator = np.random.default_rng(0)
    pairs = [(disc(500, 2 * k), disc(500, 2 * k + 1)) for k in range(100)]
    assert np.mean([dispersion(a, b) for a, b in pairs]) == pytest.approx(1.0, abs=0.2)
    drift = 3 * 0.5 / np.sqrt(500)
    moved = [(a + drift * generator.standard_normal(2), b + drift * generator.standard_normal(2)) for a, b in pairs]
    assert np.mean([dispersion(a, b) for a, b in moved]) == pytest.approx(4.6, abs=2.0)


def test_two_runs_that_differ_widen_the_interval() -> None:
    a, b, c = disc(400, 0), disc(400, 1), disc(400, 2)
    near, far = compare_clouds(a, b, c), compare_clouds(a, b, c + 0.2)
    assert near.excess_high is not None
    assert far.excess_high is not None
    assert near.excess_low is not None
    assert far.excess_low is not None
    assert far.excess_high - far.excess_low > 3 * (near.excess_high - near.excess_low)
    assert "since two runs differ" in far.interval_source


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.5, 1.5, r"different: 2 x .* 9$"),
        (-0.2, 0.4, r"indistinguishable from X .* 9 .* 40 %"),
        (-0.4, -0.2, r"indistinguishable from X .* 9 .* 0 %"),
        (-0.2, 0.6, r"undecided: .* 9, .* 60 %"),
        (None, None, r"2 x .* 9, "),
    ],
)
def test_verdicts(low: float | None, high: float | None, expected: str) -> None:
    assert re.match(expected, verdict(Estimate(2.0), Estimate(1.0), Estimate(0.0, None, low, high), 9, "X"))


def test_halves_of_one_run_tell_of_this_reference_only() -> None:
    cloud = disc(2000, 0)
    assert compare_clouds(cloud + RIGHT, disc(2000, 1), n=200).verdict.startswith("different from this reference")


def test_errors_have_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = disc(50, 0), disc(40, 1)
    with pytest.raises(ConfigError, match=r"reference.*--N 40"):
        compare_clouds(x, y, n=50)
    with pytest.raises(ConfigError, match="N = 0"):
        compare_clouds(x, y, n=0)
    with pytest.raises(DataError, match="second reference"):
        compare_clouds(x, y, y.copy())
    with pytest.raises(DataError, match=r" 2 .*second reference.* 3"):
        compare_clouds(x, y, np.zeros((40, 3)))
    broken = y.copy()
    broken[7, 1] = np.inf
    with pytest.raises(DataError, match=r"1 of 40.*reference.* 7"):
        compare_clouds(x, broken)
    with pytest.raises(DataError, match=r"cloud.*\(0, 2\)"):
        compare_clouds(x[:0], y)
    monkeypatch.setattr(wasserstein, "available_memory", lambda: 10_000)
    with pytest.raises(ResourceError, match=r"'certified'.*N = 8"):
        compare_clouds(x, y)


def test_what_is_announced() -> None:
    huge, runs = np.zeros((10**6, 2), np.float32), np.zeros((10_000, 2), np.float32)
    told = announce([Exact(huge, runs, runs + 1, estimator="emd"), Binned(huge, runs, runs + 1)])
    assert "N = 10000 particles per cloud, 3 times: about" in told[0]
    assert "3.9 GiB" in told[0]
    assert told[1] == "exact W2 takes 1 x 10000 of the 1000000 particles of the cloud"
    assert told[2] == "binned W2 takes 1 x 10000 of the 1000000 particles of the cloud"
    halves = announce([Sliced(runs, runs)])
    assert halves == [
        "sliced W2 takes 2 x 2000 of the 10000 particles of the cloud, "
        "2 x 2000 of each half (5000) of the 10000 of the reference"
    ]
    assert announce([Exact(runs[:500], runs[:500], runs[:500] + 1, estimator="emd")]) == []


class Slow(Distance):
    """Notes how many are computed at one time."""

    title = "slow"
    now = most = 0
    lock = threading.Lock()

    def transport(self, x: Cloud, y: Cloud) -> Transport:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        with self.lock:
            self.now -= 1
        return Transport(float(x[0, 0] - y[0, 0]))


def test_one_thread_is_one_thread() -> None:
    clouds = [np.full((1, 2), float(i)) for i in range(6)]
    metric = Slow(clouds[0], clouds[1])
    with limit_threads(1):
        found = list(solve_by_threads(metric, clouds.__getitem__, [(i, 0) for i in range(6)]))
    assert [one.value for one in found] == [0, 1, 2, 3, 4, 5]
    assert metric.most == 1
