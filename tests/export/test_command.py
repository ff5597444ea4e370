"""``ksdp export`` as a process."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ksdp_cli.store import Run


def test_the_command_and_its_exit_codes(run: Callable[..., Run], tmp_path: Path, command: Callable[..., Any]) -> None:
    ksdp, made = functools.partial(command, cwd=tmp_path), run()
    done = ksdp("export", "0.zarr", "-o", "x.npz", "--A", "10", "--t=0.2", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["path"] == "x.npz"
    assert document["parameters"] == {"A": [10.0, 10.0], "mu": [1.0, 2.0]}
    assert document["times"] == [0.2]
    with np.load(tmp_path / "x.npz") as file:
        assert np.array_equal(file["position"], [[made.frame(1, 2)], [made.frame(3, 2)]])
    again = ksdp("export", "0.zarr", "-o", "x.npz")
    assert (again.returncode, again.stdout) == (4, "")
    assert again.stderr.count("\n") == 1
    assert "x.npz" in again.stderr
    assert "--overwrite" in again.stderr
    assert ksdp("export", "0.zarr", "-o", "y.npz", "--A", "3").returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.zarr", "x.npz"]
