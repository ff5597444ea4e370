"""The README's commands that read or write each other's files run as they stand, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .test_readme import alone, commands, run_all


def test_every_command_with_files_runs(tmp_path: Path, command: Callable[..., Any]) -> None:
    found = [words for words in commands() if not alone(words)]
    assert {words[1] for words in found} >= {"simulate", "train", "sample", "compare", "plot"}
    run_all(found, tmp_path, command)
