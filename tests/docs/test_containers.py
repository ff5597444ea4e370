"""Dockerfile and ksdp.def: files that exist, the Python and the versions that are pinned, extras that there are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPES = ("Dockerfile", "ksdp.def")


def text(recipe: str) -> str:
    return (ROOT / recipe).read_text(encoding="utf-8")


def copied(recipe: str) -> set[str]:
    """What a recipe takes from this folder."""
    if recipe == "Dockerfile":
        return {name for line in re.findall(r"^COPY (.+)$", text(recipe), re.M) for name in line.split()[:-1]}
    (files,) = re.findall(r"%files\n(.*?)\n\n", text(recipe), re.S)
    return {line.split()[0] for line in files.splitlines()}


@pytest.mark.parametrize("recipe", RECIPES)
def test_it_takes_what_the_package_is_built_from(recipe: str) -> None:
    project = tomllib.loads(text("pyproject.toml"))
    needed = {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "pyproject.toml", "constraints.txt"}
    needed |= {project["project"]["readme"], *project["project"]["license-files"]}
    assert copied(recipe) == needed
    assert all((ROOT / name).exists() for name in needed)
    kept = {line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")}
    assert kept == needed


@pytest.mark.parametrize("recipe", RECIPES)
def test_it_installs_the_pinned_versions(recipe: str) -> None:
    """On the Python whose versions are pinned: the one of the job that installs by constraints.txt."""
    pinned = text(".github/workflows/tests.yml").partition("\n  pinned:")[2].partition("make test")[0]
    (python,) = re.findall(r'python-version: "([\d.]+)"', pinned)
    assert f"python:{python}-slim" in text(recipe)
    (extras,) = re.findall(r"pip install --no-cache-dir -c constraints.txt '\.\[([\w,]+)\]'", text(recipe))
    assert set(extras.split(",")) <= set(tomllib.loads(text("pyproject.toml"))["project"]["optional-dependencies"])
    assert "grep '^torch==' constraints.txt" in text(recipe)
    assert len(re.findall(r"^torch==", text("constraints.txt"), re.M)) == 1


def test_the_conda_recipe_needs_what_the_package_needs() -> None:
    """The same libraries at the same lowest versions, under the names that conda has for them."""
    theirs = {"pytorch": "torch", "matplotlib-base": "matplotlib"}
    project = tomllib.loads(text("pyproject.toml"))["project"]
    recipe = text("recipe/meta.yaml")
    (run,) = re.findall(r"  run:\n    - python (.+)\n((?:    - .+\n)+)", recipe)
    assert run[0] == project["requires-python"]
    rows = [line.removeprefix("    - ").partition(" ") for line in run[1].splitlines()]
    assert sorted(theirs.get(name, name) + bound for name, _, bound in rows) == sorted(project["dependencies"])
    assert f'{{% set version = "{project["version"]}" %}}' in recipe
