"""The map of physical parameters: scales, round trips, and what lies outside."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.learning.eta_map import EtaMap

AMPLITUDES = 10 ** (0.2 * np.arange(11))
TIMES = np.linspace(0.005, 0.1, 20)


@pytest.mark.parametrize(
    ("grid", "log"),
    [(AMPLITUDES, True), (TIMES, False), (np.linspace(0, 0.1, 11), False), ([1.0, 100.0], False), ([50.0], False),
     ([-1.0, 1.0, 10.0], False), (2.0 ** np.arange(3), True)],
)  # fmt: skip
def test_the_scale_follows_the_grid(grid: np.ndarray, log: bool) -> None:
    grid = np.asarray(grid)
    found = EtaMap.of(("A",), np.tile(grid, 3)[:, None])
    assert found.log == (log,)
    inside = found.normalise(grid[:, None])
    assert inside.dtype == np.float32
    if len(grid) > 1:
        assert inside.min() == pytest.approx(-1)
        assert inside.max() == pytest.approx(1)
    else:
        assert (inside == 0).all()


def test_equal_ratios_become_equal_steps() -> None:
    found = EtaMap.of(("A",), AMPLITUDES[:, None])
    np.testing.assert_allclose(np.diff(found.normalise(AMPLITUDES[:, None])[:, 0]), 0.2, atol=1e-6)


def test_the_map_survives_json_and_takes_one_or_many() -> None:
    grid = np.stack(np.meshgrid(TIMES, AMPLITUDES), -1).reshape(-1, 2)
    found = EtaMap.of(("t", "A"), grid)
    again = EtaMap.from_json(json.loads(json.dumps(found.as_json())))
    assert again == found
    np.testing.assert_array_equal(again.normalise(grid)[5], found.normalise(grid[5]))
    with pytest.raises(DataError, match="damaged"):
        EtaMap.from_json({"names": ["A"]})


def test_a_parabola_goes_on_along_the_secant_of_the_last_two_trained_values() -> None:
    found = EtaMap.of(("t",), TIMES[:, None])
    inside, before, last, beyond = found.padding("separable", np.array([[0.05], [0.095], [0.1], [0.12]])).astype(
        np.float64
    )
    np.testing.assert_allclose(inside, [1, 0.5, 0.25], atol=1e-6)
    np.testing.assert_allclose(beyond, last + 4 * (last - before), atol=1e-5)
    two = EtaMap.of(("t",), np.array([[0.0], [0.1]]))
    np.testing.assert_allclose(two.padding("separable", [0.3]), [1, 3, 3], atol=1e-6)
    stored = found.as_json()
    del stored["before"]  # unknown: its tangent
    np.testing.assert_allclose(EtaMap.from_json(stored).padding("separable", [0.2]), [1, 2, 3], atol=1e-6)
    assert EtaMap(("t",), (-2.0,), (1.0,), (False,), (0.5,)).edge_slope == (2.0,)  # u = 1 lies beyond its trained range


def test_values_outside_are_named_with_their_range() -> None:
    found = EtaMap(("t", "A"), (0.0, 1.0), (0.1, 100.0), (False, True))
    assert found.outside([0.05, 100.0]) == []
    assert found.outside([0.0, 1.0]) == []
    (told,) = found.outside([0.05, 130.0])
    assert "A = 130" in told
    assert "1 to 100" in told
    assert len(found.outside([0.2, 0.5])) == 2


@pytest.mark.parametrize("value", [0.0, -3.0, np.nan, np.inf])
def test_a_logarithmic_map_refuses_what_has_no_logarithm(value: float) -> None:
    found = EtaMap(("A",), (1.0,), (100.0,), (True,))
    with pytest.raises(ConfigError, match="A ="):
        found.normalise([value])


SOUND = {"names": ["A", "t"], "low": [1.0, 0.0], "high": [100.0, 0.1], "log": [True, False], "before": [63.0, 0.05]}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"low": [-5.0, 0.0]}, "A .*low = -5.*logarithmic"),
        ({"low": [0.0, 0.0]}, "A .*low = 0.*logarithmic"),
        ({"low": [101.0, 0.0]}, "A .*low = 101.*high = 100"),
        ({"before": [63.0, 0.2]}, "t .*before = 0.2.*high = 0.1"),
        ({"high": [100.0]}, "high of A, t is"),
        ({"high": ["100", 0.1]}, "high of A, t is"),
        ({"high": [float("inf"), 0.1]}, "high of A, t is"),
        ({"low": [True, 0.0]}, "low of A, t is"),
        ({"log": [1, 0]}, "log of A, t is"),
        ({"log": [True]}, "log of A, t is"),
        ({"before": "63"}, "before of A, t is"),
        ({"names": []}, "its names are"),
        ({"names": [["A"], "t"]}, "its names are"),
        ({"names": ["A", "A"]}, "its names are"),
        ({"names": None}, "NoneType"),
    ],
)
def test_a_map_of_a_header_that_maps_nothing_is_refused(wrong: dict[str, Any], told: str) -> None:
    assert EtaMap.from_json(SOUND).as_json() == SOUND
    with pytest.raises(DataError, match=told):
        EtaMap.from_json(SOUND | wrong)
