"""``ksdp sweep FILE.toml``: the store of the same options, only what is missing, and one line for what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.sweep_files import read_sweep
from ksdp_cli.cli import assembly, info

FILE = """
flow = "laminar2d"
J = 40
dt = 1e-3
T = 2e-3
[grid]
A = [1, 10]
seed = "0:1:2"
[zip]
mu = [1, 2, 3]
chi = "0.1,0.2,0.3"
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command line, in this process and an empty folder; returns its exit code."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["ksdp", *words])
        return assembly.run()

    return run


def test_a_sweep_of_a_file(command: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Path("s.toml").write_text(FILE)
    assert command("sweep", "s.toml", "--case", "7") == 0
    last = capsys.readouterr().err.splitlines()[-1]  # caplog sees a log that does not propagate from pytest 9 on
    assert "11 of 12 cases are left" in last
    assert "engine" not in last  # which one is not known before the store is sealed
    run = ksdp.open_run("runs/s.zarr")
    assert run.progress() == [0] * 7 + [1] + [0] * 4
    before = (tmp_path / "runs" / "s.zarr" / "position" / "c" / "7" / "0" / "0" / "0").stat().st_mtime_ns
    assert command("sweep", "s.toml") == 0
    run = ksdp.open_run("runs/s.zarr")
    assert run.complete
    assert (run.path / "position" / "c" / "7" / "0" / "0" / "0").stat().st_mtime_ns == before
    options = {"flow": "laminar2d", "J": 40, "dt": 1e-3, "T": 2e-3, "seed": [0, 1]}
    swept = {"mu": [1, 2, 3], "chi": [0.1, 0.2, 0.3], "A": [1, 10], "zip": ["mu", "chi"]}
    same = ksdp.simulate(**options, **swept, out="same.zarr")
    assert same.cases == run.cases
    assert len(run.cases) == 12
    assert all(np.array_equal(same.frame(case), run.frame(case)) for case in range(12))
    sealed = (run.path / "zarr.json").stat().st_mtime_ns
    assert command("sweep", "s.toml", "--workers", "2") == 0  # a finished sweep does nothing
    assert (run.path / "zarr.json").stat().st_mtime_ns == sealed


def test_commands_of_a_file(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.toml").write_text(FILE)
    assert command("sweep", "s.toml", "--print-commands", "-o", "x.zarr", "--threads", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    assert lines[3].endswith("--threads 2 --case 3 -o x.zarr")
    assert "--zip mu,chi" in lines[0]
    assert not Path("runs").exists()


WRONG = {
    "[grid]\nA = [1, 2]\n[zip]\nA = [1, 2]\nmu = [1, 2]": ("A is given twice", "give it once"),
    "A = 3\n[grid]\nA = [1, 2]": ("A is given twice, in [grid]", "give it once"),
    "[zip]\nmu = [1, 2]\nchi = [1, 2, 3]": ("mu has 2, chi has 3", "same number"),
    "[zip]\nmu = [1, 2]": ("zip has one parameter, mu", "two or more"),
    "[grid]\nQ = [1, 2]": ("--Q", "laminar2d"),
    "[grid]\nJ = [10, 20]": ("--J", "not a number", "several are for physical parameters and the seed"),
    "[grid]\nkernel = ['blob', 'eq7']": ("kernel = ['blob', 'eq7'] is no name", "a store of each"),
    "[gird]\nA = [1, 2]": ("no table [gird]", "did you mean [grid]?"),
    "[grid.A]\nvalues = [1, 2]": ("[grid.A] is a table", "[grid]"),
    "grid = 3": ("grid = 3", "[grid]"),
    "out = 3": ("out = 3", "give text"),
    "[grid]\nA = [1, 1]": ("two cases have A = 1", "each once"),
    "[zip]\nA = [1, 1]\nseed = [2, 2]": ("two cases have A = 1, seed = 2", "each once"),
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text.replace("\n", " ").replace("[", "").replace("]", ""))
def test_wrong_files_are_refused(text: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.toml").write_text('flow = "laminar2d"\n' + text + "\n")
    assert command("sweep", "s.toml") == 2
    said = capsys.readouterr().err
    assert (said.count("\n"), said.startswith("ksdp: error: ")) == (1, True), said
    assert all(part in said for part in WRONG[text]), said
    assert not Path("runs").exists()


def test_a_file_may_name_its_store(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('out = "there.zarr"\nsub-problems = 3\n')
    assert read_sweep(tmp_path / "s.toml") == {"out": "there.zarr", "sub_problems": 3}


@pytest.mark.parametrize(
    "words", [["--case", "1"], ["--json"], ["--overwrite"], ["--workers", "2"], ["--executor", "dask"]]
)
def test_printed_commands_ignore_no_option(
    words: list[str], command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("s.toml").write_text(FILE)
    assert command("sweep", "s.toml", "--print-commands", *words) == 2
    assert f"--print-commands and {words[0]} exclude each other" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["overwrite = true", "workers = 2", "executor = 'dask'"])
def test_nor_one_of_a_file(line: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.toml").write_text(f"{line}\n{FILE}")
    Path("c.toml").write_text(f"{line}\nchi = [1, 2]")
    for words in (["sweep", "s.toml"], ["simulate", "--config", "c.toml", "-o", "a.zarr"]):
        assert command(*words, "--print-commands") == 2
        assert f"--print-commands and --{line.split()[0]} exclude each other" in capsys.readouterr().err


def test_of_many_cases_those_that_are_not_done_are_listed() -> None:
    states = [{"case": n, "parameters": {"A": n}, "frames": 1, "state": "done", "by": None} for n in range(1000)]
    states[990] |= {"frames": 0, "state": "to do"}
    title, _, rows = info._cases(states)
    assert title.startswith("cases: 999 done, 1 to do; 40 of 1000 below")
    assert rows[-1] == [990, 990, 0, "to do", None]


def test_a_training_by_torchrun_is_doubted(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("TORCHELASTIC_RUN_ID", "1"), ("WORLD_SIZE", "2"), ("RANK", "0")):
        monkeypatch.setenv(name, value)
    assert command("train", "missing.zarr") == 4
    assert "2 processes were started, and each of them makes this training" in capsys.readouterr().err


def test_mpiexec_of_a_sweep_is_given_advice_that_holds(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("s.toml").write_text("J = 10\nT = 1e-4\n[grid]\nchi = [1, 2]")
    for name, value in (("OMPI_COMM_WORLD_SIZE", "2"), ("OMPI_COMM_WORLD_RANK", "0")):
        monkeypatch.setenv(name, value)
    assert command("sweep", "s.toml") == 0
    said = capsys.readouterr().err
    assert "2 processes were started, and each of them makes this run; start one; --workers N uses more cores" in said
    assert "--world" not in said


def test_mpiexec_without_a_world_is_doubted_once(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    tried = (("0", (), 1), ("1", (), 0), ("0", ("--world", "alone"), 0), ("0", ("--case", "0"), 0))
    for n, (rank, words, doubts) in enumerate(tried):
        monkeypatch.setenv("OMPI_COMM_WORLD_RANK", rank)
        assert command("simulate", "--J", "10", "--T", "1e-4", "-o", f"{n}.zarr", *words) == 0
        assert capsys.readouterr().err.count("2 processes were started, and each of them makes this run") == doubts
