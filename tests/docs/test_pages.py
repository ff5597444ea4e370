"""The shell commands of the pages run as they stand, in order, each made small by options at its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .test_readme import ROOT, commands, run_all

#: `own_clouds.md`, `plugins.md` and `cluster.md` have tests of their own.
PAGES = ("guide", "sweeps", "blow_up", *(pytest.param(page, marks=pytest.mark.slow) for page in ("index", "laws")))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_runs(page: str, tmp_path: Path, command: Callable[..., Any]) -> None:
    found = commands(ROOT / "docs" / f"{page}.md")
    assert found
    run_all([words for words in found if words[1] != "reproduce"], tmp_path, command)  # which takes minutes
