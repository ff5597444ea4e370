"""Distances, intervals and moments of clouds without extent, of one particle, far from 0 and in extreme units."""

from __future__ import annotations

import itertools
import json
import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from ksdp_cli import plugins
from ksdp_cli.metrics import (
    approximation,
    binned_w2_squared,
    bound_w2_squared,
    compare_clouds,
    exact_w2_squared,
    moment_differences,
    moment_rows,
    moments,
    radial_comparison,
    sliced_w2_squared,
)
from ksdp_cli.metrics.base import Distance

METRICS = {entry.name: entry.load() for entry in plugins.registry().of_kind("metric")}
METRICS = {name: metric for name, metric in METRICS.items() if issubclass(metric, Distance)}
DISTANCES: dict[str, Callable[..., float]] = {
    "certified": exact_w2_squared, "emd": lambda x, y: exact_w2_squared(x, y, "emd"), "sliced": sliced_w2_squared,
    "binned": binned_w2_squared, "bound": bound_w2_squared,
}  # fmt: skip


def normal(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b, c = np.random.default_rng(seed).standard_normal((3, n, 2))
    return a, 1.2 * b, c


def degenerate() -> dict[str, np.ndarray]:
    """Clouds of 60 that no method should trip over."""
    a, _, _ = normal()
    line = a * [1.0, 0.0]
    two = np.repeat([[0.0, 0.0], [1.0, 0.0]], 30, axis=0)
    return {"constant": np.ones((60, 2)), "zero": np.zeros((60, 2)), "line": line, "two points": two, "plane": a}


@pytest.mark.parametrize("distance", DISTANCES)
def test_every_distance_takes_every_cloud(distance: str) -> None:
    """Between a cloud and itself moved by (3, 4): 25 where it is exact, 25 / 2 over all directions, within a cell."""
    for name, x in degenerate().items():
        found = DISTANCES[distance](x, np.random.default_rng(1).permutation(x) + np.array([3.0, 4.0]))
        wanted = 12.5 if distance == "sliced" else 25.0
        loose = {"sliced": 2.5, "binned": 6.0, "bound": 40.0}.get(distance, 1e-9)
        assert wanted - min(loose, 6.0) <= found <= wanted + loose, name
        assert DISTANCES[distance](x, x) == pytest.approx(0.0, abs=1e-12) or distance == "bound"


@pytest.mark.parametrize("given", list(itertools.product(degenerate(), repeat=2)), ids="-".join)
def test_comparisons_end_in_a_verdict(given: tuple[str, str]) -> None:
    """Of all pairs, with two references and with halves, without one warning; 0 is said to be 0."""
    cloud, reference = (degenerate()[name] for name in given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for second in (None, np.concatenate([reference, reference[:1]])):
            found = compare_clouds(cloud, reference, second, n=30)
            others = [approximation(name, metric(cloud, reference, second)) for name, metric in METRICS.items()]
            for one in (found.as_dict(), *(other.as_dict() for other in others), radial_comparison(cloud, reference)):
                json.dumps(one, allow_nan=False, default=str)
            if given in (("constant", "constant"), ("zero", "zero")):
                assert found.w2_squared == found.floor == found.excess == 0.0
                assert "distance and floor are 0" in found.verdict


def test_one_particle_has_no_standard_error() -> None:
    one, many = np.array([[3.0, 4.0]]), normal()[0]
    found = moments(one)
    assert (found.second_moment, math.isnan(found.second_moment_se)) == (25.0, True)
    assert found.as_dict()["mean_se"] == [None, None]
    assert moment_differences(found, moments(many)) == {"mean": [None, None], "second_moment": None}
    assert [row[2] for row in moment_rows(found, moments(many))] == [None, None, None]
    compared = compare_clouds(one, np.array([[0.0, 0.0]]), np.array([[0.0, 1.0]]))
    assert (compared.w2_squared, compared.w2_squared_se) == ((25.0 + 18.0) / 2, None)
    json.dumps(compared.as_dict(), allow_nan=False)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("shift", [1e4, 1e8])
def test_distances_do_not_depend_on_a_common_translation(distance: str, shift: float) -> None:
    """Entries are rounded to 2^-53 of the shift, and a distance changes by no more than some of those."""
    x, y, _ = normal()
    found, moved = (DISTANCES[distance](x + s, y + s) for s in (0.0, shift))
    if distance == "bound":  # another bijection at each call
        assert exact_w2_squared(x, y) * (1 - 1e-6) <= moved <= 3 * found
        return
    assert abs(moved**0.5 - found**0.5) <= 8 * 2.0**-53 * shift + 1e-9


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("unit", [1e-150, 1e-20, 1e20, 1e150])
def test_units_do_not_matter(distance: str, unit: float) -> None:
    x, y, _ = normal()
    found, other = DISTANCES[distance](x, y), DISTANCES[distance](unit * x, unit * y) / unit / unit
    if distance == "bound":
        assert exact_w2_squared(x, y) * (1 - 1e-9) <= other <= 3 * found
    else:
        assert other == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("unit", [1e-150, 1e-20, 1e20, 1e150])
def test_nor_do_they_for_intervals_and_verdicts(unit: float) -> None:
    a, b, c = normal(200, seed=3)
    home, away = compare_clouds(a, b, c), compare_clouds(unit * a, unit * b, unit * c)
    for name in ("w2_squared", "w2_squared_se", "floor", "floor_se", "excess", "excess_low", "excess_high"):
        assert getattr(away, name) / unit / unit == pytest.approx(getattr(home, name), rel=1e-6), name
    assert away.interval_source == home.interval_source
    assert away.cloud.second_moment_se / unit / unit == pytest.approx(home.cloud.second_moment_se, rel=1e-9)


def test_a_far_particle_moves_the_exact_distance_by_its_own_share() -> None:
    """(far, 0) to (far, 1) adds 1 / N: both estimators, and so the floor and the excess."""
    x, y, _ = normal()
    alone = exact_w2_squared(x[:-1], y[:-1]) * 59 / 60
    for far in (1e6, 1e12):
        x[-1], y[-1] = (far, 0.0), (far, 1.0)
        for estimator in ("certified", "emd"):
            assert exact_w2_squared(x, y, estimator) == pytest.approx(alone + 1 / 60, rel=1e-9)
