"""``ksdp compare`` from its words to its documents and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ksdp_cli as ksdp
from ksdp_cli.cli.app import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("compare")
    for seed in (0, 1, 2):
        ksdp.simulate(out=at / f"{seed}.zarr", seed=seed, flow="laminar2d", A=[10, 50], J=120, T=0.002, dt=1e-3)
    ksdp.simulate(out=at / "deep.zarr", dim=3, J=120, T=0.002, dt=1e-3)
    return at


@pytest.fixture(autouse=True)
def _there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def run(*words: str) -> int:
    """The command, in this process; its exit code."""
    code = app(["compare", *words], standalone_mode=False)
    return code if isinstance(code, int) else 0


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    every = ["--metrics", "w2,sliced,radial,binned,bound"]
    assert run("0.zarr", "--A", "10", "1.zarr", "--floor", "2.zarr", *every, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cloud"] == "0.zarr"
    assert told["parameters"] == {"A": 10}
    assert told["floor_source"] == "between two independent references"
    assert told["excess_low"] < told["excess"] < told["excess_high"]
    for metric in ("sliced", "binned", "bound"):
        own = told[metric]
        assert own["excess"]["low"] < own["excess"]["mean"] < own["excess"]["high"]
        assert own["floor"]["mean"] > 0
    assert len(told["radial"]) == 7


def test_several_points_are_one_document_and_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("0.zarr", "--reference", "1.zarr", "--A", "10,50", "--metrics", "w2,sliced", "--floor", "halves")
    assert run(*arguments, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["parameters"]["A"] for one in told["comparisons"]] == [10, 50]
    assert run(*arguments) == 0
    shown = capsys.readouterr()
    assert shown.out.count("A = 10, N = 24") == 1
    assert shown.out.count("A = 50, sliced") == 1
    assert shown.err.count("exact W2 takes") == 1


def test_the_table_has_floor_interval_and_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("0.zarr", "1.zarr", "--A=50", "--N", "50", "--repeats", "2", "--estimator", "emd", "--seed", "3") == 0
    shown = capsys.readouterr()
    for words in (
        "exact (emd), N = 50",
        "noise floor",
        "95 % interval [",
        "2 sub-samples, seed 3",
        "difference",
    ):
        assert words in " ".join(shown.out.split())
    assert "ksdp: exact W2 takes 2 x 50 of the 120 particles of the cloud" in shown.err


WRONG = {
    "no reference": (("0.zarr",), 2, "--reference simulate"),
    "three files": (("0.zarr", "1.zarr", "--A", "10", "--reference", "2.zarr"), 2, "3 files to compare"),
    "missing store": (("0.zarr", "nowhere.zarr", "--A", "10"), 4, "nowhere.zarr"),
    "case": (("0.zarr", "1.zarr", "--A", "11"), 2, "it has: A = 10; A = 50"),
    "N too large": (("0.zarr", "1.zarr", "--A", "10", "--N", "1e6"), 2, "120 particles, fewer than N = 1000000"),
    "N of nothing": (("0.zarr", "1.zarr", "--A", "10", "--N", "0"), 2, "N = 0"),
    "N not whole": (("0.zarr", "1.zarr", "--A", "10", "--N", "1.5"), 2, "--N: '1.5' is not a whole number"),
    "metric": (("0.zarr", "1.zarr", "--A", "10", "--metrics", "w1"), 2, "there is no metric 'w1'"),
    "typo": (("0.zarr", "1.zarr", "--A", "10", "--flor", "2.zarr"), 2, "did you mean --floor?"),
    "dimensions": (("0.zarr", "deep.zarr"), 2, "more than one case"),
    "dimensions at a case": (("deep.zarr", "0.zarr", "--t", "0.002"), 2, "more than one case"),
    "floor is the reference": (("0.zarr", "1.zarr", "--A", "10", "--floor", "1.zarr"), 4, "second reference"),
}


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.replace(" ", "-"))
def test_wrong_use_is_one_line_and_the_right_code(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, code, told = WRONG[case]
    assert run(*arguments) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("ksdp: error: ")
    assert shown.err.count("\n") == 1
    assert told in shown.err
