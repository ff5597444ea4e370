"""Plugin discovery with isolation: what fails to load is reported by name, and the rest works.

``KSDP_PLUGINS`` picks: unset or ``all`` loads every installed plugin, ``none`` only what ships, and a comma list
of distribution names only those.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from . import builtin, hookspecs
from .registry import HOOK_OF_KIND, Component, Entry, Registry

GROUP = "ksdp"
OWN_DISTRIBUTION = "ksdp"
KIND_OF_HOOK = {hook: kind for kind, hook in HOOK_OF_KIND.items()}
HOOKS = [name for name in vars(hookspecs) if name.startswith("ksdp_")]


@dataclass
class Plugins:
    """The outcome of discovery: ``registry``, ``failures`` as (distribution, reason), and the pluggy manager."""

    registry: Registry
    manager: pluggy.PluginManager
    failures: list[tuple[str, str]] = field(default_factory=list)

    def fail(self, distribution: str, error: BaseException) -> str:
        """Record under the distribution's name, on one line, what went wrong; the reason is returned."""
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        self.failures.append((distribution, reason))
        if distribution not in self.registry.failed:
            self.registry.failed.append(distribution)
        return reason


def normal(distribution: str) -> str:
    """A distribution's name as the packaging standards compare it: ``My_Flow`` is ``my-flow``."""
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower()


def choice_of_user() -> set[str] | None:
    """The distributions that ``KSDP_PLUGINS`` lets in, or None for all."""
    choice = os.environ.get("KSDP_PLUGINS", "all").strip()
    if choice in ("", "all"):
        return None
    return {normal(name) for name in choice.split(",") if name.strip()} - {"none"}


def own_version() -> str:
    try:
        return importlib.metadata.version(OWN_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:  # imported from a source tree that was never installed
        return "0+unknown"


def require_hooks(module: object) -> None:
    """Raise `AttributeError` for what pluggy would pass over: a misspelt hook, an unmarked one, none at all."""
    hooks = [name for name in dir(module) if name.startswith("ksdp_") and callable(getattr(module, name))]
    for name in hooks:
        if name not in HOOKS:
            raise AttributeError(f"unknown hook {name!r}: a hook is one of {', '.join(HOOKS)}")
        if not hasattr(getattr(module, name), f"{hookspecs.PROJECT}_impl"):
            raise AttributeError(f"{name} lacks its decorator @hookimpl")
    if not hooks:
        raise AttributeError(f"no hook in {getattr(module, '__name__', module)}: one of {', '.join(HOOKS)} is needed")


def collect(manager: pluggy.PluginManager, module: object, distribution: str, version: str) -> list[Entry]:
    """The components of one plugin, read by calling its hooks alone.

    Raises `TypeError` when a hook returns something other than a list of `Component`, `ValueError` for a name that the
    distribution offers twice.
    """
    entries: list[Entry] = []
    for caller in manager.get_hookcallers(module) or []:
        if caller.name not in KIND_OF_HOOK:
            continue
        (own,) = (one for one in caller.get_hookimpls() if one.plugin is module)
        components: Any = own.function()
        if not isinstance(components, list):
            raise TypeError(f"{caller.name} returned {components!r} instead of a list of Component")
        for component in components:
            if not isinstance(component, Component):
                raise TypeError(f"{caller.name} returned {component!r}, which is not a Component")
            entry = Entry(KIND_OF_HOOK[caller.name], component, distribution, version)
            if any((entry.kind, entry.name) == (other.kind, other.name) for other in entries):
                raise ValueError(f"{caller.name} offers {entry.name!r} twice")
            entries.append(entry)
    return entries


def admit(plugins: Plugins, load: Callable[[], object], distribution: str, version: str) -> None:
    """Load one plugin; whatever goes wrong is recorded under its name and nothing of it is kept."""
    module, is_registered = None, False
    try:
        module = load()
        require_hooks(module)
        plugins.manager.register(module, name=f"{distribution}:{getattr(module, '__name__', module)}")
        is_registered = True
        plugins.manager.check_pending()
        entries = collect(plugins.manager, module, distribution, version)
        for entry in entries:
            if any((entry.kind, entry.long_name) == (e.kind, e.long_name) for e in plugins.registry.entries):
                raise ValueError(f"{entry.kind} {entry.long_name!r} is there already, by another entry point")
        plugins.registry.entries += entries
    except (Exception, SystemExit) as error:  # isolation is the point: a stranger's plugin may fail in any way
        if is_registered:
            plugins.manager.unregister(module)
        plugins.fail(distribution, error)


def discover() -> Plugins:
    """Load what ships, then every installed entry point of the group ``ksdp`` that is wanted."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(Registry(), manager)
    admit(plugins, lambda: builtin, OWN_DISTRIBUTION, own_version())
    choice, distributions = choice_of_user(), {OWN_DISTRIBUTION}
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=origin):
        distribution, version = origin(point)
        distributions.add(normal(distribution))
        if choice is None or normal(distribution) in choice:
            admit(plugins, point.load, distribution, version)
    for name in sorted((choice or set()) - distributions):
        plugins.fail(name, LookupError("KSDP_PLUGINS names it, and no such distribution offers a ksdp plugin"))
    return plugins


def origin(point: EntryPoint) -> tuple[str, str]:
    """Distribution and version of an entry point, as far as its metadata tells them."""
    if point.dist is None:
        return point.name, "?"
    metadata = point.dist.metadata
    fields = {key: metadata[key] for key in metadata}
    return fields.get("Name") or point.name, fields.get("Version") or "?"


@functools.cache
def loaded() -> Plugins:
    """The plugins of this process, discovered once."""
    return discover()


def registry() -> Registry:
    return loaded().registry


def packages() -> set[str]:
    """Return the Python packages of the components that plugins brought."""
    others = (entry for entry in registry().entries if entry.distribution != OWN_DISTRIBUTION)
    return {entry.component.target.partition(":")[0].partition(".")[0] for entry in others} - {"ksdp_cli"}
