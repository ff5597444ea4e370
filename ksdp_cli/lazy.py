"""Names of a package that are imported when they are first used (PEP 562)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping


def lazily(package: str, homes: Mapping[str, str], modules: Mapping[str, str] | None = None) -> Callable[[str], object]:
    """A module ``__getattr__``: each name of ``homes`` from its (relative) module, of ``modules`` the module itself."""

    def get(name: str) -> object:
        if name in homes:
            return getattr(importlib.import_module(homes[name], package), name)
        if modules and name in modules:
            return importlib.import_module(modules[name], package)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get
