"""The command line as a user meets it: a process of its own in an empty folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Ksdp = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ksdp(tmp_path: Path) -> Ksdp:
    """``ksdp("simulate", "--J", "100")`` runs the command in ``tmp_path`` and returns the finished process."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = "import sys; from ksdp_cli.cli.app import main; sys.argv[0] = 'ksdp'; main()"
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    return run
