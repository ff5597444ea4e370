"""An experiment small enough for a test: three amplitudes of the laminar flow, 300 particles, 60 gradient steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TINY = """
summary = "a tiny laminar flow"

[simulation]
flow = "laminar2d"
A = "1,10,100"
T = 0.02

[training]
N = 100
renew_batch = 30
renew_gamma = 15
validate_every = 30

[[rows]]
role = "validation"
at = { A = 50 }
paper = 0.0041

[[figures]]
name = "tiny-moment"
kind = "second_moment"
along = { A = [1, 50] }

[scales.quick]
simulation = { J = 300, dt = 1e-3 }
training = { steps = 60 }
seeds = 2
references = 3
N = [300, 100]
samples = 2000
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture
def ksdp(tmp_path: Path, command: Callable[..., Any]) -> Callable[..., Any]:
    """``ksdp("reproduce", ...)`` runs the command in ``tmp_path`` and returns the finished process."""
    return functools.partial(command, cwd=tmp_path)
