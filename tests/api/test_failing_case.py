"""A sweep with a case that blows up: the others run to their end, and are of use."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.clouds import part_of
from ksdp_cli.errors import ConfigError, DataError, NumericalError
from ksdp_cli.learning.model import Model
from ksdp_cli.store import open_run
from ksdp_cli.views.report.reporting import report
from ksdp_cli.views.report.subject import ReportModel, training_data

OPTIONS: dict[str, Any] = {"J": 60, "dt": 1e-3, "T": 4e-3, "snapshots": [2e-3, 4e-3], "warn": lambda _: None}
BAD, GOOD, LEFT = [1, 1e6, 2, 3], [1, 1.5, 2, 3], [0, 2, 3]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A sweep in which case 1 blows up at once, and one in which none does."""
    folder = tmp_path_factory.mktemp("sweeps")
    with pytest.raises(NumericalError, match=r"chi = 1e\+06.*; 3 of 4 cases"):
        ksdp.simulate(chi=BAD, out=folder / "bad.zarr", **OPTIONS)
    ksdp.simulate(chi=GOOD, out=folder / "good.zarr", **OPTIONS)
    return folder / "bad.zarr", folder / "good.zarr"


def same(bad: Path, good: Path) -> bool:
    run, other = open_run(bad).part(LEFT), open_run(good)
    frames = [(run.frame(i, k), other.frame(case, k)) for i, case in enumerate(LEFT) for k in (0, 1)]
    return run.ended and all(np.array_equal(*pair) for pair in frames)


def test_the_other_cases_run_to_their_end(stores: tuple[Path, Path]) -> None:
    bad, good = stores
    assert same(bad, good)
    assert open_run(bad).progress() == [2, 0, 2, 2]


@pytest.mark.slow
def test_workers_run_the_other_cases_too(stores: tuple[Path, Path], tmp_path: Path) -> None:
    _, good = stores
    for resume in (False, True):  # again: nothing is run but the case that fails
        with pytest.raises(NumericalError, match="3 of 4 cases"):
            ksdp.simulate(chi=BAD, out=tmp_path / "a.zarr", workers=2, resume=resume, **OPTIONS)
        assert same(tmp_path / "a.zarr", good)


def test_two_that_fail_are_counted(tmp_path: Path) -> None:
    with pytest.raises(NumericalError, match=r"1e\+06.*; 1 others .*; 1 of 3 cases"):
        ksdp.simulate(chi=[1e6, 1, 2e6], out=tmp_path / "a.zarr", **OPTIONS)


def test_cases_that_are_done_can_be_read(stores: tuple[Path, Path], tmp_path: Path) -> None:
    bad, good = stores
    part = part_of(f"{bad}@chi=2,3,t=0.004")
    assert part is not None
    assert np.array_equal(part.frame(1, 0), open_run(good).frame(3, 1))
    assert part.name == f"{bad}@case=2,3,t=0.004"
    dataset = open_run(bad).part(LEFT).dataset()
    assert dataset.time.values.tolist() == [2e-3, 4e-3]
    assert np.array_equal(dataset.position.sel(time=4e-3).isel(case=1), open_run(good).frame(2, 1))
    assert ksdp.export(bad, tmp_path / "a.npz", chi=3).times == [2e-3, 4e-3]
    compared = ksdp.compare(f"{bad}@chi=2", good, chi=2, floor="halves", metrics=["sliced"])
    assert "the cloud and the reference are the same particles" in compared.notes
    with pytest.raises(DataError, match=f"3 cases .*{bad.name}@case=0"):
        ksdp.plot(bad)


def test_a_part_has_the_snapshots_of_its_cases(stores: tuple[Path, Path], tmp_path: Path) -> None:
    run = open_run(stores[0])
    assert run.part([2], [1]).times.tolist() == [4e-3]
    assert run.part([0, 1]).part([0]).times.tolist() == [2e-3, 4e-3]
    assert run.part([0], [1]).part([0]).times.tolist() == [4e-3]
    assert run.part([-1], [-1]).numbers == (3,)
    for cases, snapshots in (([4], None), ([0], [2]), ([1], [0])):
        with pytest.raises(ConfigError, match="has no"):
            run.part(cases, snapshots)


def test_a_page_of_the_cases_that_are_done(stores: tuple[Path, Path], tmp_path: Path) -> None:
    bad, _ = stores
    with pytest.raises(DataError, match=f"3 cases .*{bad.name}@case=0"):
        report(bad, out=tmp_path / "a.html")
    done = report(f"{bad}@chi=2,3", out=tmp_path / "a.html")
    assert done.clouds == 4
    assert "not complete" not in done.path.read_text()
    with pytest.raises(DataError, match=f"part of .*; give .*{bad.name}$"):
        ksdp.info(f"{bad}@chi=2,3")


def test_a_network_learns_the_cases_that_are_done(stores: tuple[Path, Path], tmp_path: Path) -> None:
    bad, _ = stores
    with pytest.raises(DataError, match=r"not complete; .*@A=1,10"):
        ksdp.train(bad, out=tmp_path / "a.safetensors", steps=1)
    told: list[str] = []
    trained = ksdp.train(f"{bad}@case=0,2,3", out=tmp_path / "a.safetensors", steps=1, warn=told.append)
    assert "mini-batches have N = 48: all 48 of 60 particles; the other 12 are held out" in told
    assert f"ksdp train {bad}@case=0,2,3 -o" in Model.load(trained.path).provenance["command"]
    said: list[str] = []
    shown = report(trained.path, out=tmp_path / "a.html", warn=said.append)
    assert (shown.clouds, shown.references, said) == (6, (f"{bad}@case=0,2,3",), [])


def test_a_page_says_that_the_training_data_is_left_out(stores: tuple[Path, Path], tmp_path: Path) -> None:
    bad, good = stores
    data = tmp_path / "a.zarr"
    shutil.copytree(good, data)
    trained = ksdp.train(data, out=tmp_path / "a.safetensors", steps=1, warn=lambda _: None)
    shutil.rmtree(data)
    shutil.copytree(bad, data)
    said: list[str] = []
    assert report(trained.path, out=tmp_path / "a.html", warn=said.append).clouds == 0
    assert f"training data is left out: {data} is not complete" in said[0]
    shutil.rmtree(data)
    assert not training_data(ReportModel("a", trained.path, Model.load(trained.path)), said.append)
    assert len(said) == 1
    other = report(trained.path, references=[f"{bad}@chi=2,t=0.004"], out=tmp_path / "b.html")
    assert (other.clouds, other.references) == (1, (f"{bad}@case=2,t=0.004",))
