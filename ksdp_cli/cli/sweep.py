"""``ksdp sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..base.parsing import integer
from ..config import SimulateConfig
from . import _options as o
from .simulate import OWN, run_and_show, show_commands

SUMMARY = "Run what is missing of a sweep that a file describes."
EXAMPLE = "Example: ksdp sweep examples/sweep.toml --workers 2"


def register(app: typer.Typer) -> None:
    app.command(epilog=EXAMPLE, short_help=SUMMARY)(sweep)


def sweep(
    file: Annotated[Path, typer.Argument(help="TOML: options of 'ksdp simulate', and tables [grid] and [zip].")],
    workers: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Processes that take the cases side by side. Default 1.")
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:PLACE]", help="Where they run; 'ksdp plugins' lists the executors. Default processes."
        ),
    ] = None,
    threads: Annotated[str | None, typer.Option(metavar="NUMBER", help="Threads at most. Default all cores.")] = None,
    case: Annotated[str | None, typer.Option(metavar="NUMBER", help="Run this case alone.")] = None,
    print_commands: Annotated[
        bool, typer.Option("--print-commands", help="Print a command for each case, and run nothing.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Output path; ./runs/FILE.zarr when not given.")
    ] = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
) -> None:
    """Run what is missing of a sweep that a file describes; a finished one does nothing.

    [grid] holds parameters of which every combination is a case, [zip] parameters that go in step, seed among them;
    the rest of the file is the configuration of 'ksdp simulate'. The same command goes on after whatever stopped it.
    """
    from ..api.sweep_files import read_sweep

    numbers = (("threads", threads), ("workers", workers), ("case", case))
    given: dict[str, Any] = {"out": out, "overwrite": overwrite, "executor": executor}
    given |= {name: integer(text) for name, text in numbers if text}
    options = o.override(read_sweep(file), file, given, [*SimulateConfig.model_fields, *OWN, "A"])
    options["resume"] = not options.get("overwrite", False)
    if print_commands:
        show_commands(options)
    else:
        run_and_show(options, as_json)
