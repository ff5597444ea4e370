"""Moments and the radial distribution against plain NumPy, exact laws and their own standard errors."""

from __future__ import annotations

import numpy as np
import pytest

from ksdp_cli.errors import DataError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.metrics import moment_differences, moments, radial_comparison, radial_distribution
from ksdp_cli.metrics.moments import moment_rows
from ksdp_cli.metrics.radial import Radial


def test_moments_are_those_of_numpy_in_float64() -> None:
    x = (1000 + np.random.default_rng(0).standard_normal((5000, 3))).astype(np.float32)
    found, wide = moments(x), x.astype(float)
    np.testing.assert_allclose(found.mean, wide.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.mean_se, wide.std(0, ddof=1) / np.sqrt(5000), rtol=1e-6)
    assert found.second_moment == pytest.approx((wide**2).sum(1).mean(), rel=1e-12)
    assert found.second_moment_se == pytest.approx((wide**2).sum(1).std(ddof=1) / np.sqrt(5000), rel=1e-6)


def test_differences_are_standard_normal() -> None:
    """400 independent pairs of discs: variance 1 +- 0.28 is 4 standard errors."""
    rows = []
    for seed in range(400):
        a, b = (moments(Ball().draw(200, 2, 2 * seed + side)) for side in (0, 1))
        apart = moment_differences(a, b)
        rows.append([*apart["mean"], apart["second_moment"]])
    np.testing.assert_allclose(np.var(rows, axis=0), 1.0, atol=0.28)


def test_particles_at_one_point_are_within_their_distance() -> None:
    """As those of a heavy particle: whatever the root in the radius and its square round."""
    for seed in range(20):
        x = np.random.default_rng(seed).normal(size=(100, 2)).astype(np.float32)
        x[:90] = x[0] / 8
        assert radial_comparison(x, x)[0]["cloud"] >= 0.9  # the radius of 5 to 90 % is one row


def test_radial_distribution_of_the_disc_is_r_squared() -> None:
    """Each fraction within 4.5 standard errors: by chance once in 10^5 of them."""
    x, radii = Ball().draw(20_000, 2, 1), np.array([0.1, 0.3, 0.5, 0.9, 1.0])
    found, p = radial_distribution(x, radii), radii**2
    assert (np.abs(found - p) <= 4.5 * np.sqrt(p * (1 - p) / len(x))).all()
    exact = radial_distribution(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]]), [0.5, 1.0, 4.9, 5.0])
    np.testing.assert_array_equal(exact, np.array([0, 1, 2, 3]) / 3)


def test_radial_comparison_sees_what_is_there() -> None:
    a, b = Ball().draw(4000, 2, 2), Ball().draw(4000, 2, 3)
    same, contracted = radial_comparison(a, b), radial_comparison(0.8 * a, b)
    assert [row["reference"] for row in same] == pytest.approx([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95], abs=1e-3)
    assert all(abs(row["apart"] or 0.0) < 4.5 for row in same)
    assert all((row["apart"] or 0.0) > 5 for row in contracted[:5])


def test_radial_errors_of_an_ensemble_are_over_its_runs() -> None:
    """Runs that differ by more than their particles do: 40 discs of another size each, against 40 of one size."""
    scales = 1 + 0.1 * np.random.default_rng(0).standard_normal(40)
    alike = [Ball().draw(500, 2, seed) for seed in range(40)]
    unlike = [scale * one for scale, one in zip(scales, alike, strict=True)]
    for row in Radial().rows_of_runs(unlike, alike)[1:5]:
        p = row["reference"] or 0.0
        independent = np.sqrt(p * (1 - p) / 20_000)
        each = [radial_distribution(x, [row["r"]])[0] for x in unlike]
        assert row["cloud"] == pytest.approx(np.mean(each))
        assert row["cloud_se"] == pytest.approx(np.std(each, ddof=1) / np.sqrt(40))
        assert (row["cloud_se"] or 0.0) > 1.5 * independent
        assert row["reference_se"] == pytest.approx(independent, rel=0.5)


def test_rows_end_with_the_law() -> None:
    a, b = moments(Ball().draw(100, 2, 4)), moments(Ball().draw(100, 2, 5))
    assert [row[0] for row in moment_rows(a, b)] == ["mean x", "mean y", "E|x|^2"]
    last = moment_rows(a, b, law=0.5)[-1]
    assert last[5] == pytest.approx((a.second_moment - 0.5) / a.second_moment_se)


def test_wrong_clouds_are_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        moments(np.array([[np.nan, 1.0]]))
    with pytest.raises(DataError, match=r"shape \(0, 2\)"):
        radial_distribution(np.zeros((0, 2)), [1.0])
