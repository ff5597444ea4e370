"""The exact distance against translations, Gaussians, sorting, POT, and its own potentials against weights."""

from __future__ import annotations

import numpy as np
import ot
import pytest
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from ksdp_cli.errors import ConfigError, DataError, ResourceError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.metrics import exact_w2_squared, w2_memory, wasserstein
from ksdp_cli.metrics.wasserstein import ESTIMATORS, exact_transport


def ball(n: int, seed: int, dim: int = 2) -> NDArray[np.float32]:
    return Ball().draw(n, dim, seed)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("dim", [2, 3])
def test_a_translation_is_its_length_squared(estimator: str, dim: int) -> None:
    x = ball(300, 0, dim).astype(float)
    shift = np.arange(1.0, dim + 1) / 7
    y = np.random.default_rng(0).permutation(x + shift)
    assert exact_w2_squared(x, y, estimator) == pytest.approx(shift @ shift, rel=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_excess_of_a_translated_sample_is_exact(estimator: str) -> None:
    """W2^2 (x + s, y) = W2^2 (x, y) + 2 s (mean x - mean y) + |s|^2: the optimal matching does not change."""
    x, y, s = ball(200, 1).astype(float), ball(200, 2).astype(float), np.array([0.3, -0.1])
    moved = exact_w2_squared(x, y, estimator) + 2 * s @ (x.mean(0) - y.mean(0)) + s @ s
    assert exact_w2_squared(x + s, y, estimator) == pytest.approx(moved, rel=1e-9)


def test_gaussians_have_the_bures_distance() -> None:
    """An affine image of one sample, by the optimal map between the Gaussians of its own moments."""
    generator = np.random.default_rng(3)
    x = generator.standard_normal((400, 2)) @ np.array([[1.0, 0.3], [0.0, 0.6]])
    a, b = np.cov(x.T, bias=True), np.array([[0.5, -0.2], [-0.2, 0.9]])
    root = sqrtm(a).real
    inner = sqrtm(root @ b @ root).real
    optimal = np.linalg.inv(root) @ inner @ np.linalg.inv(root)
    mean = np.array([0.4, -1.0])
    y = (x - x.mean(0)) @ optimal + mean
    bures = np.sum((x.mean(0) - mean) ** 2) + np.trace(a + b - 2 * inner)
    assert exact_w2_squared(x, generator.permutation(y)) == pytest.approx(bures, rel=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_on_a_line_it_sorts(estimator: str) -> None:
    generator = np.random.default_rng(4)
    x, y = generator.standard_normal((2, 500))
    found = exact_w2_squared(x[:, None], y[:, None] ** 3, estimator)
    assert found == pytest.approx(((np.sort(x) - np.sort(y**3)) ** 2).mean(), rel=1e-9)


@pytest.mark.parametrize("contracted", [1.0, 0.02])
def test_both_estimators_and_pot_agree(contracted: float) -> None:
    x, y = ball(400, 5, 3).astype(float), ball(400, 6, 3).astype(float)
    y[:200] *= contracted
    peer = ot.emd2([], [], ot.dist(x, y))
    for estimator in ESTIMATORS:
        assert exact_w2_squared(x, y, estimator) == pytest.approx(peer, rel=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_potentials_are_feasible_and_tight(estimator: str) -> None:
    x, y = ball(300, 7).astype(float), ball(300, 8).astype(float)
    found = exact_transport(x, y, estimator)
    assert found.potentials is not None
    u, v = found.potentials
    slack = ((x[:, None] - y) ** 2).sum(-1) - u[:, None] - v
    assert slack.min() > -1e-9
    assert u.mean() + v.mean() == pytest.approx(found.value, abs=1e-9)


def test_a_potential_is_the_derivative_by_the_weight() -> None:
    """W2^2 is convex and piecewise linear in the weights, with the potentials among its subgradients."""
    x, y, small = ball(60, 9).astype(float), ball(60, 10).astype(float), 1e-4
    found = exact_transport(x, y)
    assert found.potentials is not None
    u, cost, even = found.potentials[0], ot.dist(x, y), np.full(60, 1 / 60)
    for i, j in ((0, 1), (5, 40), (17, 33)):
        toward = np.zeros(60)
        toward[i], toward[j] = small, -small
        slope = (ot.emd2(even + toward, even, cost) - found.value) / small
        opposite = (found.value - ot.emd2(even - toward, even, cost)) / small
        assert opposite - 1e-6 <= u[i] - u[j] <= slope + 1e-6


def test_errors_have_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    x = ball(50, 11)
    broken = x.copy()
    broken[[3, 8]] = np.nan
    with pytest.raises(DataError, match=r"2 of 50.*second cloud"):
        exact_w2_squared(x, broken)
    with pytest.raises(DataError, match=r"shape \(0, 2\)"):
        exact_w2_squared(x[:0], x[:0])
    with pytest.raises(DataError, match=r"2 .*second cloud 3"):
        exact_w2_squared(x, ball(50, 11, 3))
    with pytest.raises(DataError, match="50 and 40"):
        exact_w2_squared(x, x[:40])
    with pytest.raises(ConfigError, match="'sinkhorn'"):
        exact_w2_squared(x, x, "sinkhorn")
    with pytest.raises(DataError, match=r"'certified'.* 3 .*4.*'emd'"):
        exact_w2_squared(np.zeros((5, 4)), np.zeros((5, 4)))
    monkeypatch.setattr(wasserstein, "available_memory", lambda: w2_memory(50, "emd") - 1)
    with pytest.raises(ResourceError, match=r"50.* --N .*--estimator"):
        exact_w2_squared(x, x, "emd")
