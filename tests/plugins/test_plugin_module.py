"""`ksdp_cli.plugin`: light to import, every name there, and enough for the packages that ship as examples."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ksdp_cli import plugin

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "plugins").glob("*/ksdp_*/*.py"))
FLOW = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8"), re.DOTALL)[0]


@pytest.mark.parametrize("name", plugin.__all__)
def test_each_name_is_there(name: str) -> None:
    assert getattr(plugin, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="swirl"):
        plugin.swirl  # noqa: B018


def test_a_manifest_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom ksdp_cli.plugin import Component, hookimpl, Params, Field, namespace, KsdpError\n"
        "assert not {'numpy', 'torch', 'numba', 'zarr', 'scipy'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def imported(text: str) -> set[str]:
    nodes = ast.walk(ast.parse(text))
    return {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_the_example_packages_need_no_other_module_of_ours(path: Path) -> None:
    ours = {name for name in imported(path.read_text(encoding="utf-8")) if name.startswith("ksdp_cli")}
    assert ours <= {"ksdp_cli.plugin"}


def test_a_flow_takes_twenty_lines() -> None:
    lines = [line for line in FLOW.splitlines() if line.strip() and not line.startswith("#")]
    assert "velocity" in FLOW
    assert len(lines) <= 20
    assert imported(FLOW) == {"ksdp_cli.plugin"}
