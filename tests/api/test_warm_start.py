"""Networks of runs that started from a stored cloud, or from a law of the user's own: used anywhere, for any number."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api import clouds
from ksdp_cli.api.generator import Generator
from ksdp_cli.api.references import REFERENCE_SEED, evaluate
from ksdp_cli.base import rng
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.model import LARGEST_SOURCE, Model
from ksdp_cli.particles import own
from ksdp_cli.store import Run
from ksdp_cli.views.report.subject import ReportModel

RUN = {"flow": "laminar2d", "A": [1, 10, 100], "J": 300, "T": 0.002, "dt": 1e-3, "M": 1}
SHORT = {"steps": 5, "N": 100, "validate_every": 5}


class Bumps:
    """Two normal bumps."""

    dims = (2,)

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> np.ndarray:
        side = np.arange(start, start + n) % 2 - 0.5
        return (0.1 * rng.normals(seed, stream, 0, start, n, dim) + side[:, None]).astype(np.float32)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """start.zarr of 400 particles, s.zarr that started from it, and the network of that."""
    folder = tmp_path_factory.mktemp("warm")
    before = Path.cwd()
    os.chdir(folder)
    ksdp.simulate(J=400, T=0.002, dt=1e-3, M=1, out="start.zarr")
    run = ksdp.simulate(init="start.zarr", out="s.zarr", **RUN)
    ksdp.train(run, out="m.safetensors", **SHORT)
    os.chdir(before)
    return folder


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_sampling_more_particles_than_are_stored_warns(warm: Path) -> None:
    told: list[str] = []
    few = ksdp.sample(warm / "m.safetensors", n=400, A=50, warn=told.append)
    assert told == []
    many = ksdp.sample(warm / "m.safetensors", n=1000, A=50, warn=told.append)
    (warning,) = told
    assert all(value in warning for value in ("start.zarr", "400", "1000", "2.5"))
    np.testing.assert_array_equal(many.frame()[:400], few.frame())
    assert len(np.unique(many.frame(), axis=0)) == len(np.unique(few.frame(), axis=0)) == 400
    other = ksdp.sample(warm / "m.safetensors", n=400, A=50, seed=1).frame()
    assert not np.array_equal(other, few.frame())


def test_every_command_pushes_the_same_particles(warm: Path) -> None:
    """sample, plot and the page of a report: particle i of seed 0; compare: that of its own seed."""
    file = warm / "m.safetensors"
    model = Model.load(file)
    x = ksdp.sample(file, n=300, A=50).frame()
    np.testing.assert_array_equal(ReportModel("m", file, model).at({"A": 50.0}, 300), x)
    np.testing.assert_array_equal(Generator(model).cloud(300, {"A": 50.0}), x)
    mine = ksdp.sample(file, n=300, A=50, seed=REFERENCE_SEED + 100).frame()
    np.testing.assert_array_equal(evaluate(model, "m", {"A": 50.0}, 300, "cpu", 0).cloud, mine)


def test_a_comparison_says_that_both_start_from_the_same_points(warm: Path) -> None:
    found = ksdp.compare(warm / "m.safetensors", warm / "s.zarr", A=10, metrics="w2")
    assert "the network and the reference start from the same 400 points: start.zarr" in found.notes


def test_training_finds_the_store_beside_the_run_or_is_given_it(warm: Path, tmp_path: Path) -> None:
    run = ksdp.open_run(warm / "s.zarr")
    found = ksdp.train(run, out="a.safetensors", **SHORT)
    assert found.trained.model.sha256 == Model.load(warm / "m.safetensors").sha256
    (warm / "start.zarr").rename(tmp_path / "moved.zarr")
    try:
        with pytest.raises(DataError, match=r"s\.zarr.*start\.zarr.*init"):
            ksdp.train(run, out="b.safetensors", **SHORT)
        again = ksdp.train(run, out="b.safetensors", init="moved.zarr", **SHORT)
        assert again.trained.model.sha256 == found.trained.model.sha256
        with pytest.raises(ConfigError, match=r"start\.zarr.*ksdp:ball"):
            ksdp.train(run, out="c.safetensors", init="ball", **SHORT)
        small = ksdp.simulate(J=50, T=0, out="small.zarr")
        with pytest.raises(ConfigError, match=r"300 .*start\.zarr"):
            ksdp.train(run, out="c.safetensors", init=small, **SHORT)
    finally:
        (tmp_path / "moved.zarr").rename(warm / "start.zarr")


def test_a_model_without_its_points_takes_them_from_the_store(warm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model.load(warm / "m.safetensors")
    bare = Model(model.network, model.theta, model.eta_map, model.training, model.provenance)
    bare.save("bare.safetensors")
    with pytest.raises(DataError, match=r"start\.zarr"):
        ksdp.sample("bare.safetensors", n=10)
    monkeypatch.chdir(warm)
    x = ksdp.sample(bare, n=500, A=50, out="bare.zarr").frame()
    np.testing.assert_array_equal(x, ksdp.sample(model, n=500, A=50, out="whole.zarr").frame())


def test_a_law_of_one_s_own_is_trained_on_in_the_same_script_and_travels_by_its_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = ksdp.simulate(init=Bumps, out="b.zarr", **RUN)
    known = ksdp.train(run, out="known.safetensors", **SHORT).trained.model
    monkeypatch.setattr(own, "_OBJECTS", {})  # as in another process
    with pytest.raises(ConfigError, match=r"b\.zarr.*:Bumps.*init="):
        ksdp.train(run, out="b.safetensors", **SHORT)
    with pytest.raises(ConfigError, match=r"Bumps.*Ball"):
        ksdp.train(run, init=Ball, out="b.safetensors", **SHORT)
    found = ksdp.train(run, init=Bumps, out="b.safetensors", **SHORT).trained.model
    assert found.sha256 == known.sha256
    np.testing.assert_array_equal(found.source, Bumps().draw(clouds.OF_A_LAW, 2, clouds.LAW_SEED))
    assert isinstance(ksdp.sample("b.safetensors", n=1000), Run)
    fresh = clouds.of_model(Model.load("b.safetensors")).draw(20_000, 2, 0)
    assert np.abs(fresh).mean() == pytest.approx(np.abs(Bumps().draw(20_000, 2, 1)).mean(), abs=0.005)


def test_a_frame_of_a_sweep_is_the_initial_cloud_of_a_network(warm: Path, tmp_path: Path) -> None:
    """By its name, found beside the run when the command runs elsewhere; other particles under it are refused."""
    shutil.copytree(warm / "s.zarr", "sweep.zarr")
    run = ksdp.simulate(init="sweep.zarr@A=10,t=0.004", out="b.zarr", **RUN)
    frame = ksdp.open_run("sweep.zarr").frame(1)
    Path("elsewhere").mkdir()
    os.chdir("elsewhere")
    run = ksdp.open_run(tmp_path / "b.zarr")
    model = ksdp.train(run, out="b.safetensors", **SHORT).trained.model
    np.testing.assert_array_equal(model.source, frame)
    assert model.provenance["simulation"]["t0"] == 0.004
    x = clouds.of_model(Model.load("b.safetensors")).draw(300, 2, 0)
    assert len(np.unique(x, axis=0)) == 300
    assert {tuple(row) for row in x.tolist()} <= {tuple(row) for row in frame.tolist()}
    with pytest.raises(ConfigError, match=r"sweep\.zarr@A=100 holds other"):
        ksdp.train(run, init="../sweep.zarr@A=100", out="c.safetensors", **SHORT)
    found = ksdp.compare("b.safetensors", run, A=10, metrics="w2")
    assert "the network and the reference start from the same 300 points: sweep.zarr@A=10,t=0.004" in found.notes


def test_a_law_that_changed_in_between_is_not_taken_for_that_of_the_run() -> None:
    class Once(Bumps):
        def __init__(self, gap: float) -> None:
            self.gap = gap

        def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> np.ndarray:
            return np.float32(self.gap) * super().draw(n, dim, seed, start, stream)

    run = ksdp.simulate(init=Once(1.0), out="a.zarr", **RUN)
    ksdp.simulate(init=Once(2.0), out="b.zarr", **RUN)
    with pytest.raises(ConfigError, match=r"a\.zarr.*Once"):
        ksdp.train(run, out="a.safetensors", **SHORT)
    ksdp.train(run, init=Once(1.0), out="a.safetensors", **SHORT)


def test_a_store_of_more_points_than_a_model_should_carry_is_thinned() -> None:
    many = np.arange(2 * LARGEST_SOURCE + 2, dtype=np.float32).reshape(-1, 2)
    kept = clouds.sub_sample(many)
    assert kept.shape == (LARGEST_SOURCE, 2)
    assert len(np.unique(kept[:, 0])) == LARGEST_SOURCE
    assert clouds.sub_sample(kept) is kept
