"""``ksdp report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from . import _options as o
from . import _render
from ._boundary import warn

SUMMARY = "One HTML page that evaluates a network."
EXAMPLE = "Example: ksdp report a.safetensors -o report.html"


def register(app: typer.Typer) -> None:
    app.command(epilog=EXAMPLE, short_help=SUMMARY)(report)


def report(
    subject: Annotated[Path, typer.Argument(help="A store (.zarr) or a model (.safetensors).")],
    reference: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="STORE", help="A simulation to show beside a model; may be repeated. Default its training data."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Output .html. Default a new name in ./runs.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a page that ksdp wrote.")] = False,
    as_json: o.Json = False,
) -> None:
    """Write one HTML page that works offline: configuration, tables, figures, and an interactive view of particles.

    The page of a model evaluates the network itself; sliders set its parameters.
    """
    from ..views.report.reporting import report as write

    with _render.progress("report") as progress:
        result = write(
            subject,
            out=out,
            references=reference or (),
            overwrite=overwrite,
            progress=progress,
            warn=warn,
        )
    rows: list[list[Any]] = [
        ["megabytes", result.bytes / 1e6],
        ["stored clouds", result.clouds],
        ["particles of each", result.particles_shown or None],
        ["beside the network", ", ".join(result.references) or None],
    ]
    rows = [row for row in rows if row[1] is not None]
    _render.emit(result.as_dict(), as_json, (str(result.path), ["", ""], rows))
