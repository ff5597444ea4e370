"""Components by name: an import path is registered, and the class is loaded when it is used."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass, field
from typing import Any

from .errors import ConfigError, KsdpError

HOOK_OF_KIND = {
    "flow": "ksdp_flows",
    "kernel": "ksdp_kernels",
    "transition solver": "ksdp_transition_solvers",
    "initial cloud": "ksdp_initial_clouds",
    "scheme": "ksdp_schemes",
    "chemistry": "ksdp_chemistries",
    "metric": "ksdp_metrics",
    "executor": "ksdp_executors",
}


#: What the class of each kind must have, one attribute of each group, and the check of the whole contract.
CONTRACTS: dict[str, tuple[tuple[tuple[str, ...], ...], str]] = {
    "flow": ((("dims",), ("Params",), ("velocity",)), "check_flow"),
    "kernel": ((("Params",), ("g2d", "g3d")), "check_kernel"),
    "transition solver": ((("exact",), ("devices",), ("solve",)), "check_transition_solver"),
    "initial cloud": ((("dims",), ("draw",)), "check_initial_cloud"),
    "chemistry": ((("dims",), ("Params",), ("start",), ("advance",), ("gradient",), ("report",)), "check_chemistry"),
    "scheme": ((("order",), ("evaluations",), ("step",)), "check_scheme"),
    "metric": ((("title",), ("transport", "rows")), "check_metric"),
    "executor": ((("submit",), ("begin",), ("ask_to_stop",), ("shutdown",)), "check_executor"),
}
NAME, TARGET = re.compile(r"[A-Za-z0-9][\w.+-]*"), re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Component:
    """What a plugin offers: ``name``, the class as ``"package.module:Class"``, and one line about it.

    Raises `ValueError` for a name with other than letters, digits and ``.+-_``, or a target of another form.
    """

    name: str
    target: str
    summary: str

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and NAME.fullmatch(self.name)):
            raise ValueError(f"a component is called {self.name!r}: use letters, digits and .+-_ only")
        if not (isinstance(self.target, str) and TARGET.fullmatch(self.target)):
            raise ValueError(f"the target of {self.name!r} is {self.target!r}: write it as 'package.module:Class'")
        if not isinstance(self.summary, str):
            raise ValueError(f"the summary of {self.name!r} is {self.summary!r}: write one line of text")


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

        Raises `ConfigError` when the module or the class is not there, or lacks what its kind must have.
        """
        module_name, _, attribute = self.component.target.partition(":")
        try:
            cls = getattr(importlib.import_module(module_name), attribute)
            require_contract(self.kind, self.long_name, cls)
            return cls
        except KsdpError:
            raise
        except (Exception, SystemExit) as error:  # a stranger's module may fail in any way
            raise ConfigError(
                f"{self.kind} {self.long_name!r} cannot be loaded from {self.component.target!r}: "
                f"{type(error).__name__}: {error}",
                f"correct or uninstall {self.distribution}",
            ) from error


def require_contract(kind: str, name: str, component: object) -> None:
    """Raise `ConfigError` when a class lacks an attribute that its kind must have."""
    groups, check = CONTRACTS[kind]
    for group in groups:
        if not any(hasattr(component, attribute) for attribute in group):
            what = f"{getattr(component, '__name__', component)!s} has no {' or '.join(group)}"
            raise ConfigError(f"{kind} {name!r}: {what}", f"ksdp_cli.testing.{check} checks the whole contract")


@dataclass
class Registry:
    """All components that the loaded plugins offer; ``failed`` are the distributions that could not be loaded."""

    entries: list[Entry] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind == kind]

    def find(self, kind: str, name: str) -> Entry:
        """The one entry called ``name`` or ``distribution:name``.

        Raises `ConfigError` when there is none, or when a short name belongs to two distributions.
        """
        import difflib  # slow to load, and seldom needed

        matches = [entry for entry in self.of_kind(kind) if name in (entry.name, entry.long_name)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            choices = ", ".join(entry.long_name for entry in matches)
            raise ConfigError(f"{kind} {name!r} is offered more than once: {choices}", "use the long name")
        names = sorted({entry.name for entry in self.of_kind(kind)})
        known = [entry.long_name for entry in self.of_kind(kind)] if ":" in name else names
        close = difflib.get_close_matches(name.lower(), known, n=1)
        if name.endswith(".py") or ".py:" in name:
            hint = "pass a class from Python, or put it in a plugin, as 'ksdp plugins new NAME' makes one"
            raise ConfigError(f"there is no {kind} {name!r}", hint)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names)}"
        lists = f"lists all, and why {', '.join(self.failed)} failed to load" if self.failed else "lists all"
        raise ConfigError(f"there is no {kind} {name!r}", f"{hint} ('ksdp plugins' {lists})")
