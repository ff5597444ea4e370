"""``ksdp sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..config import SimulateConfig
from . import _options as o
from .simulate import OWN, print_each_command, run_and_print

SUMMARY = "Run the missing cases of a sweep in a file."
EXAMPLE = "Example: ksdp sweep examples/sweep.toml --workers 2"


def register(app: typer.Typer) -> None:
    app.command(epilog=EXAMPLE, short_help=SUMMARY)(sweep)


def sweep(
    file: Annotated[Path, typer.Argument(help="TOML: options of 'ksdp simulate', and tables [grid] and [zip].")],
    workers: Annotated[str | None, o.workers("Processes that run the cases in parallel. Default 1.")] = None,
    executor: Annotated[str | None, o.executor()] = None,
    threads: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Largest number of threads. Default all cores.")
    ] = None,
    case: Annotated[str | None, typer.Option(metavar="NUMBER", help="Run only this case.")] = None,
    print_commands: Annotated[
        bool, typer.Option("--print-commands", help="Print a command for each case; run nothing.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Output path. Default ./runs/FILE.zarr.")] = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
) -> None:
    """Run the missing cases of a sweep described by a file; do nothing if it is complete.

    [grid] holds parameters, or seed, of which every combination is a case, [zip] parameters that vary together. The
    rest of the file is the configuration of 'ksdp simulate'. Repeat the command to continue after an interruption.
    """
    from ..api.sweep_files import read_sweep

    from_command_line: dict[str, Any] = {"out": out, "overwrite": overwrite, "executor": executor}
    from_command_line |= o.counts(threads=threads, workers=workers, case=case)
    options = o.override(read_sweep(file), file, from_command_line, [*SimulateConfig.model_fields, *OWN, "A"])
    options["resume"] = not options.get("overwrite", False)
    if print_commands:
        print_each_command(options, json=as_json)
    else:
        run_and_print(options, as_json, "start one; --workers N uses more cores")
