"""``ksdp plugins new``: what it writes is a plugin that ksdp finds, whose test passes."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ksdp_cli.errors import ConfigError, Taken
from ksdp_cli.testing.new_plugin import new_plugin


def test_a_new_plugin_is_found_and_its_test_passes(tmp_path: Path) -> None:
    """As if it were installed: its folder on the path, with the entry point that its pyproject.toml names."""
    root = tmp_path / "my-flow"
    made = new_plugin("my-flow", root)
    assert {path.name for path in made} == {"pyproject.toml", "plugin.py", "flow.py", "test_flow.py", "__init__.py"}
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["ksdp"] == {"my-flow": "my_flow.plugin"}
    about = root / "my_flow-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-flow\nVersion: 0.1.0\n")
    (about / "entry_points.txt").write_text("[ksdp]\nmy-flow = my_flow.plugin\n")
    env = os.environ | {"PYTHONPATH": str(root)}
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    tested = subprocess.run(words, cwd=root, env=env, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout
    words = [sys.executable, "-m", "ksdp_cli", "simulate", "--flow", "my", "--A", "3", "--J", "20", "--T", "1e-3"]
    moved = subprocess.run([*words, "--json"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert moved.returncode == 0, moved.stderr


def test_existing_files_stay_and_wrong_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Taken):
        new_plugin("my-flow", tmp_path)
    for name in ("My Flow", "../up", "3d", "", "import"):
        with pytest.raises(ConfigError):
            new_plugin(name, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_begins_with_a_number_has_a_class(tmp_path: Path) -> None:
    new_plugin("ksdp-3d-flow", tmp_path / "new")
    assert "class Flow3d:" in (tmp_path / "new" / "ksdp_3d_flow" / "flow.py").read_text()
