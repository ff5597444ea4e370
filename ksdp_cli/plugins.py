"""Plugin discovery with isolation: what fails to load is reported by name, and the rest works.

``KSDP_PLUGINS`` picks: unset or ``all`` loads every installed plugin, ``none`` only what ships, and a comma list
of distribution names only those.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
from dataclasses import dataclass, field
from typing import Any

import pluggy

from . import builtin, hookspecs
from .registry import HOOK_OF_KIND, Component, Entry, Registry

GROUP = "ksdp"
OWN_DISTRIBUTION = "ksdp"


@dataclass
class Plugins:
    """The outcome of discovery: ``registry``, ``failures`` as (distribution, reason), and the pluggy manager."""

    registry: Registry
    manager: pluggy.PluginManager
    failures: list[tuple[str, str]] = field(default_factory=list)


def wanted(distribution: str) -> bool:
    """Whether ``KSDP_PLUGINS`` lets this distribution in."""
    choice = os.environ.get("KSDP_PLUGINS", "all").strip()
    if choice in ("", "all"):
        return True
    return distribution in {name.strip() for name in choice.split(",")}


def own_version() -> str:
    try:
        return importlib.metadata.version(OWN_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:  # imported from a source tree that was never installed
        return "0+unknown"


def misspelt_hooks(module: Any) -> list[str]:
    """Names of public functions that look like hooks and are none: pluggy alone would pass over them."""
    known = {name for name in dir(hookspecs) if name.startswith("ksdp_")}
    return sorted(
        name
        for name in dir(module)
        if name.startswith("ksdp_") and callable(getattr(module, name)) and name not in known
    )


def collect(manager: pluggy.PluginManager, module: Any, distribution: str, version: str) -> list[Entry]:
    """The components of one plugin, read by calling its hooks alone.

    Raises `TypeError` when a hook returns something other than a list of `Component`.
    """
    entries = []
    for kind, hook_name in HOOK_OF_KIND.items():
        others = [plugin for plugin in manager.get_plugins() if plugin is not module]
        for components in manager.subset_hook_caller(hook_name, others)():
            for component in components:
                if not isinstance(component, Component):
                    raise TypeError(f"{hook_name} returned {component!r}, which is no Component")
                entries.append(Entry(kind, component, distribution, version))
    return entries


def admit(plugins: Plugins, load: Any, distribution: str, version: str) -> None:
    """Load one plugin; whatever goes wrong is recorded under its name and nothing of it is kept."""
    module = None
    try:
        module = load()
        unknown = misspelt_hooks(module)
        if unknown:
            raise AttributeError(f"unknown hook {unknown[0]!r}: a hook is one of {', '.join(HOOK_OF_KIND.values())}")
        plugins.manager.register(module, name=f"{distribution}:{getattr(module, '__name__', module)}")
        plugins.manager.check_pending()
        plugins.registry.entries += collect(plugins.manager, module, distribution, version)
    except Exception as error:  # isolation is the point: a stranger's plugin may fail in any way
        if module is not None and plugins.manager.is_registered(module):
            plugins.manager.unregister(module)
        plugins.failures.append((distribution, f"{type(error).__name__}: {error}"))


def discover() -> Plugins:
    """Load what ships, then every installed entry point of the group ``ksdp`` that is wanted."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(Registry(), manager)
    admit(plugins, lambda: builtin, OWN_DISTRIBUTION, own_version())
    for point in importlib.metadata.entry_points(group=GROUP):
        distribution = point.dist.name if point.dist else point.name
        version = point.dist.version if point.dist else "?"
        if wanted(distribution):
            admit(plugins, point.load, distribution, version)
    return plugins


@functools.cache
def loaded() -> Plugins:
    """The plugins of this process, discovered once."""
    return discover()


def registry() -> Registry:
    return loaded().registry
