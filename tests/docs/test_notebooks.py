"""The notebooks of the documentation run as they stand, cell after cell, and hold the outputs of such a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
#: Enough for the code to run; what the numbers are is for the stored outputs to show.
SMALLER = {"J=2000": "J=300", "dt=5e-4": "dt=2e-3", "steps=400": "steps=20", "steps=600": "steps=20", "N=500": "N=100"}


def cells(notebook: Path) -> list[dict[str, object]]:
    return [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    code = "\n".join("".join(cell["source"]) for cell in cells(notebook))  # type: ignore[arg-type]
    for usual, small in SMALLER.items():
        code = code.replace(usual, small)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_was_run_from_the_top(notebook: Path) -> None:
    """No cell failed, and each was run once, in order."""
    every = cells(notebook)
    assert [cell["execution_count"] for cell in every] == list(range(1, len(every) + 1))
    assert all(output["output_type"] != "error" for cell in every for output in cell["outputs"])  # type: ignore
    assert "/tmp/" not in notebook.read_text()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_cell_may_be_run_again(notebook: Path) -> None:
    """Every output may be replaced: a second run, or the other notebook in the same folder, is no error."""
    code = "\n".join("".join(cell["source"]) for cell in cells(notebook))  # type: ignore[arg-type]
    assert code.count("out=") == code.count("overwrite=True") > 0


def test_there_are_two() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["first_steps", "own_clouds"]
