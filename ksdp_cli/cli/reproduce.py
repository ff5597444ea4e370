"""``ksdp reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..base.signals import graceful
from . import _options as o
from . import _render
from ._boundary import say

SUMMARY = "The paper's Table 2 and figures."
EXAMPLE = "Example: ksdp reproduce table2 --scale quick --workers 2"


def _targets(incomplete: str) -> list[str]:
    """Complete the name of a target."""
    from ..experiments.definition import shipped

    targets = ["table2", "all"]
    for one in shipped():
        targets += [one.name, *(figure.name for figure in one.figures)]
    return [name for name in dict.fromkeys(targets) if name.startswith(incomplete)]


def register(app: typer.Typer) -> None:
    app.command(epilog=EXAMPLE, short_help=SUMMARY)(reproduce)


def reproduce(
    target: Annotated[
        str,
        typer.Argument(
            metavar="NAME|table2|all|fig1..fig10",
            autocompletion=_targets,
            help="An experiment that ships, or a TOML file; all of Table 2; everything; or one of the paper's figures.",
        ),
    ],
    scale: Annotated[
        str,
        typer.Option(
            metavar="quick|paper",
            help="quick: smaller sizes, minutes; paper: the paper's sizes. Default quick.",
            show_default=False,
        ),
    ] = "quick",
    seeds: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Number of networks. Default: that of the scale.")
    ] = None,
    algorithm: Annotated[
        str | None,
        typer.Option(metavar="fresh|paper", help="Training algorithm. Default: that of the experiment."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder; default runs/reproduce-SCALE.")] = None,
    picture: Annotated[
        str,
        typer.Option("--format", metavar="png|pdf|svg", help="Format of the figures. Default png.", show_default=False),
    ] = "png",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results with another configuration.")] = False,
    device: o.DeviceOption = None,
    workers: Annotated[str | None, o.workers("Processes that run seeds and data sets in parallel. Default 1.")] = None,
    executor: Annotated[str | None, o.executor()] = None,
    as_json: o.Json = False,
) -> None:
    """Reproduce the paper: simulate, train, measure the squared W2 and its noise floor, draw the figures.

    Finished parts in the folder are used again: repeat an interrupted command to continue.
    """
    from ..experiments.reproducing import reproduce as run
    from ..experiments.table2 import NOTE

    with graceful() as stop, _render.progress("reproduce") as progress:
        result = run(
            target,
            scale=scale,
            seeds=seeds,
            algorithm=algorithm,
            out=out,
            picture=picture,
            overwrite=overwrite,
            device=device or "auto",
            workers=o.counts(workers=workers).get("workers"),
            executor=executor,
            progress=progress,
            stop=stop,
        )
    _render.emit(result.as_dict(), as_json, *result.tables())
    if result.entries and not as_json:
        say(f"note: {NOTE}")
