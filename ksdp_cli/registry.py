"""Components by name: an import path is registered, and the class is loaded when it is used."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass, field
from typing import Any

from .errors import ConfigError, KsdpError

HOOK_OF_KIND = {
    "flow": "ksdp_flows",
    "kernel": "ksdp_kernels",
    "transition solver": "ksdp_transition_solvers",
    "initial cloud": "ksdp_initial_clouds",
}


@dataclass(frozen=True)
class Component:
    """What a plugin offers: ``name``, the class as ``"package.module:Class"``, and one line about it."""

    name: str
    target: str
    summary: str


@dataclass(frozen=True)
class Entry:
    """A component with its kind and the distribution that brought it."""

    kind: str
    component: Component
    distribution: str
    version: str

    @property
    def name(self) -> str:
        return self.component.name

    @property
    def long_name(self) -> str:
        """``distribution:name``, which is never ambiguous; stored configurations hold this one."""
        return f"{self.distribution}:{self.name}"

    def load(self) -> Any:
        """Import and return the class.

        Raises `ConfigError` when the module or the class is not there.
        """
        module_name, _, attribute = self.component.target.partition(":")
        try:
            return getattr(importlib.import_module(module_name), attribute)
        except KsdpError:
            raise
        except Exception as error:  # a stranger's module may fail in any way
            raise ConfigError(
                f"{self.kind} {self.long_name!r} cannot be loaded from {self.component.target!r}: "
                f"{type(error).__name__}: {error}",
                f"mend or uninstall {self.distribution}",
            ) from error


@dataclass
class Registry:
    """All components that the loaded plugins offer."""

    entries: list[Entry] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind == kind]

    def find(self, kind: str, name: str) -> Entry:
        """The one entry called ``name`` or ``distribution:name``.

        Raises `ConfigError` when there is none, or when a short name belongs to two distributions.
        """
        found = [entry for entry in self.of_kind(kind) if name in (entry.name, entry.long_name)]
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(entry.long_name for entry in found)
            raise ConfigError(f"{kind} {name!r} is offered more than once: {choices}", "use the long name")
        names = sorted({entry.name for entry in self.of_kind(kind)})
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names)}"
        raise ConfigError(f"there is no {kind} {name!r}", f"{hint} ('ksdp plugins' lists all)")
