"""The command line as a user meets it: a process of its own in an empty folder."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Ksdp = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ksdp(tmp_path: Path, command: Ksdp) -> Ksdp:
    """``ksdp("simulate", "--J", "100")`` runs the command in ``tmp_path`` and returns the finished process."""
    return functools.partial(command, cwd=tmp_path)
