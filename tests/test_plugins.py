"""Discovery: built-ins by the same door, isolation of what fails, ambiguity only when a name is used."""

from __future__ import annotations

import importlib.metadata
import types
from typing import Any

import pytest

from ksdp_cli import plugins
from ksdp_cli.errors import ConfigError
from ksdp_cli.hookspecs import hookimpl
from ksdp_cli.registry import Component


class Distribution:
    def __init__(self, name: str) -> None:
        self.metadata = {"Name": name, "Version": "1.0"}


class Point:
    def __init__(self, distribution: str, load: Any) -> None:
        self.name, self.dist, self.load = "x", Distribution(distribution), load


def manifest(**hooks: Any) -> types.ModuleType:
    module = types.ModuleType("manifest")
    for name, function in hooks.items():
        setattr(module, name, hookimpl(function))
    return module


def offers(name: str, target: str = "ksdp_cli.flows.none:NoFlow") -> types.ModuleType:
    return manifest(ksdp_flows=lambda: [Component(name, target, "a flow")])


@pytest.fixture
def discover(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(*points: Point) -> plugins.Plugins:
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: list(points))
        return plugins.discover()

    monkeypatch.delenv("KSDP_PLUGINS", raising=False)
    return run


def test_every_shipped_component_is_registered(discover: Any) -> None:
    registry = discover().registry
    assert {entry.name for entry in registry.of_kind("flow")} == {
        "none", "laminar2d", "laminar3d", "kolmogorov", "hyperbolic",
    }  # fmt: skip
    assert {entry.name for entry in registry.of_kind("kernel")} == {"blob", "eq7", "plummer", "gaussian", "coulomb"}
    assert {"iterative-lp", "emd"} <= {entry.name for entry in registry.of_kind("transition solver")}
    assert all(entry.load() for entry in registry.entries)


def test_a_plugin_that_fails_to_import_is_reported_and_skipped(discover: Any) -> None:
    def broken() -> Any:
        raise ImportError("no module named petsc")

    found = discover(Point("broken-flow", broken), Point("good-flow", lambda: offers("swirl")))
    assert found.failures == [("broken-flow", "ImportError: no module named petsc")]
    assert found.registry.find("flow", "swirl").distribution == "good-flow"


def test_a_misspelt_hook_is_reported_and_skipped(discover: Any) -> None:
    found = discover(Point("typo", lambda: manifest(ksdp_flow=lambda: [])))
    assert "unknown hook 'ksdp_flow'" in found.failures[0][1]


def test_a_hook_that_returns_no_components_is_reported(discover: Any) -> None:
    found = discover(Point("odd", lambda: manifest(ksdp_flows=lambda: ["swirl"])))
    assert "'swirl', which is not a Component" in found.failures[0][1]
    assert not [entry for entry in found.registry.entries if entry.distribution == "odd"]


def test_two_plugins_with_one_name(discover: Any) -> None:
    registry = discover(Point("one", lambda: offers("swirl")), Point("two", lambda: offers("swirl"))).registry
    with pytest.raises(ConfigError, match="one:swirl, two:swirl"):
        registry.find("flow", "swirl")
    assert registry.find("flow", "two:swirl").distribution == "two"
    assert registry.find("flow", "laminar2d").distribution == "ksdp"


def test_a_class_that_is_not_there(discover: Any) -> None:
    registry = discover(Point("hollow", lambda: offers("swirl", "ksdp_cli.flows.none:Swirl"))).registry
    with pytest.raises(ConfigError, match="hollow:swirl"):
        registry.find("flow", "swirl").load()


def test_one_manifest_by_two_entry_points_is_kept_once(discover: Any) -> None:
    module = offers("swirl")
    found = discover(Point("one", lambda: module), Point("two", lambda: module))
    assert [name for name, _ in found.failures] == ["two"]
    assert found.registry.find("flow", "swirl").distribution == "one"
    assert found.manager.is_registered(module)


def test_one_name_by_two_entry_points_of_a_package_is_kept_once(discover: Any) -> None:
    other = offers("swirl")
    other.__name__ = "other_manifest"
    found = discover(Point("one", lambda: offers("swirl")), Point("one", lambda: other))
    assert found.failures == [("one", "ValueError: flow 'one:swirl' is there already, by another entry point")]
    assert len([entry for entry in found.registry.entries if entry.name == "swirl"]) == 1


def test_KSDP_PLUGINS_switches_off_and_picks(discover: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    points = Point("one", lambda: offers("swirl")), Point("two", lambda: offers("twist"))
    monkeypatch.setenv("KSDP_PLUGINS", "none")
    assert {entry.distribution for entry in discover(*points).registry.entries} == {"ksdp"}
    monkeypatch.setenv("KSDP_PLUGINS", "two")
    assert {entry.distribution for entry in discover(*points).registry.entries} == {"ksdp", "two"}
