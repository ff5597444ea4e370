"""The machine code of the GPU programs, compiled without a GPU, held to the counts in sass_table.json.

A row may get better. Where it gets worse on purpose, `python benchmarks/sass.py --json` writes a new table.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
TABLE = json.loads((HERE / "sass_table.json").read_text(encoding="utf-8"))
NAMES = ("engine", "kernel", "dim", "dtype", "sm")
#: Instructions a pair in float32 on sm_90.
GOALS = {
    ("blob", 2): 10, ("eq7", 2): 14, ("gaussian", 2): 20, ("blob", 3): 15, ("eq7", 3): 18, ("plummer", 3): 15,
}  # fmt: skip


def worse(row: dict[str, Any], kept: dict[str, Any]) -> list[str]:
    """What a row has too much of: 2 % more instructions than the table are allowed, 8 more registers, no more spills.

    Another Triton than the table's schedules otherwise: it gets 10 %, 24 registers and 10 spills.
    """
    same = row["triton"] == kept["triton"]
    factor, registers, spills = (1.02, 8, 0) if same else (1.1, 24, 10)
    found = []
    if kept["instructions_per_pair"] is not None and not (
        row["instructions_per_pair"] <= factor * kept["instructions_per_pair"]
    ):
        found.append("instructions_per_pair")
    if row["registers"] > kept["registers"] + registers:
        found.append("registers")
    if row["spills"] > kept["spills"] + spills:
        found.append("spills")
    return found


def name(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[field] for field in NAMES)


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")
@pytest.mark.parametrize(
    "only",
    [
        # the kernel that calls every function, in the type of all runs; and the programs without pairs
        pytest.param({"sm": 90, "kernel": "gaussian", "dtype": "float32"}, id="one kernel"),
        pytest.param({}, id="all", marks=pytest.mark.slow),
    ],
)
def test_no_program_has_become_worse(only: dict[str, Any]) -> None:
    script = HERE.parents[1] / "benchmarks" / "sass.py"
    options = [word for field, value in only.items() for word in (f"--{field}", str(value))]
    done = subprocess.run([sys.executable, script, "--json", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = {name(row): row for row in json.loads(done.stdout)}
    kept = {name(row): row for row in TABLE if all(row[field] in ("", value) for field, value in only.items())}
    assert rows.keys() == kept.keys()
    bad = {key: (what, rows[key], kept[key]) for key in kept if (what := worse(rows[key], kept[key]))}
    assert not bad, bad


def test_the_table_meets_the_goals() -> None:
    direct = [row for row in TABLE if row["engine"] == "direct"]
    assert len(direct) == 2 * 5 * 2 * 2
    for row in direct:
        assert row["spills"] == 0, row
        assert row["warps"] >= 12, row
        if row["sm"] == 90 and row["dtype"] == "float32" and (row["kernel"], row["dim"]) in GOALS:
            assert row["instructions_per_pair"] <= GOALS[row["kernel"], row["dim"]], row


@pytest.mark.parametrize("field", ["instructions_per_pair", "registers", "spills"])
def test_a_worse_row_is_told(field: str) -> None:
    kept = TABLE[0]
    row = copy.copy(kept)
    assert worse(row, kept) == []
    row[field] = 1.2 * kept[field] + 25
    assert worse(row, kept) == [field]
    row[field] = 0
    assert worse(row, kept) == []
