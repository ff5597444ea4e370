"""Flows, kernels and laws that a user passes as classes, instances or files.

Such an object has no registered name; its long name is ``module:Class``. Within one process that name finds the object
again, so that a network can be trained on its simulations.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from ..errors import ConfigError

#: The last object that this process received, for each kind and name.
_OBJECTS: dict[tuple[str, str], Any] = {}


def name_of(component: object) -> str:
    """``module:Class`` of a class or of an instance."""
    cls = component if isinstance(component, type) else type(component)
    return f"{cls.__module__}:{cls.__qualname__}"


def remember(kind: str, component: object) -> None:
    """Store ``component`` for `known`, by its kind and its name."""
    _OBJECTS[kind, name_of(component)] = component


def known(kind: str, name: str) -> object | None:
    """The object of this kind and name that this process received last, or None."""
    return _OBJECTS.get((kind, name))


def of_file(path: Path, name: str) -> type[object]:
    """Run a Python file and return its class ``name``.

    Raises `ConfigError` if the file fails or has no such class.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module, previous = importlib.util.module_from_spec(spec), sys.modules.get(path.stem)
    sys.modules[path.stem] = module  # while it runs, as for any import: dataclasses need it
    try:
        spec.loader.exec_module(module)
        cls = getattr(module, name, None)
    except (Exception, SystemExit) as error:  # a user's file may fail in any way
        raise ConfigError(f"{path} cannot be run: {type(error).__name__}: {error}", "check the file") from None
    finally:
        if previous is None:
            sys.modules.pop(path.stem, None)
        else:
            sys.modules[path.stem] = previous
    if not isinstance(cls, type):
        raise ConfigError(f"{path} has no class {name!r}", "give it as FILE.py:CLASS")
    return cls
