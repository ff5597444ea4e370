"""The command line in processes that may be killed: each is forked from one that has imported everything already."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Done:
    """How a process ended: exit code, or minus the number of the signal that killed it; what it said."""

    code: int
    out: str
    err: str


class Ksdp:
    """``ksdp("simulate", "--J", "100")`` in ``folder``; hooks are those of the server."""

    def __init__(self, server: subprocess.Popen[str], folder: Path, files: Path) -> None:
        self.server, self.folder, self.files = server, folder, files

    def __call__(self, *arguments: str, **hooks: Any) -> Done:
        for ending in (".out", ".err"):  # a process that is not waited for may not have opened them yet
            self.files.with_suffix(ending).write_text("")
        request = {"arguments": arguments, "hooks": hooks, "folder": str(self.folder)}
        request |= {"files": str(self.files), "env": {}}
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(request) + "\n")
        self.server.stdin.flush()
        code = int(self.server.stdout.readline())
        return Done(code, self.files.with_suffix(".out").read_text(), self.files.with_suffix(".err").read_text())


@pytest.fixture
def ksdp(server: subprocess.Popen[str], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Ksdp:
    return Ksdp(server, tmp_path, tmp_path_factory.mktemp("said") / "last")
