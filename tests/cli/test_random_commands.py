"""Command lines drawn at random: every one leaves with 0, 2, 3, 4 or 5, and with one line where it was wrong."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

import ksdp_cli as ksdp
from ksdp_cli.cli.assembly import run

COUNT = 500 if "KSDP_SLOW_TESTS" in os.environ else 100
VERBS = [
    "simulate",
    "train",
    "sample",
    "compare",
    "report",
    "info",
    "plot",
    "export",
    "plugins",
    "reproduce",
    "simulat",
]
FILES = [
    "s.zarr",
    "m.safetensors",
    "c.zarr",
    "nowhere.zarr",
    "diary.txt",
    "folder",
    "laminar2d-amplitude",
    "",
    ".",
    "/",
]
OUTPUTS = [
    "new.zarr",
    "new.safetensors",
    "new.png",
    "new.html",
    "new.csv",
    "new.npz",
    "diary.txt",
    "folder",
    "../x.zarr",
]
OUTPUTS += [
    "s.zarr",
    "m.safetensors",
    "/",
    "",
    "/nowhere/x.zarr",
    "/dev/null",
    "s3://b/x.zarr",
    "n" * 300,
    "diary.txt/x",
]
NAMES = [
    "--A",
    "--T",
    "--dt",
    "--J",
    "--M",
    "--mu",
    "--chi",
    "--delta2",
    "--snapshots",
    "--seed",
    "--N",
    "--steps",
    "--n",
]
NAMES += ["--t", "--case", "--metrics", "--floor", "--reference"]
NAMES += ["--engine", "--scheme", "--flow", "--kernel", "--dim"]
NAMES += [
    "--init",
    "--config",
    "--eta",
    "--solver",
    "--device",
    "--dtype",
    "--repeats",
    "--accuracy",
    "--zzz",
    "--format",
]
VALUES = [
    "1",
    "0",
    "-1",
    "2",
    "3",
    "1e-3",
    "1,10",
    "1:3:3",
    "1:2:1e12",
    "nan",
    "inf",
    "1e999",
    "x",
    "",
    "1e-300",
    "99999999999999999999",
]
VALUES += [
    "laminar2d",
    "kolmogorov",
    "none",
    "blob",
    "w2",
    "halves",
    "simulate",
    "s.zarr",
    "c.toml",
    "A",
    "auto",
    "tree",
]
VALUES += [
    "float64",
    "heun",
    "cpu",
    "cuda",
    "certified",
    "png",
    "\x1b[31m",
    "'",
    "🙂",
    "0.5pi",
    "--",
    "1_0",
]
FLAGS = ["--json", "--overwrite", "--resume", "--help", "--version", "-h", "-o"]
#: So that what is right by chance is small.
SIZES = {
    "simulate": ["--J", "20", "--T", "1e-3", "--dt", "1e-3"],
    "train": ["--N", "20", "--steps", "2"],
    "sample": ["--n", "20"],
    "plot": ["--n", "100"],
    "compare": ["--N", "20"],
}


def command(draw: random.Random) -> list[str]:
    verb = draw.choice(VERBS)
    words = [verb, *draw.choices(FILES, k=draw.choice([0, 1, 1, 1, 2]))] if verb != "simulate" else [verb]
    for _ in range(draw.randint(0, 4)):
        words += [draw.choice(NAMES), draw.choice(VALUES)]
    words += draw.choices(FLAGS, k=draw.choice([0, 0, 1, 2]))
    if draw.random() < 0.6:
        words += ["-o", draw.choice(OUTPUTS)]
    if verb not in ("info", "sample"):  # of a network that ships the others take long
        words = [word for word in words if word != "laminar2d-amplitude"]
    return words + SIZES.get(verb, [])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    at = tmp_path / "here"
    at.mkdir()
    monkeypatch.chdir(at)
    made = ksdp.simulate(out="s.zarr", flow="laminar2d", A=[1, 10, 100], J=60, T=1e-3, dt=1e-3)
    model = ksdp.train(made, out="m.safetensors", N=20, steps=2).trained.model
    ksdp.sample(model, n=30, A=3, out="c.zarr")
    Path("diary.txt").write_text("mine")
    Path("folder").mkdir()
    Path("c.toml").write_text("J = 20\nT = 1e-3\ndt = 1e-3\n")
    return at


@pytest.mark.filterwarnings("ignore")
def test_random_command_lines(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draw, wrong = random.Random(9), []
    for _ in range(COUNT):
        words = command(draw)
        monkeypatch.setattr(sys, "argv", ["ksdp", *words])
        try:
            code = run()
        except SystemExit as end:
            code = end.code  # type: ignore[assignment]
        said = capsys.readouterr()
        fine = code in (0, 2, 3, 4, 5) and "Traceback" not in said.err and "this is a bug" not in said.err
        errors = [line for line in said.err.splitlines() if line.startswith("ksdp: error")]
        if not fine or len(errors) > 1:
            wrong.append((words, code, said.err[-300:]))
        assert Path("diary.txt").read_text() == "mine"
        assert os.listdir("folder") == []
    assert wrong == []
