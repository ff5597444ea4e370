"""Every example runs as a user runs it, in an empty folder, and prints what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("[0-9]*.py"))
PROMISED = {
    "01_blow_up": "mass within r = 0.2",
    "02_flow_amplitudes": "xarray.Dataset",
    "03_learn_and_generate": "noise floor",
    "04_your_own_flow": "A = 20: E|x|^2",
    "05_warm_start": "warm start against whole runs",
}


def test_there_are_five() -> None:
    assert [path.stem for path in EXAMPLES] == list(PROMISED)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example)], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert PROMISED[example.stem] in done.stdout
    assert not done.stderr
