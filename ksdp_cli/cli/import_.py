"""``ksdp import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import _options as o
from . import _render
from ._boundary import suggest, warn

SUMMARY = "Make a store of your own clouds, one per file."
EXAMPLE = "Example: ksdp import 1.npy 2.npy --A 1,10 --source initial.npy -o own.zarr"


def register(app: typer.Typer) -> None:
    app.command(name="import", context_settings=o.BY_NAME, epilog=EXAMPLE, short_help=SUMMARY)(import_clouds)


def import_clouds(
    context: typer.Context,
    file: Annotated[
        str,
        typer.Argument(metavar="FILE...", help="Clouds: .npy, .npz, .csv, .parquet, .nc, .zarr, .vtk, .vtkhdf."),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|STORE|NAME", help="Initial cloud of the network: a file, store or law. Default: uniform ball."
        ),
    ] = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
) -> None:
    """Make a store of your own clouds, one per file.

    --A 1,10,100 and so on give the value of each file, in the order of the files; one value applies to all. --t is the
    time.
    """
    from ..api.importing import import_files

    files, parameters = o.words_and_names([file, *context.args], ["source", "out", "overwrite", "json"])
    run = import_files(
        [Path(one) for one in files],
        parameters,
        source=source,
        out=out,
        overwrite=overwrite,
        warn=warn,
    )
    document = {"path": str(run.path), "cases": run.cases, "times": run.times.tolist(), "J": run.J, "dim": run.dim}
    rows = [["clouds", len(run.cases) * len(run.times)], ["particles", run.J], ["dimension", run.dim]]
    _render.emit(document, as_json, (str(run.path), ["", ""], rows))
    if not as_json:
        suggest("train", run.path)
