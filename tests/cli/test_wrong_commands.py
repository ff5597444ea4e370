"""What a user gets wrong: one line that names the value and the way out, the right exit code, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Ksdp

RUN = ("simulate", "--J", "50", "--T", "2e-4")

WRONG = {
    "unknown flow": ((*RUN, "--flow", "kolmogorow"), 2, "kolmogorow", "did you mean 'kolmogorov'?"),
    "unknown long name": ((*RUN, "--flow", "ksdp:laminar2dd"), 2, "laminar2dd'", "did you mean 'ksdp:laminar2d'?"),
    "wrong dimension": ((*RUN, "--flow", "kolmogorov", "--dim", "2"), 2, "3, not 2", "--dim 3"),
    "negative dt": ((*RUN, "--dt", "-1e-4"), 2, "dt = -0.0001", "greater than 0"),
    "nan": ((*RUN, "--A", "nan", "--flow", "laminar2d"), 2, "'nan'", "finite"),
    "no particles": (("sample", "--n", "0", "laminar2d-amplitude"), 2, "n = 0", "greater than or equal to 1"),
    "missing store": (("train", "nowhere.zarr"), 4, "nowhere.zarr", "check the path"),
    "missing model": (("sample", "nowhere.safetensors"), 4, "nowhere.safetensors", "check the path"),
    "corrupt model": (("sample", "corrupt.safetensors"), 4, "corrupt.safetensors", "damaged"),
    "output exists": ((*RUN, "-o", "taken.zarr"), 4, "taken.zarr exists", "use --overwrite, --resume, or another -o"),
    "somebody else's folder": ((*RUN, "-o", "taken.zarr", "--overwrite"), 4, "taken.zarr", "not a ksdp store"),
    "unreadable configuration": (("simulate", "--config", "broken.toml"), 2, "broken.toml", "TOML"),
    "missing configuration": (("simulate", "--config", "nowhere.toml"), 2, "nowhere.toml", "check the path"),
    "typo in an option": ((*RUN, "--sed", "1"), 2, "--sed", "did you mean --seed?"),
    "typo in a command": (("simulat",), 2, "simulat", "did you mean simulate?"),
    "option without a value": ((*RUN, "--seed"), 2, "'--seed'", "requires an argument; see 'ksdp --help'"),
    "no GPU": ((*RUN, "--device", "cuda"), 5, "cuda", "--device cpu"),
    "too many cases": ((*RUN, "--mu", "1:2:200", "--chi", "1:2:200"), 2, "40000", "10000"),
    "out of step": (
        (*RUN, "--mu", "1,2,3", "--chi", "1,2", "--zip", "mu,chi"),
        2,
        "mu has 3, chi has 2",
        "same number",
    ),
    "in step alone": ((*RUN, "--mu", "1,2", "--zip", "mu,M"), 2, "'M'", "mu"),
    "half a seed": ((*RUN, "--seed", "0:1:3"), 2, "--seed: the range '0:1:3'", "write it as 0:2:3"),
    "one seed twice": ((*RUN, "--seed", "3,3"), 2, "seed = 3", "once"),
    "fraction of a particle": (("simulate", "--J", "10.5"), 2, "10.5", "whole number"),
    "two final times": (("simulate", "--T", "0.1,0.2"), 2, "--T: '0.1,0.2'", "give one"),
    "no number of workers": ((*RUN, "--workers", "all"), 2, "--workers: 'all'", "100"),
    "no amplitude": ((*RUN, "--flow", "laminar2d", "--A", "x"), 2, "--A: 'x'", "100"),
    "a flow's parameter": ((*RUN, "--A", "100"), 2, "--A belongs to --flow laminar2d", "as --flow laminar2d"),
    "an initial cloud's parameter": (
        (*RUN, "--bumps", "3"),
        2,
        "--bumps belongs to --init mixture",
        "add --init mixture",
    ),
    "a number left out": ((*RUN, "--mu", "1,,3"), 2, "'1,,3' has an empty entry", "START:STOP:COUNT"),
    "unknown figure": (("reproduce", "fig12"), 2, "'fig12'", "fig1 to fig10"),
    "unknown figures": (("reproduce", "fig1-10"), 2, "'fig1-10'", "there are: table2, all, fig1 to fig10"),
    "unknown table": (("reproduce", "table3"), 2, "'table3'", "did you mean table2?"),
    "unknown component": (("plugins", "show", "lamnar2d"), 2, "'lamnar2d'", "did you mean 'laminar2d'?"),
    "help as a command": (("help",), 2, "'help'", "did you mean --help?"),
    "a word for a number": ((*RUN, "--flow", "laminar2d", "--A", "ten"), 2, "--A: 'ten' is not a number", "16pi"),
    "a word for a trained parameter": (("sample", "laminar2d-amplitude", "--A", "x"), 2, "--A: 'x'", "16pi"),
    "another program's word": (("train", "a.zarr", "--lr", "1e-3"), 2, "--lr", "did you mean --learning-rate?"),
    "more than a name": ((*RUN, "--dimension", "2"), 2, "--dimension", "did you mean --dim?"),
    "an option in capitals": (("sample", "laminar2d-amplitude", "--N", "9"), 2, "'N'", "did you mean --n?"),
    "a store where a model is wanted": (("sample", "taken.zarr"), 4, "taken.zarr is a folder", ".safetensors"),
    "a model where a store is wanted": (("train", "corrupt.safetensors"), 4, "not a ksdp store", "it is a model"),
    "a flow that overflows": ((*RUN, "--flow", "laminar2d", "--A", "1e300"), 2, "returned [inf, 0.0]", "check_flow"),
    "points where a model is wanted": (("info", "broken.toml"), 4, "broken.toml is not a model", "'ksdp import'"),
    "a store in the name of a file": ((*RUN, "-o", "a.csv"), 2, "a.csv is a store", "use -o a.zarr"),
    "an image as a cloud": ((*RUN, "--init", "a.png"), 2, "a.png is an image", "use --init density --grid a.png"),
    "a class in a file": ((*RUN, "--flow", "my.py:Mine"), 2, "'my.py:Mine'", "'ksdp plugins new NAME'"),
    "unknown solver": (("compare", "a.zarr", "b.zarr", "--estimator", "sinkhorn"), 2, "sinkhorn", "or 'emd'"),
}


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.replace(" ", "-"))
def test_wrong_command(case: str, ksdp: Ksdp, tmp_path: Path) -> None:
    arguments, code, value, advice = WRONG[case]
    if case == "no GPU":
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
    (tmp_path / "corrupt.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}garbage")
    (tmp_path / "broken.toml").write_text("A = = 1\n")
    (tmp_path / "taken.zarr").mkdir()
    (tmp_path / "taken.zarr" / "diary.txt").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = ksdp(*arguments)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("ksdp: error: ")
    assert value in done.stderr
    assert advice in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_without_a_model_a_shipped_one_is_named(ksdp: Ksdp) -> None:
    done = ksdp("sample", "--n", "100")
    assert done.returncode == 0, done.stderr
    assert "laminar2d-amplitude" in done.stderr


def test_help_names_every_verb(ksdp: Ksdp) -> None:
    done = ksdp("--help")
    assert done.returncode == 0
    for verb in ("simulate", "train", "sample", "compare", "info", "demo", "plugins"):
        assert verb in done.stdout


def test_no_arguments_is_help(ksdp: Ksdp) -> None:
    assert "simulate" in ksdp().stdout
