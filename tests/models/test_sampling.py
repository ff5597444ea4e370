"""Sampling: particle i is the particle i of its seed, parameters are completed, and what is extrapolated is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ksdp_cli import pretrained as models
from ksdp_cli.api import sample
from ksdp_cli.api.describing import info
from ksdp_cli.cli.app import app
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.model import Model
from ksdp_cli.metrics import moments
from ksdp_cli.views.summary import PIECE, of_run, pool_moments

NAME, OTHER = "laminar2d-amplitude", "kolmogorov-amplitude"


def ksdp(*words: str) -> int:
    """The command, in this process; its exit code."""
    code = app(list(words), standalone_mode=False)
    return code if isinstance(code, int) else 0


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_particle_i_is_the_same_whatever_n_is() -> None:
    few, many = sample(NAME, n=1000, A=50, seed=3), sample(NAME, n=100_003, A=50, seed=3)
    np.testing.assert_array_equal(few.frame(), many.frame()[:1000])
    other = sample(NAME, n=1000, A=50, seed=4)
    assert not np.isclose(few.frame(), other.frame()).any(1).all()


def test_the_stream_is_cut_into_files_and_particle_i_is_still_that_of_a_short_one() -> None:
    """2^20 particles a file: the last ones lie in the second file, and their own seed address gives them again."""
    run = sample(NAME, n=(1 << 20) + 3000, A=50, seed=3)
    model = Model.load(models.path(NAME))
    x = Ball().draw(2000, 2, 3, start=(1 << 20) + 500)
    np.testing.assert_array_equal(run.rows(0, 0, slice((1 << 20) + 500, (1 << 20) + 2500)), model.push(x, [50.0]))


def test_parameters_that_are_not_given_take_the_largest_trained_value() -> None:
    model = Model.load(models.path(NAME))
    assert model.complete({}) == {"A": 100.0}
    assert model.complete({"A": "1e1"}) == {"A": 10.0}
    with pytest.raises(ConfigError, match=r"'t'.*: A"):
        model.complete({"t": 1})
    assert sample(NAME, n=10).cases == [{"A": 100.0}]


def test_outside_the_trained_range_is_said_and_recorded() -> None:
    told: list[str] = []
    run = sample(NAME, n=10, A=130, warn=told.append)
    assert told == ["A = 130 lies outside the trained range 1 to 100; the network extrapolates"]
    assert run.attrs["outside_trained_range"] == ["A = 130 lies outside the trained range 1 to 100"]
    told.clear()
    assert sample(NAME, n=10, A=100, warn=told.append).attrs["outside_trained_range"] == []
    assert told == []


def test_the_model_by_path_by_name_the_newest_of_the_run_folder_or_the_default() -> None:
    told: list[str] = []
    run = sample(n=10, warn=told.append)
    (sentence,) = told
    assert models.DEFAULT in sentence
    assert run.attrs["command"].startswith(f"ksdp sample {models.DEFAULT} --A 100.0")
    own = Path("runs/deep/er/own.safetensors")
    own.parent.mkdir(parents=True)
    model = Model.load(models.path(OTHER))
    model.save(own)
    model.save(own.with_name("own.last.safetensors"))
    told.clear()
    assert sample(n=10, warn=told.append).dim == 3
    assert told == []
    assert sample(own, n=10).attrs["model"] == own.name
    with pytest.raises(DataError, match=r"kolmogorow.*kolmogorov-amplitude"):
        sample("kolmogorow", n=10)


def test_the_stored_command_makes_the_same_particles() -> None:
    run = sample(OTHER, n=50, A=37.5, seed=9)
    words = info(run.path)["command"].split()
    assert words[:3] == ["ksdp", "sample", OTHER]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    again = sample(words[2], n=options["--n"], A=options["--A"], seed=options["--seed"])
    np.testing.assert_array_equal(run.frame(), again.frame())


def test_moments_by_pieces_are_those_of_the_whole() -> None:
    cloud = sample(NAME, n=10_000).frame()
    whole, parts = (
        moments(cloud),
        pool_moments([moments(cloud[:1234]), moments(cloud[1234:9000]), moments(cloud[9000:])]),
    )
    for name in ("mean", "mean_se", "second_moment", "second_moment_se"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-6)
    assert parts.n == 10_000 < PIECE


@pytest.mark.parametrize(
    "words",
    [["--A", "110", "--model", OTHER], [OTHER, "--A=110"], ["--A", "110", OTHER]],
)
def test_the_command_takes_model_and_parameters_in_any_order(words: list[str], capsys: pytest.CaptureFixture) -> None:
    assert ksdp("sample", *words, "--n", "1e4", "-o", "a.zarr", "--json") == 0
    printed, told = capsys.readouterr()
    assert "A = 110 lies outside the trained range" in told
    (frame,) = json.loads(printed)["frames"]
    assert (frame["parameters"], json.loads(printed)["J"]) == ({"A": 110.0}, 10_000)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([NAME, "--model", OTHER], "kolmogorov-amplitude"),
        (["--A", "110", "--model", NAME, "--t", "0.1"], "no parameter 't'"),
        (["--A"], "--A"),
    ],
)
def test_wrong_commands(words: list[str], told: str, capsys: pytest.CaptureFixture) -> None:
    assert ksdp("sample", *words) == 2
    printed, error = capsys.readouterr()
    assert told in error
    assert (printed, len(error.splitlines())) == ("", 1)
    assert not list(Path().iterdir())


def test_a_table_of_a_sample_has_its_moments() -> None:
    run = sample(NAME, n=2000, A=50)
    (row,) = of_run(run)["frames"]
    np.testing.assert_allclose(row["second_moment"], (run.frame().astype(float) ** 2).sum(1).mean(), rtol=1e-9)
