"""Real distributions in a folder on the path: modules and the metadata that an installer would write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


class Site:
    """A folder of distributions, and the command line run with it on the path."""

    def __init__(self, folder: Path, command: Callable[..., subprocess.CompletedProcess[str]]) -> None:
        self.folder, self.command = folder, command
        self.packages = folder / "site"
        self.packages.mkdir()

    def add(
        self, distribution: str, manifest: str, *, version: str = "1.2.0", target: str = "", **modules: str
    ) -> None:
        """A distribution whose manifest is the text ``manifest``; further modules by their names."""
        stem = distribution.replace("-", "_")
        metadata = self.packages / f"{stem}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (metadata / "entry_points.txt").write_text(f"[ksdp]\n{stem} = {target or stem}\n")
        for name, text in {stem: manifest, **modules}.items():
            (self.packages / f"{name}.py").write_text(text)

    def ksdp(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.command(*arguments, cwd=self.folder, **({"PYTHONPATH": str(self.packages)} | environment))

    def python(self, program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.packages)} | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture(scope="module")
def make_site(
    tmp_path_factory: pytest.TempPathFactory, command: Callable[..., subprocess.CompletedProcess[str]]
) -> Callable[[], Site]:
    return lambda: Site(tmp_path_factory.mktemp("plugins"), command)
