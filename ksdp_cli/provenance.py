"""How a result was made: versions, a hash of the configuration, and the command that would make it again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import itertools
import json
import platform
import shlex
from collections.abc import Mapping
from functools import cache

from pydantic import ValidationError

from .base.validation import first_error
from .config import PAPER_TRAINING, Settings, SimulateConfig
from .errors import ConfigError, DataError

#: Settings that decide where and how fast a run is made, and not what is computed.
NOT_PHYSICS = frozenset({"device"})
#: What a file must say of a simulation before its equations are read off it; the rest has defaults.
STATED = ("flow", "kernel", "dim", "init", "J", "T", "mu", "chi", "M", "delta2")


def versions(*components: str) -> dict[str, str]:
    """Versions of ksdp, Python and the libraries that numbers depend on; nothing is imported to find them.

    ``components`` are long names, ``distribution:name``: the packages that brought them are among the versions.
    """
    result = {"python": platform.python_version()}
    owners = dict.fromkeys(component.partition(":")[0] for component in components if component.find(":") > 0)
    for name in ("ksdp", "numpy", "numba", "scipy", "torch", "zarr", *owners):
        found = _version(name)
        result |= {name: found} if found else {}
    return result


@cache
def _version(distribution: str) -> str | None:
    """The version of a distribution, or None if it is not installed; read once, since that parses all its metadata."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def simulation(entries: Mapping[str, object], file: object) -> SimulateConfig:
    """The configuration of a simulation as ``file`` states it; plugins that it names need not be there.

    Entries that this version does not know pass. Raises `DataError` naming the file and the entry that it lacks or
    misstates, as where clouds of the user's own were never simulated.
    """
    lacking = [name for name in STATED if name not in entries]
    if lacking:
        raise DataError(f"{file} does not say its {lacking[0]!r}", "it holds no simulation of ksdp's")
    fields = {name: value for name, value in entries.items() if name in SimulateConfig.model_fields}
    try:
        return SimulateConfig.model_validate(fields)
    except ConfigError as error:
        raise DataError(f"{file} states no valid simulation: {error.message}", "make the file again") from None
    except ValidationError as error:
        raise DataError(f"{file} states {first_error(error)}", "make the file again") from None


def physics(config: dict[str, object]) -> dict[str, object]:
    """A configuration without what does not change the numbers."""
    return {name: value for name, value in config.items() if name not in NOT_PHYSICS}


def digest(config: dict[str, object]) -> str:
    """SHA-256 of the canonical JSON of a configuration, hexadecimal."""
    return hashlib.sha256(json.dumps(physics(config), sort_keys=True).encode()).hexdigest()


def short(long_name: str) -> str:
    """``laminar2d`` for ``ksdp:laminar2d``; the names of other distributions stay long."""
    return long_name.removeprefix("ksdp:")


def command(verb: str, config: Settings, *arguments: str) -> str:
    """The shell command that makes the result of ``config`` again; defaults are left out."""
    words = ["ksdp", verb, *arguments]
    usual = PAPER_TRAINING if getattr(config, "algorithm", "") == "paper" else {}
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if name in NOT_PHYSICS or (isinstance(config, SimulateConfig) and name in ("T", "snapshots")):
            continue
        if isinstance(value, dict):
            for key, entry in value.items():
                words += [f"--{key}", _text(entry)]
        elif value != usual.get(name, field.get_default(call_default_factory=True)) or name in ("dim",):
            words += [f"--{name.replace('_', '-')}", _text(value)]
    if isinstance(config, SimulateConfig):
        words += ["--snapshots", _text(config.snapshots)] if len(config.snapshots) > 1 else ["--T", _text(config.T)]
    return shlex.join(words)


def _text(value: object) -> str:
    if isinstance(value, tuple) and len(value) > 3 and all(isinstance(entry, int) for entry in value):
        steps = {later - one for one, later in itertools.pairwise(value)}
        if len(steps) == 1:
            return f"{value[0]}:{value[-1]}:{len(value)}"  # seeds, of which there may be thousands
    if isinstance(value, (tuple, list)):
        return ",".join(_text(entry) for entry in value)
    if isinstance(value, float):
        return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return short(str(value))
