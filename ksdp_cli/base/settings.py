"""What every configuration is made of: fields that read text, and errors that name the option they are about."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError, ValidationInfo

from ..errors import ConfigError
from . import parsing as numbers
from .files import LARGEST_TOML, JsonDict, decoded, local, read_given
from .validation import first_error


def _named(parse: Callable[[object], object]) -> BeforeValidator:
    """A parser whose errors begin with the option they are about."""

    def run(value: object, info: ValidationInfo) -> Any:
        try:
            return parse(value)
        except ConfigError as error:
            raise ConfigError(
                f"--{(info.field_name or 'value').replace('_', '-')}: {error.message}", error.hint
            ) from None

    return BeforeValidator(run)


def _seeds(value: object) -> int | tuple[int, ...]:
    """One seed as a number, several as a tuple: a store of one seed says it as it did before there were more."""
    found = numbers.integers(value)
    for seed in found:
        if not 0 <= seed < 2**63:
            raise ConfigError(f"{seed} is no seed", "give whole numbers from 0 to 2^63 - 1")
    return found if len(found) > 1 else found[0]


def _names(value: Any) -> tuple[str, ...]:
    """Names from a comma list or a sequence, each once. Raises `ConfigError` for anything else."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{value!r} is no list of names", 'write A,t or ["A", "t"]')
    return tuple(dict.fromkeys(name.strip() for name in names))


Real = Annotated[float, _named(numbers.number)]
Whole = Annotated[int, _named(numbers.integer)]
Seeds = Annotated[int | tuple[int, ...], _named(_seeds)]
Sweep = Annotated[tuple[float, ...], _named(numbers.sweep)]
Names = Annotated[tuple[str, ...], _named(_names)]


class Settings(BaseModel):
    """Base of the configurations: unknown names are refused and values are fixed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def shown(metavar: str | None = None, default: str | None = None) -> dict[str, JsonValue]:
    """How the command line writes a field's value and its default, where type and value do not say it."""
    return {key: text for key, text in (("metavar", metavar), ("default", default)) if text is not None}


Model = TypeVar("Model", bound=Settings)


def build(model: type[Model], values: JsonDict) -> Model:
    """``values`` as a configuration; entries that are None fall back to the default.

    Raises `ConfigError` naming the option, its value and what is allowed.
    """
    given = {name: value for name, value in values.items() if value is not None}
    for name in given:
        if name not in model.model_fields:
            raise unknown_name(name, list(model.model_fields))
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ConfigError(first_error(error, model.__name__)) from None


def unknown_name(name: str, known: list[str]) -> ConfigError:
    """The error for an option or parameter that nothing here has, with the nearest name that exists."""
    close = [one for one in known if one.lower() == name.lower()]
    close = close or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean --{close[0].replace('_', '-')}?" if close else f"there are: {', '.join(sorted(known))}"
    return ConfigError(f"there is no option or parameter --{name}", hint)


def read_toml(path: Path) -> JsonDict:
    """The options of a TOML file, keys as on the command line; UTF-8, or UTF-16 with its mark as Windows writes it.

    Raises `ConfigError` when it is missing, unreadable, too long for a configuration, or not TOML.
    """
    path = local(path)
    try:
        read = tomllib.loads(decoded(read_given(path, LARGEST_TOML)))
    except OSError as error:
        raise ConfigError(f"cannot read configuration {path}: {error.strerror}", "check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", "mend the file") from None
    except ValueError as error:  # its size, a pipe without an end, a number of thousands of digits
        raise ConfigError(f"{path} is no configuration: {error}", "check the path") from None
    except RecursionError:
        raise ConfigError(f"{path} is nested too deeply", "mend the file") from None
    return {name.replace("-", "_"): value for name, value in read.items()}
