"""Tables at 80 columns: no number and no word is broken, whatever the command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import ksdp_cli as ksdp
from ksdp_cli import pretrained
from ksdp_cli.cli import _render, tables
from ksdp_cli.cli.assembly import app
from ksdp_cli.experiments import demonstrating

COMMANDS = {
    "simulate": "simulate --flow laminar2d --A 1,10 --chi 1,0.5 --J 40 --T 1e-3 --dt 1e-3 -o new.zarr",
    "import": "import cloud.npy --A 1 -o own.zarr",
    "train": "train s.zarr --N 30 --steps 2 --sets 1 -o m.safetensors",
    "sample": "sample laminar2d-amplitude --A 50 --n 100 -o c.zarr",
    "compare": "compare s.zarr s.zarr --floor halves --A 10 --N 20",
    "report": "report s.zarr -o r.html",
    "info store": "info s.zarr",
    "info model": "info MODEL",
    "plot": "plot s.zarr -o p.png --A 10",
    "export": "export s.zarr --A 10 -o e.npz",
    "presets": "presets",
    "plugins": "plugins",
    "plugins show": "plugins show laminar3d",
    "plugins new": "plugins new my-flow",
    "cite": "cite",
    "laws": "laws --flow laminar2d --A 50",
    "sweep": "sweep sweep.toml",
    "warm-up": "warm-up --dim 2",
    "reproduce": "reproduce small.toml --scale quick",
    "demo": "demo",
}
SWEEP = """flow = "laminar2d"
J = 40
T = 1e-3
dt = 1e-3
[grid]
A = [1, 10]
chi = [1, 0.5]
seed = "0:2:3"
"""
SMALL = """summary = "a small one"
[simulation]
flow = "laminar2d"
A = 100
snapshots = "0:0.1:3"
[[rows]]
role = "prediction"
at = { t = 0.12 }
paper = 0.0190
[scales.quick]
simulation = { J = 100, dt = 1e-2 }
training = { N = 40, steps = 2 }
seeds = 1
references = 3
N = [50]
[scales.paper]
simulation = { J = 10_000, dt = 1e-4 }
seeds = 5
references = 4
N = [10_000]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import numpy as np

    at = tmp_path_factory.mktemp("tables")
    ksdp.simulate(flow="laminar2d", A=[1, 10, 100], J=60, T=1e-3, dt=1e-3, out=at / "s.zarr")
    np.save(at / "cloud.npy", np.random.default_rng(0).normal(size=(50, 2)))
    (at / "sweep.toml").write_text(SWEEP)
    (at / "small.toml").write_text(SMALL)
    return at


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Words of every cell that a command hands to `_render.emit`."""
    words: list[str] = []
    emit = _render.emit

    def noted(document: Any, as_json: bool, *found: Any, **more: Any) -> None:
        for title, columns, rows in found:
            for text in (title, *columns, *(cell for row in rows for cell in row)):
                words.extend(_render.cell(text).split())
        emit(document, as_json, *found, **more)

    monkeypatch.setattr(_render, "emit", noted)
    return words


@pytest.mark.parametrize("name", COMMANDS)
def test_no_word_is_broken(
    name: str, folder: Path, shown: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    few: dict[str, Any] = {"SIMULATION": {"A": "1,100", "J": 2500, "dt": 1e-2}, "TRAINING": {"N": 200, "steps": 2}}
    for what, options in few.items():
        monkeypatch.setattr(demonstrating, what, getattr(demonstrating, what) | options)
    monkeypatch.setattr(demonstrating, "UNSEEN", (50.0,))
    monkeypatch.setattr(demonstrating, "GENERATED", 2500)
    words = COMMANDS[name].replace("MODEL", str(pretrained.path("laminar2d-amplitude"))).split()
    assert app([*words, *(["--overwrite"] if "-o" in words else [])], standalone_mode=False) in (0, None)
    lines = capsys.readouterr().out.splitlines()
    there = {word for line in lines for word in line.split()}
    assert not [word for word in shown if word not in there and not any(word in line for line in lines)]
    assert not [line for line in lines if line != line.rstrip()]
    told = [line for line in lines if not line.startswith("  made by:")]  # a command to copy is one line
    if name != "cite":
        assert not [line for line in told if len(line) > 80 and max(map(len, line.split())) < 50]


def test_a_table_that_is_too_wide_becomes_blocks() -> None:
    columns, row = ["metric", "value", "interval", "verdict"], ["w2", "0.1234567", "[-0.000123, +0.000456]"]
    verdict = "indistinguishable from another simulation at this many particles"
    wide = tables.text_table("T", columns, [[*row, verdict]], 140).splitlines()
    assert any("[-0.000123, +0.000456]" in line and verdict in line for line in wide)
    for width in (80, 60, 40):
        text = tables.text_table("T", columns, [[*row, verdict]], width)
        assert "[-0.000123, +0.000456]" in text
        assert " ".join(text.split()).count("indistinguishable") == 1
        assert all(len(line) <= width or len(line.split()) <= 4 for line in text.splitlines())
    assert "interval" in tables.text_table("", columns, [[*row, verdict]], 40)


def test_names_and_values_stay_side_by_side_around_a_long_path() -> None:
    path = "/a/very/long/folder" * 6
    lines = tables.text_table(
        "T", ["", ""], [["path", path], ["kind", "a model of " + "many words " * 9]], 80
    ).splitlines()
    assert lines[1] == f"  path  {path}"
    assert lines[2].startswith("  kind  a model of many words")
    assert all(len(line) <= 80 for line in lines[2:])


@pytest.mark.parametrize("width", range(40, 60))
def test_a_title_parts_no_name_from_its_value(width: int) -> None:
    title = "some/folder/run.zarr: J = 500, d = 2, a name = 3, 1.73 s (direct)"
    lines = tables.text_table(title, ["t"], [["0"]], width).splitlines()
    assert not [line for line in lines if line.endswith("=") or line.startswith("=")]


def test_a_piped_table_has_no_blanks_at_the_end_of_its_lines(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    app(["info", str(folder / "s.zarr")], standalone_mode=False)
    assert not re.search(r"[ \t]+$", capsys.readouterr().out, re.M)
