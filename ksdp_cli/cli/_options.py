"""What the subcommands share: option types, parameters passed by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from ..base.files import JsonDict
from ..config import read_toml, unknown_name
from ..errors import ConfigError

#: For commands that hand ``--NAME VALUE`` on to a flow, a kernel or a model.
BY_NAME = {"ignore_unknown_options": True, "allow_extra_args": True}

#: Arguments of the verbs of the Python API that neither a file nor a command line can give.
PROGRAMS = {"progress", "stop", "warn", "tell", "store"}
#: And those that a command may not have, and that no parameter of a flow, a kernel or a network can be called.
NO_PARAMETERS = PROGRAMS | {"model", "cloud", "subject", "reference", "references", "out", "overwrite", "resume"}
NO_PARAMETERS |= {"flow_params", "kernel_params", "chemistry_params", "init_params"}

Out = Annotated[Path | None, typer.Option("--out", "-o", help="Output path; a fresh name in ./runs when not given.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that ksdp made.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
DeviceOption = Annotated[str | None, typer.Option("--device", metavar="auto|cpu|cuda", help="Default auto.")]
SeedOption = Annotated[str | None, typer.Option("--seed", metavar="INTEGER", help="Default 0.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="TOML file of options; the command line wins over it.")
]


def by_name(arguments: list[str], known: list[str]) -> dict[str, str]:
    """``--NAME VALUE`` and ``--NAME=VALUE`` pairs that the command itself does not have.

    Raises `ConfigError` for a stray word or an option without a value; ``known`` serves the suggestion.
    """
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--") or word == "--":
            raise ConfigError(f"unexpected argument {word!r}", "options are written --NAME VALUE")
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        if name in NO_PARAMETERS:
            raise unknown_name(name, [other for other in known if other not in NO_PARAMETERS])
        if not equals:
            if not rest or rest[0].startswith("--"):
                error = unknown_name(name, known)
                raise ConfigError(f"{error.message}, or it lacks its value", error.hint)
            value = rest.pop(0)
        if name in found:
            raise ConfigError(f"--{name} is given twice", "give it once; a sweep is written 1,10,100")
        found[name] = value
    return found


def words_and_names(given: list[str | None], known: list[str]) -> tuple[list[str], dict[str, str]]:
    """Positional words, and ``--NAME VALUE`` pairs, out of what may hold both in any order.

    Click hands an option that it does not know to the first positional argument that is free. So a command with
    optional arguments passes them here with the rest: ``[model, *context.args]``. Raises as `by_name`.
    """
    words, named = [], []
    rest = [word for word in given if word is not None]
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            words.append(word)
            continue
        named.append(word)
        if "=" not in word and rest and not rest[0].startswith("--"):
            named.append(rest.pop(0))
    return words, by_name(named, known)


#: What a file of options may say beside the configuration, and what type it has.
OUTPUT = {"out": str, "overwrite": bool, "resume": bool}


def merge(config: Path | None, given: dict[str, object], known: Iterable[str]) -> JsonDict:
    """The options of a file, overruled by those given on the command line; ``known`` are those of the configuration.

    Where it is written is an option too (`OUTPUT`). Raises `ConfigError` for one that only a program can give.
    """
    return override(read_toml(config) if config else {}, config, given, known)


def override(read: dict[str, object], file: Path | None, given: dict[str, object], known: Iterable[str]) -> JsonDict:
    """`merge`, for a file that is read."""
    for name, value in read.items():
        if name in OUTPUT and not isinstance(value, OUTPUT[name]):
            raise ConfigError(f"{file}: {name} = {value!r}", f"give {'text' if name == 'out' else 'true or false'}")
        if name in PROGRAMS and name not in known:
            raise unknown_name(name, sorted({*known, *OUTPUT}))
    return read | {name: value for name, value in given.items() if value is not None and value is not False}
