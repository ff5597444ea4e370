"""The README's commands run as they stand, one after the other, each made small by options at its end."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SMALLER = {
    "simulate": ["--J", "400", "--dt", "1e-3"],
    "train": ["--steps", "40", "--N", "100"],
    "compare": ["--N", "100", "--repeats", "3"],
    "plot": ["--n", "1e4"],
}


def commands(page: Path = ROOT / "README.md") -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text().replace("\\\n", " "), re.DOTALL)
    lines = [line.split("  #")[0] for block in blocks for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("ksdp ")]


def run_all(found: list[list[str]], folder: Path, command: Callable[..., Any]) -> None:
    (folder / "examples").symlink_to(ROOT / "examples")
    for words in found:
        stored = words[1] == "plot" and words[2].endswith(".zarr")
        smaller = [] if stored else SMALLER.get(words[1], [])
        if "auto" in words:  # the steps are what the command shows
            smaller = [word for word in smaller if word not in ("--dt", "1e-3")]
        if "--init collapse" in " ".join(words):  # 400 particles so close to a blow-up do not resolve its delta
            smaller = [*smaller, "--J", "1000"]
        done = command(*words[1:], *smaller, cwd=folder)
        assert done.returncode == 0, (words, done.stderr)
        assert done.stdout


def alone(words: list[str]) -> bool:
    """Whether a command needs no file of another; the others are in test_readme_files.py, for a worker of their own."""
    return not any(word.startswith("runs/") for word in words)


def test_every_command_that_stands_alone_runs(tmp_path: Path, command: Callable[..., Any]) -> None:
    found = [words for words in commands() if alone(words)]
    assert {words[1] for words in commands()} >= {"simulate", "train", "sample", "compare", "info", "plugins"}
    run_all([words for words in found if words[1] != "demo"], tmp_path, command)  # `make demo`: the main job, full size


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    smaller = block.replace("A=100)", "A=100, J=300, dt=1e-3)")
    assert smaller != block
    done = subprocess.run([sys.executable, "-c", smaller], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
