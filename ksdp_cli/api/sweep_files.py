"""A sweep in a file: the options of `simulate`, with the swept parameters in two tables.

Every combination of the parameters in ``[grid]`` is a case; those in ``[zip]`` go in step.
"""

from __future__ import annotations

from pathlib import Path

from ..base.files import local
from ..base.spelling import nearest
from ..config import SimulateConfig, read_toml
from ..errors import ConfigError
from . import paths

TABLES = ("grid", "zip")


def read_sweep(path: Path) -> dict[str, object]:
    """Read the options of `simulate` from a sweep's file; the output is ``./runs/NAME.zarr`` for NAME.toml.

    Raises `ConfigError` if it cannot be read, for an invalid table, and for a parameter that is given twice.
    """
    options = read_toml(path)
    tables = {name: _table(path, name, table) for name in TABLES if isinstance(table := options.get(name), dict)}
    options = {name: value for name, value in options.items() if name not in tables}
    if isinstance(options.get("grid"), (str, list, int, float)):
        raise ConfigError(f"{path}: grid = {options['grid']!r} is not a table", "write [grid] with NAME = VALUES below")
    for name, value in options.items():
        if isinstance(value, dict) and name not in SimulateConfig.model_fields:
            close = nearest(name, (*TABLES, *SimulateConfig.model_fields))
            hint = f"did you mean [{close}]?" if close else "parameters that vary are in [grid] or [zip]"
            raise ConfigError(f"{path}: there is no table [{name}]", hint)
    for name, table in tables.items():
        for parameter, values in table.items():
            if parameter in options:
                raise ConfigError(f"{path}: {parameter} is given twice, in [{name}] too", "give it once")
            options[parameter] = values
    if tables.get("zip"):
        options["zip"] = list(tables["zip"])
    return {"out": str(paths.RUNS / f"{local(path).stem}.zarr")} | options


def _table(path: Path, name: str, table: dict[str, object]) -> dict[str, object]:
    for parameter, values in table.items():
        if isinstance(values, dict):
            raise ConfigError(f"{path}: [{name}.{parameter}] is a table", f"write {parameter} = [1, 10] in [{name}]")
    return {parameter.replace("-", "_"): values for parameter, values in table.items()}
