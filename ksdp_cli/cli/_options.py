"""Option types that subcommands share, and parameters passed by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from typer.models import OptionInfo

from ..base.parsing import integer, option
from ..config import read_toml, unknown_name
from ..errors import ConfigError

#: Context settings of commands that pass ``--NAME VALUE`` to a flow, a kernel or a model.
BY_NAME = {"ignore_unknown_options": True, "allow_extra_args": True}

#: Arguments of the Python API that neither a file nor a command line can give.
PROGRAMS = {"progress", "stop", "warn", "tell", "store"}
#: Names that no parameter of a flow, a kernel or a network may have.
NO_PARAMETERS = PROGRAMS | {"model", "cloud", "subject", "reference", "references", "out", "overwrite", "resume"}
NO_PARAMETERS |= {"flow_params", "kernel_params", "chemistry_params", "init_params"}

Out = Annotated[Path | None, typer.Option("--out", "-o", help="Output path. Default a new name in ./runs.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that ksdp wrote.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda",
        help="Device of networks and particles; auto: a GPU if there is one. Default auto.",
    ),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="TOML file of options; options on the command line override it.")
]


def workers(text: str, panel: str | None = None) -> OptionInfo:
    """Return the option ``--workers`` of a verb, with what its processes do."""
    option: OptionInfo = typer.Option(metavar="NUMBER", help=text, rich_help_panel=panel)
    return option


def executor(panel: str | None = None) -> OptionInfo:
    """Return the option ``--executor`` of a verb."""
    text = "Where they run; 'ksdp plugins' lists the executors. Default processes."
    option: OptionInfo = typer.Option(metavar="NAME[:PLACE]", help=text, rich_help_panel=panel)
    return option


def counts(**texts: str | None) -> dict[str, int]:
    """Parse options that are whole numbers, without those that were not given. Raises `ConfigError` with their name."""
    numbers = {}
    for name, text in texts.items():
        if text is not None:
            with option(name):
                numbers[name] = integer(text)
    return numbers


def by_name(arguments: list[str], names: list[str]) -> dict[str, str]:
    """Parse the ``--NAME VALUE`` and ``--NAME=VALUE`` pairs that are not options of the command itself.

    Raises `ConfigError` for a stray word or an option without a value; ``names`` serve as suggestions.
    """
    values: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--") or word == "--":
            raise ConfigError(f"unexpected argument {word!r}", "write options as --NAME VALUE")
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        if name in NO_PARAMETERS:
            raise unknown_name(name, [other for other in names if other not in NO_PARAMETERS])
        if not equals:
            if not rest or rest[0].startswith("--"):
                error = unknown_name(name, names)
                raise ConfigError(f"{error.message}, or its value is missing", error.hint)
            value = rest.pop(0)
        if name in values:
            raise ConfigError(f"--{name} is given twice", "give it once; write a sweep as 1,10,100")
        values[name] = value
    return values


def words_and_names(texts: list[str | None], names: list[str]) -> tuple[list[str], dict[str, str]]:
    """Split a mixed list into positional words and ``--NAME VALUE`` pairs.

    Click assigns an unknown option to the first free positional argument. So a command with optional arguments passes
    them here with the rest: ``[model, *context.args]``. Raises as `by_name`.
    """
    words, values = [], []
    rest = [word for word in texts if word is not None]
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            words.append(word)
            continue
        values.append(word)
        if "=" not in word and rest and not rest[0].startswith("--"):
            values.append(rest.pop(0))
    return words, by_name(values, names)


#: Options about the output that a file may also hold, with their types.
OUTPUT = {"out": str, "overwrite": bool, "resume": bool}


def merge(config: Path | None, options: dict[str, object], names: Iterable[str]) -> dict[str, object]:
    """Read the options of a file and override them by those of the command line; ``names`` are valid names.

    A file may also hold the options `OUTPUT`. Raises `ConfigError` for an argument that only a program can give.
    """
    return override(read_toml(config) if config else {}, config, options, names)


def override(
    read: dict[str, object], file: Path | None, options: dict[str, object], names: Iterable[str]
) -> dict[str, object]:
    """Override the options ``read`` from ``file``, as `merge`."""
    for name, value in read.items():
        if name in OUTPUT and not isinstance(value, OUTPUT[name]):
            raise ConfigError(f"{file}: {name} = {value!r}", f"give {'text' if name == 'out' else 'true or false'}")
        if name in PROGRAMS and name not in names:
            raise unknown_name(name, sorted({*names, *OUTPUT}))
    return read | {name: value for name, value in options.items() if value is not None and value is not False}
