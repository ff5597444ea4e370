"""Parameters of components: which there are, whose they are, and their values."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from .. import plugins
from ..base import parsing
from ..base.validation import first_error
from ..config import SimulateConfig, unknown_name
from ..errors import ConfigError

#: The kind and the name of a component.
Part = tuple[str, str]


def fields_of(owner: str, component: object) -> dict[str, FieldInfo]:
    """The fields of a component's ``Params``, or none. Raises `ConfigError` for a name that equation (8) uses."""
    fields: dict[str, FieldInfo] = dict(component.Params.model_fields) if hasattr(component, "Params") else {}
    clash = [name for name in fields if name in SimulateConfig.model_fields]
    if clash:
        raise ConfigError(
            f"{owner} has a parameter {clash[0]!r}, which is an option of every run", "rename it in Params"
        )
    return fields


def table_of(key: str, table: object, part: str, names: Collection[str]) -> dict[str, object]:
    """Return ``table``, the parameters of ``part``. Raises `ConfigError` if it is not a table or has an unknown
    name."""
    if not isinstance(table, dict):
        raise ConfigError(f"{key} = {table!r} is not a table", f"write it as [{key}] with lines NAME = VALUE")
    for name in table:
        if name not in names:
            error = unknown_name(str(name), list(names))
            near = error.hint if names else f"this {part} has no parameters"
            raise ConfigError(f"[{key}] has {name!r}, which is not a parameter of the {part}", near)
    return table


def own_values(parameters: Mapping[str, object], fields: Mapping[str, FieldInfo]) -> dict[str, float | str]:
    """The parameters of a law that differ from its defaults. Raises `ConfigError` for several values of one."""
    values: dict[str, float | str] = {}
    for name in [name for name in fields if name in parameters]:
        try:
            value = parameters[name]
            values[name] = str(value) if isinstance(fields[name].default, str) else parsing.number(value)
        except ConfigError as error:
            hint = "give one number: a store has one initial cloud, so its parameters cannot be swept"
            raise ConfigError(f"--{name.replace('_', '-')}: {error.message}", hint) from None
    return {name: value for name, value in values.items() if value != fields[name].default}


def checked(model: type[BaseModel], values: Mapping[str, object], owner: str) -> BaseModel:
    """Validate ``values``. Raises `ConfigError` for one that the ``owner`` does not take."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{owner}: {first_error(error)}", _shows(owner)) from None


def require_one_owner(extra: Iterable[str], fields: Mapping[Part, Collection[str]]) -> None:
    """Raise `ConfigError` unless each parameter in ``extra`` belongs to exactly one component."""
    for name in extra:
        owners = [f"{kind} {owner!r}" for (kind, owner), names in fields.items() if name in names]
        if not owners:
            raise _no_such_parameter(name, fields)
        if len(owners) > 1:
            raise ConfigError(f"{' and '.join(owners)} both have a parameter {name!r}", "set it in a table of --config")


def _no_such_parameter(name: str, fields: Mapping[Part, Collection[str]]) -> ConfigError:
    parameters = [name for names in fields.values() for name in names]
    error = unknown_name(name, [*SimulateConfig.model_fields, *parameters])
    if owned := _owners_of(name):
        hint = f"add {owned[0]}" if len(owned) == 1 else f"add one of them, as {owned[0]}"
        return ConfigError(f"--{name} belongs to {', '.join(owned)}", hint)
    if "did you mean" in (error.hint or ""):
        return error
    each = [f"{kind} {owner!r} has {', '.join(names) or 'none'}" for (kind, owner), names in fields.items()]
    shows = _shows(*(owner for (_, owner), names in fields.items() if names))
    return ConfigError(error.message, "; ".join(filter(None, (f"parameters: {', '.join(each)}", shows))))


def _owners_of(name: str) -> list[str]:
    """The options that choose a registered component with a parameter ``name``."""
    found = []
    for kind, option in (("flow", "flow"), ("kernel", "kernel"), ("chemistry", "chemistry"), ("initial cloud", "init")):
        for entry in plugins.registry().of_kind(kind):
            with contextlib.suppress(Exception):  # a stranger's component may not load, or have strange parameters
                if name in fields_of(entry.long_name, entry.load()):
                    found.append(f"--{option} {entry.name}")
    return found


def _shows(*owners: str) -> str | None:
    """The commands that list the parameters of those ``owners`` that are registered, or None."""
    names = {entry.long_name for entry in plugins.registry().entries}
    commands = [f"'ksdp plugins show {owner}'" for owner in owners if owner in names]
    return f"see {' and '.join(commands)}" if commands else None
