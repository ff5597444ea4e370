"""docs/plugins.md: every hook is documented by its signature, and every block of code does what the page says."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli import hookspecs, testing
from ksdp_cli.registry import CONTRACTS, HOOK_OF_KIND

GUIDE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("ksdp_")}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("name", HOOKS)
def test_each_hook_is_documented_with_its_signature(name: str) -> None:
    hook = HOOKS[name]
    signature = (
        f"{name}({', '.join(inspect.signature(hook).parameters)}) -> {inspect.signature(hook).return_annotation}"
    )
    (row,) = [line for line in GUIDE.splitlines() if line.startswith(f"| `{name}(")]
    assert f"`{signature}`" in row
    assert inspect.getdoc(hook)


@pytest.mark.parametrize("kind", HOOK_OF_KIND)
def test_each_contract_and_its_check_exist_and_stand_in_the_table(kind: str) -> None:
    (row,) = [line for line in GUIDE.splitlines() if line.startswith(f"| `{HOOK_OF_KIND[kind]}(")]
    module, _, protocol = re.findall(r"`(ksdp_cli[\w.]+)`", row)[0].rpartition(".")
    assert inspect.getdoc(getattr(importlib.import_module(module), protocol))
    check = CONTRACTS[kind][1]
    assert f"`{check}`" in row
    assert callable(getattr(testing, check))


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All Python blocks but the manifest, run one after the other as one module, the simulation with few particles."""
    folder = tmp_path_factory.mktemp("guide")
    text = "\n".join(block for block in blocks("python") if "my_flow/plugin.py" not in block)
    smaller = text.replace("T=0.02)", f"T=0.02, J=200, dt=1e-3, out={str(folder / 'run.zarr')!r})")
    assert smaller != text
    (folder / "guide.py").write_text(smaller, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("guide", folder / "guide.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def test_the_script_has_simulated_its_flow(space: dict[str, Any]) -> None:
    run = space["run"]
    assert [case["A"] for case in run.cases] == [1.0, 10.0]
    assert run.frame(1).shape == (200, 2)


def test_the_classes_of_the_page_keep_their_contracts(space: dict[str, Any]) -> None:
    space["test_the_flow_keeps_the_contract"]()
    testing.check_flow(space["TaylorGreen"])
    testing.check_kernel(space["Yukawa"])
    testing.check_transition_solver(space["Hungarian"])
    testing.check_initial_cloud(space["Cloud"])
    testing.check_metric(space["Energy"])
    testing.check_executor(space["Here"])


def test_the_flow_of_the_page_is_short() -> None:
    (block,) = [block for block in blocks("python") if "# my_flow/flow.py" in block]
    assert len(block.splitlines()) <= 20


def test_the_metric_of_the_page_is_short_and_right(space: dict[str, Any]) -> None:
    """Of one particle at 0 and one at a, 2 |a|; its influences predict what one particle's weight does."""
    (block,) = [block for block in blocks("python") if "class Energy" in block]
    assert len(block.splitlines()) <= 25
    point = np.zeros((1, 2))
    assert space["Energy"](point, point).transport(point, point + np.array([3.0, 4.0])).value == 10.0
    x, y = np.random.default_rng(0).standard_normal((2, 200, 2))
    value, (u, _) = space["Energy"](x, y).transport(x, y + 1.0)
    heavier = space["Energy"](x, y).transport(np.concatenate([x, x[:1]]), np.concatenate([y, y]) + 1.0)
    assert heavier.value - value == pytest.approx((u[0] - u.mean()) / 201, rel=0.05)


def test_the_kernel_and_the_cloud_can_be_handed_over(space: dict[str, Any], tmp_path: Path) -> None:
    import ksdp_cli as ksdp

    run = ksdp.simulate(
        kernel=space["Yukawa"], init=space["Cloud"], dim=3, k=[1, 5], J=100, T=1e-3, out=tmp_path / "run.zarr"
    )
    assert [case["k"] for case in run.cases] == [1.0, 5.0]


def test_the_command_greets(space: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    app = typer.Typer()
    space["ksdp_commands"](app)
    app(["--name", "reader"], standalone_mode=False)
    assert capsys.readouterr().out == "hello reader\n"


def test_the_package_of_the_page_works_from_the_command_line(tmp_path: Path, command: Callable[..., Any]) -> None:
    """The four files as they stand, found through metadata as an installer writes it from the page's pyproject."""
    (pyproject,) = (tomllib.loads(block) for block in blocks("toml"))
    project = pyproject["project"]
    flow, manifest = (next(b for b in blocks("python") if f"# my_flow/{name}.py" in b) for name in ("flow", "plugin"))
    site = tmp_path / "site"
    files = {"my_flow/__init__.py": "", "my_flow/flow.py": flow, "my_flow/plugin.py": manifest}
    points = "\n".join(f"{name} = {value}" for name, value in project["entry-points"]["ksdp"].items())
    files["my_flow-0.1.0.dist-info/entry_points.txt"] = f"[ksdp]\n{points}\n"
    files["my_flow-0.1.0.dist-info/METADATA"] = f"Name: {project['name']}\nVersion: {project['version']}\n"
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    install, *commands = [line.split() for block in blocks("sh") for line in block.splitlines()]
    assert install == ["pip", "install", "-e", "./my-flow"]
    for words in commands:
        smaller = ["--J", "200", "--dt", "1e-3"] if words[1] == "simulate" else []
        done = command(*words[1:], *smaller, cwd=tmp_path, PYTHONPATH=str(site))
        assert done.returncode == 0, (words, done.stderr)
        assert "taylor-green" in done.stdout
