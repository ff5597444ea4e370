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


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    lines = [line.split("  #")[0] for block in blocks for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("ksdp ")]


def test_every_command_of_the_readme_runs(tmp_path: Path, command: Callable[..., Any]) -> None:
    found = commands()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    assert {words[1] for words in found} >= {"simulate", "train", "sample", "compare", "info", "plugins"}
    for words in found:
        if words[1] == "demo":  # `make demo` is the main job at its full size
            continue
        done = command(*words[1:], *SMALLER.get(words[1], []), cwd=tmp_path)
        assert done.returncode == 0, (words, done.stderr)
        assert done.stdout


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    smaller = block.replace("A=100)", "A=100, J=300, dt=1e-3)")
    assert smaller != block
    done = subprocess.run([sys.executable, "-c", smaller], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
