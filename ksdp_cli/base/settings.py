"""Base of all configurations: fields that parse text, and errors that name the option."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError, ValidationInfo

from ..errors import ConfigError
from . import parsing as numbers
from .files import LARGEST_TOML, decode, local, read_file_or_pipe
from .spelling import nearest
from .validation import first_error


def _option_parser(parse: Callable[[object], object]) -> BeforeValidator:
    """Return a validator whose errors begin with the option's name."""

    def run(value: object, info: ValidationInfo) -> object:
        with numbers.option(info.field_name or "value"):
            return parse(value)

    return BeforeValidator(run)


def _seeds(value: object) -> int | tuple[int, ...]:
    """Return one seed as a number, several as a tuple: stores of one seed keep their format."""
    seeds = numbers.integers(value)
    for seed in seeds:
        if not 0 <= seed < 2**63:
            raise ConfigError(f"the seed {seed} is out of range", "give whole numbers from 0 to 2^63 - 1")
    return seeds if len(seeds) > 1 else seeds[0]


def _names(value: object) -> tuple[str, ...]:
    """Return the names of a comma list or a sequence, each once. Raises `ConfigError` for anything else."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{value!r} is not a list of names", 'write A,t or ["A", "t"]')
    return tuple(dict.fromkeys(name.strip() for name in names))


Real = Annotated[float, _option_parser(numbers.number)]
Whole = Annotated[int, _option_parser(numbers.integer)]
Seeds = Annotated[int | tuple[int, ...], _option_parser(_seeds)]
Sweep = Annotated[tuple[float, ...], _option_parser(numbers.sweep)]
Names = Annotated[tuple[str, ...], _option_parser(_names)]
Device = Literal["auto", "cpu", "cuda"]


class Settings(BaseModel):
    """Base of the configurations: rejects unknown names; immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def cli_text(metavar: str | None = None, default: str | None = None) -> dict[str, JsonValue]:
    """Return the ``json_schema_extra`` of a field: how help shows its value and default if the type does not say it."""
    return {key: text for key, text in (("metavar", metavar), ("default", default)) if text is not None}


Model = TypeVar("Model", bound=Settings)


def build(model: type[Model], values: Mapping[str, object]) -> Model:
    """Build a configuration from ``values``; an entry that is None takes its default.

    Raises `ConfigError` with the option, its value and what is allowed.
    """
    options = {name: value for name, value in values.items() if value is not None}
    for name in options:
        if name not in model.model_fields:
            raise unknown_name(name, list(model.model_fields))
    try:
        return model.model_validate(options)
    except ValidationError as error:
        raise ConfigError(first_error(error, model.__name__)) from None


def unknown_name(name: str, names: list[str]) -> ConfigError:
    """Return the error for an unknown option or parameter, with the nearest known name."""
    close = nearest(name, names)
    hint = f"did you mean --{close.replace('_', '-')}?" if close else f"there are: {', '.join(sorted(names))}"
    return ConfigError(f"there is no option or parameter --{name}", hint)


def read_toml(path: Path) -> dict[str, object]:
    """Return the options of a TOML file, keys as on the command line; UTF-8, or UTF-16 with a byte order mark.

    Raises `ConfigError` if it is missing, unreadable, too large, or not TOML.
    """
    import tomllib  # here, since its regular expressions take a millisecond of every start

    path = local(path)
    try:
        options = tomllib.loads(decode(read_file_or_pipe(path, LARGEST_TOML)))
    except OSError as error:
        raise ConfigError(f"cannot read configuration {path}: {error.strerror}", "check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", "correct the file") from None
    except ValueError as error:  # too large, a pipe that does not end, a number of thousands of digits
        raise ConfigError(f"{path} is not a configuration: {error}", "check the path") from None
    except RecursionError:
        raise ConfigError(f"{path} is nested too deeply", "correct the file") from None
    return {name.replace("-", "_"): value for name, value in options.items()}
