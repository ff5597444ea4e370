"""Initial clouds as users name them: a registered law, a class of their own, or a frame of a store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .. import plugins
from ..errors import ConfigError, DataError
from ..initial.stored import StoredCloud
from ..particles import own, problem
from ..store import Run, open_run
from ..store.selection import select

FORMS = "write it as STORE.zarr@A=10,t=0.02"
#: ``law.py:Bumps``: a class in a file.
IN_A_FILE = re.compile(r"(.+\.py):([A-Za-z_]\w*)")


def opened(given: Any) -> Any:
    """A store, by its path or as a run, as the cloud of one frame; anything else as it is.

    ``STORE@NAME=VALUE,...`` names the frame by swept parameters and ``t``; the last snapshot where ``t`` is not named.
    Raises `DataError` when the store is missing, damaged, or without a frame, and `ConfigError` when what is named is
    more than one case, or none.
    """
    if isinstance(given, Run):
        return _frame(given, {}, str(given.path))
    if isinstance(given, Path):
        return _frame(open_run(given.expanduser()), {}, str(given.expanduser()))
    if not isinstance(given, str):
        return given
    path, at, named = given.rpartition("@") if "=" in given.rpartition("@")[2] else (given, "", "")
    place = Path(path).expanduser()
    if not (at or path.rstrip("/").endswith(".zarr") or ("/" in path and ".py:" not in path) or _unnamed(path, place)):
        return given
    return _frame(open_run(place), _named(named) if at else {}, str(place) + at + named)


def handed(given: Any) -> Any:
    """`opened`, and the class in a file where it is named as ``FILE.py:CLASS``: the file is run.

    Only for what a user types. A name out of a store or a model never comes here. Raises `ConfigError` besides.
    """
    found = IN_A_FILE.fullmatch(given) if isinstance(given, str) else None
    return own.of_file(Path(found[1]).expanduser(), found[2]) if found else opened(given)


def initial_cloud(given: Any, dim: int) -> tuple[str, Any]:
    """Name and instance of the initial cloud ``given`` in dimension ``dim``. Raises `ConfigError` and `DataError`."""
    return problem.initial_cloud(opened(given), dim)


def _unnamed(name: str, place: Path) -> bool:
    """Whether a plain word is the folder of a store, and no law that has a name."""
    laws = plugins.registry().of_kind("initial cloud")
    return not any(name in (law.name, law.long_name) for law in laws) and (place / "zarr.json").is_file()


def _named(text: str) -> dict[str, str]:
    """``A=10,t=0.02`` as values by name."""
    pairs = [part.partition("=") for part in text.split(",")]
    values = {name.strip(): value.strip() for name, _, value in pairs}
    if len(values) < len(pairs) or not all(name and value for name, value in values.items()):
        raise ConfigError(f"@{text} names no frame", FORMS)
    return values


def _frame(run: Run, at: dict[str, str], name: str) -> StoredCloud:
    chosen = select(run, **at)
    if len(chosen.cases) != 1:
        raise DataError(
            f"{run.path} holds {len(chosen.cases)} cases{' there' if at else ''}, and an initial cloud is one frame",
            f"name one, as --init {run.path}@" + ",".join(f"{n}={v:g}" for n, v in run.cases[0].items()),
        )
    case, k = chosen.cases[0], chosen.snapshots[-1]
    before = run.attrs.get("origin")
    generation = before.get("generation") if isinstance(before, dict) else None
    return StoredCloud(
        name,
        run.J,
        run.dim,
        lambda: run.frame(case, k),
        float(run.times[k]),
        1 + generation if isinstance(generation, int) else 1,
    )
