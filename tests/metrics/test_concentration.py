"""Radii and densities about the densest point; the blow-up time of exact solutions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ksdp_cli.exact.collapse import Collapse
from ksdp_cli.exact.radial import radial
from ksdp_cli.metrics import concentration as module
from ksdp_cli.metrics.blow_up_time import blow_up_time
from ksdp_cli.metrics.concentration import QUANTILES, concentration


def gauss(n: int, dim: int = 2) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((n, dim)) + 5


def test_a_gaussian_has_its_radii() -> None:
    """In the plane the part q lies within sqrt(-2 log(1 - q)); the densest point is within 0.1 of the centre."""
    found = concentration(gauss(40_000), 3.0, 0.7, 1.2)
    np.testing.assert_allclose(found.radii, [math.sqrt(-2 * math.log(1 - q)) for q in QUANTILES], rtol=0.03)
    assert np.linalg.norm(found.centre - 5) < 0.3
    assert found.density == pytest.approx(3 / (2 * math.pi), rel=0.2)  # the largest of 500 with 5 % of noise
    assert found.within == pytest.approx(3 * (1 - math.exp(-0.245)), rel=0.05)
    assert found.critical_radius == pytest.approx(math.sqrt(-2 * math.log(0.6)), rel=0.03)
    assert concentration(gauss(100), 3.0, 0.7, 3.1).critical_radius is None


def test_in_space_a_ball_of_one_density() -> None:
    x = gauss(20_000, 3)
    x /= np.linalg.norm(x - 5, axis=1, keepdims=True)
    inner = concentration(np.concatenate([x, 5 + 0.01 * gauss(300, 3)]), 1.0, 0.1)
    assert inner.density > 100 * inner.wide / 8


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("heavy", [0, 20, 500])
def test_the_densest_point_is_that_of_all_distances(dim: int, heavy: int) -> None:
    """To the bit, also where ``heavy`` particles lie at one point."""
    x = gauss(1200, dim)
    x[:heavy] = x[7]
    candidates = x[::3]
    nearest = np.sort(np.sqrt(sum(np.subtract.outer(a, b) ** 2 for a, b in zip(candidates.T, x.T, strict=True))))
    at = int(np.argmin(nearest[:, 15]))
    found = concentration(x, 1.0, 0.1)
    assert np.array_equal(found.centre, candidates[at])
    assert found.radii[2] == np.sort(np.sqrt(((x - candidates[at]) ** 2).sum(1)))[599]


def test_few_particles_at_one_point() -> None:
    found = concentration(np.zeros((3, 2)), 1.0, 0.1)
    assert found.density == math.inf
    assert found.radii == (0.0,) * len(QUANTILES)


@pytest.mark.parametrize("dim", [2, 3])
def test_all_distances_and_the_tree_find_one_densest_point(dim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = gauss(module.FEW, dim).astype(np.float32)
    few = concentration(cloud, 1.0, 0.1)
    monkeypatch.setattr(module, "FEW", 0)
    np.testing.assert_array_equal(concentration(cloud, 1.0, 0.1).centre, few.centre)


@pytest.mark.parametrize("M", [16, 40])
def test_the_radial_blow_up_is_foretold(M: int) -> None:
    """From times that are a part of its own: within 1 % of the exact time for r = 0.08, and 0.4 % for 0.04."""
    exact = radial(0.001, M=M * math.pi).blow_up_time
    times = np.linspace(exact / 200, 0.9995 * exact, 80)
    solution, r = radial(times.tolist(), M=M * math.pi), np.geomspace(1e-4, 3, 2000)
    squares = [float(np.interp(8 / M, solution.mass_within(r, t), r)) ** 2 for t in times]
    for least, error in ((0.08, 0.013), (0.04, 0.005)):
        found = blow_up_time(times, squares, least)
        assert found is not None
        assert found.t == pytest.approx(exact, rel=error)
        assert found.low < exact < found.high


def test_the_blow_up_in_space_is_foretold() -> None:
    """1 / rho(0, t) = (T - t) / 6 is linear: no error at all."""
    solution, times = Collapse(0.05), np.linspace(0, 0.049, 30)
    found = blow_up_time(times, [1 / solution.central_density(t) for t in times], math.sqrt(0.001 / 6))
    assert found is not None
    assert found.t == pytest.approx(0.05, rel=1e-9)


def test_a_radius_that_does_not_fall_has_no_blow_up_time() -> None:
    assert blow_up_time([0, 1, 2], [1.0, 1.2, 1.4], 0.1) is None
    assert blow_up_time([0, 1, 2], [1.0, 0.8, 0.6], 0.5) is None
    assert blow_up_time([0, 1], [0.001, 0.0005], 0.1) is None  # it began narrower
    assert blow_up_time([0, 1, 2], [1.0, math.nan, 0.0], 0.25) is not None
