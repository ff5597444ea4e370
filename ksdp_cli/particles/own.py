"""Flows, kernels and laws that users hand over as classes, instances or files.

Such an object has no registered name. Its long name is ``module:Class``. Within a process the object itself is found
again by that name: a network can be trained on what was simulated from it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from ..errors import ConfigError

#: Objects that were handed over in this process, by kind and name, the last one of each.
_GIVEN: dict[tuple[str, str], Any] = {}


def name_of(given: object) -> str:
    """``module:Class`` of a class or of an instance."""
    cls = given if isinstance(given, type) else type(given)
    return f"{cls.__module__}:{cls.__qualname__}"


def remember(kind: str, given: object) -> None:
    """Let `known` find ``given`` by its kind and its name."""
    _GIVEN[kind, name_of(given)] = given


def known(kind: str, name: str) -> object | None:
    """What was handed over under this name in this process, if anything was."""
    return _GIVEN.get((kind, name))


def of_file(path: Path, name: str) -> type[object]:
    """The class ``name`` of a Python file, which is run.

    Raises `ConfigError` when the file fails or has no such class.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module, before = importlib.util.module_from_spec(spec), sys.modules.get(path.stem)
    sys.modules[path.stem] = module  # while it runs, as for any import: dataclasses look for it
    try:
        spec.loader.exec_module(module)
        found = getattr(module, name, None)
    except (Exception, SystemExit) as error:  # a stranger's file may fail in any way
        raise ConfigError(f"{path} cannot be run: {type(error).__name__}: {error}", "check the file") from None
    finally:
        if before is None:
            sys.modules.pop(path.stem, None)
        else:
            sys.modules[path.stem] = before
    if not isinstance(found, type):
        raise ConfigError(f"{path} has no class {name!r}", "give it as FILE.py:CLASS")
    return found
