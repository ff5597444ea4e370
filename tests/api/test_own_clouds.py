"""Clouds of the user's own from Python: compared and trained on as arrays, and told in one line what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.clouds import resolve_cloud
from ksdp_cli.errors import ConfigError, DataError, KsdpError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.metrics import exact_w2_squared
from ksdp_cli.metrics.comparison import HALVES

SHORT = {"steps": 5, "N": 100, "validate_every": 5}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def clouds(gaps: np.ndarray, n: int = 1500, seed: int = 0) -> np.ndarray:
    """A normal cloud that is 1 + gap times as wide as high, moved by gap, for each gap: (gaps, n, 2)."""
    x = 0.4 * np.random.default_rng(seed).normal(size=(len(gaps), n, 2))
    x[..., 0] = x[..., 0] * (1 + gaps[:, None]) + gaps[:, None]
    return x.astype(np.float32)


def test_an_array_as_the_initial_cloud_is_refused_in_one_line() -> None:
    x = np.zeros((100, 2))
    for call in (lambda: ksdp.train({"position": x[None]}, init=x), lambda: ksdp.simulate(init=x)):
        with pytest.raises(ConfigError, match="array") as caught:
            call()
        assert len(str(caught.value).splitlines()) <= 2


def test_a_name_from_an_array_of_text_is_a_name() -> None:
    assert resolve_cloud(np.array(["ball"])[0]) == "ball"


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
def test_a_moved_cloud_is_at_the_square_of_its_way(kind: type) -> None:
    x = (100 * np.random.default_rng(0).normal(size=(500, 2))).astype(kind)
    found = ksdp.compare(x, x + np.array([3, 4], kind), metrics="w2", N=500, floor="halves")
    assert found.comparison.w2_squared == pytest.approx(25, abs=1e-3)
    assert (found.cloud, found.reference, found.parameters) == ("cloud", "reference", {})
    assert not any("is at" in note for note in found.notes)


@pytest.mark.parametrize(("n", "dim"), [(19, 2), (300, 2), (301, 3)])
def test_two_own_clouds_of_one_size_are_compared_whole(n: int, dim: int) -> None:
    """A moved cloud is at the square of its way by every metric, sliced by 1 / d of it; halves are cut where asked."""
    x, way = np.random.default_rng(0).normal(size=(n, dim)), np.array([3.0, 4.0, 0.0][:dim])
    found = ksdp.compare(x, x + way, metrics="w2,sliced,bound")
    sliced, bound = found.others
    assert (found.comparison.N, found.comparison.repeats, found.comparison.floor) == (n, 1, None)
    assert found.comparison.w2_squared == pytest.approx(25, rel=1e-12)
    assert sliced.distance.mean == pytest.approx(25 / dim, rel=0.1)
    assert (sliced.N, bound.N, bound.distance.mean) == (n, n, pytest.approx(25, rel=1e-9))
    assert any("whole" in note for note in found.notes)
    assert not any("takes" in note for note in found.notes)
    halves = ksdp.compare(x, x + way, floor="halves", metrics="w2").comparison
    assert (halves.N, halves.floor_source) == (n // 5, HALVES)


@pytest.mark.parametrize("sizes", [(300, 301), (10_001, 10_001)])
def test_other_own_clouds_are_compared_by_sub_samples_and_that_is_said(sizes: tuple[int, int]) -> None:
    x, y = (np.random.default_rng(n).normal(size=(n, 2)) for n in sizes)
    found = ksdp.compare(x, y, metrics="w2")
    size = found.comparison.N
    assert size == sizes[0] // 5
    assert any("exact W2 takes" in note for note in found.notes)


def test_arrays_stores_and_models_are_compared_with_one_another() -> None:
    run = ksdp.simulate(J=400, T=0.01, dt=1e-3, M=1, out="s.zarr")
    x, y = run.frame(), Ball().draw(400, 2, 9)
    value = exact_w2_squared(x, y)
    for a, b in ((run, y), (x, y), (y, run), (y, "s.zarr")):
        found = ksdp.compare(a, b, floor=Ball().draw(400, 2, 10), metrics="w2", N=400)
        assert found.comparison.w2_squared_each[0] == pytest.approx(value, rel=1e-6)
    network = ksdp.compare("laminar2d-amplitude", y, A=50, metrics="w2")
    assert network.parameters == {"A": 50.0}
    assert network.comparison.floor_source.startswith("between two halves")


@pytest.mark.parametrize(
    ("cloud", "reference", "options", "error", "told"),
    [
        (np.zeros(5), np.zeros((5, 2)), {}, DataError, r"cloud.*\(5,\)"),
        (np.zeros((5, 2)), np.zeros((2, 5, 2)), {}, DataError, r"reference.*\(2, 5, 2\)"),
        (np.zeros((5, 2)), np.full((5, 2), "a"), {}, DataError, "reference.*<U1"),
        (np.full((5, 2), np.nan), np.zeros((5, 2)), {}, DataError, "5 of 5 rows"),
        (np.zeros((5, 2)), np.zeros((5, 3)), {}, DataError, "2 .*reference 3"),
        (np.zeros((5, 2)), None, {}, ConfigError, "array.*reference"),
        (np.zeros((5, 2)), "simulate", {}, ConfigError, "cloud.*simulated"),
        (np.zeros((5, 2)), np.ones((5, 2)), {"A": 3}, ConfigError, "array.*'A'"),
        (np.zeros((5, 2)), np.ones((5, 2)), {"floor": np.zeros(3)}, DataError, "second reference.*shape"),
    ],
)
def test_wrong_pairs_of_clouds_are_refused(cloud: Any, reference: Any, options: Any, error: Any, told: str) -> None:
    with pytest.raises(error, match=told):
        ksdp.compare(cloud, reference, **options)


def test_own_clouds_are_trained_on_and_the_network_is_used_between_them() -> None:
    """At a gap that was not given: within a hundredth of the floor between two samples of it."""
    gaps = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    arrays = {"position": clouds(gaps)[:, None], "time": np.zeros(1), "gap": gaps}
    ksdp.train(arrays, steps=300, N=400, validate_every=300, out="m.safetensors")
    made = ksdp.sample("m.safetensors", n=1000, gap=0.6, out="g.zarr").frame()
    first, second = clouds(np.array([0.6, 0.6]), 1000, seed=5)
    assert exact_w2_squared(made, first) < exact_w2_squared(second, first) + 0.02
    assert ksdp.compare("m.safetensors", first, gap=0.6, metrics="w2").comparison.w2_squared > 0
    with pytest.raises(ConfigError, match="reference"):
        ksdp.compare("m.safetensors", gap=0.6)


def test_times_are_a_parameter_and_a_store_is_the_initial_cloud() -> None:
    """Without a swept parameter; the points of the store travel with the model."""
    start = ksdp.simulate(J=500, T=0, out="start.zarr")
    position = np.stack([clouds(np.array([t]), 300)[0] for t in (0.0, 0.1)])[None]
    found = ksdp.train({"position": position, "time": [0.0, 0.1]}, init=start, out="m.safetensors", **SHORT)
    assert found.trained.model.eta_map.names == ("t",)
    np.testing.assert_array_equal(found.trained.model.source, start.frame())
    other = {"position": position, "time": [0.02, 0.07]}
    again = ksdp.train(
        {"position": position, "time": [0.0, 0.1]}, init=start, validate=other, out="n.safetensors", **SHORT
    )
    assert "2 clouds of other runs" in again.trained.model.provenance["result"]["validated_on"]


CLOUDS = np.zeros((3, 1, 50, 2), np.float32)


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"gap": [1, 2, 3]}, "'position'.*gap"),
        ({"position": np.zeros((50, 2)), "gap": [1, 2, 3]}, r"position.*float64.*\(50, 2\)"),
        ({"position": np.full((3, 50, 2), "a")}, "position.*<U1"),
        ({"position": np.zeros((3, 1, 50, 9)), "gap": [1, 2, 3]}, "1 to 8 dimensions"),
        ({"position": CLOUDS, "time": [0.0, 1.0], "gap": [1, 2, 3]}, r"time.*\[0\.0, 1\.0\].* 1 "),
        ({"position": CLOUDS, "gap": [1, 2]}, r"gap.*\(2,\).* 3 "),
        ({"position": CLOUDS, "gap": [1, 2, np.nan]}, r"gap.*\(3,\).* 3 "),
        ({"position": CLOUDS, "gap": [1, 1, 2]}, " 3 cases.*parameters"),
        ({"position": CLOUDS, "t": [1, 2, 3]}, "parameter t"),
        ({"position": CLOUDS + np.inf, "gap": [1, 2, 3]}, "not finite"),
        ({"position": CLOUDS.astype(float) + 1e200, "gap": [1, 2, 3]}, "not finite"),
        (CLOUDS, "array"),
        (7, "int"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(arrays: Any, told: str) -> None:
    with np.errstate(invalid="ignore"), pytest.raises(KsdpError, match=told):
        ksdp.train(arrays, out="m.safetensors", **SHORT)
