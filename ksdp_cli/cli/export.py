"""``ksdp export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConfigError
from . import _options as o
from . import _render

SUMMARY = "Positions for other tools: .npz .nc .csv .vtkhdf."
EXAMPLE = "Example: ksdp export a.zarr --A 1,100 --t 0.02 -o a.vtkhdf"


def register(app: typer.Typer) -> None:
    app.command(context_settings=o.BY_NAME, epilog=EXAMPLE, short_help=SUMMARY)(export)


def export(
    context: typer.Context,
    store: Annotated[str, typer.Argument(help="A store that ksdp wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Output: .npz, .nc, .parquet, .csv or .vtkhdf (ParaView).")],
    case: Annotated[str | None, typer.Option(help="Case numbers, as 0 or 0,3. Default all.", metavar="LIST")] = None,
    field: Annotated[
        bool, typer.Option("--field", help="Write only the chemical c, as an image for ParaView (.vtkhdf).")
    ] = False,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
) -> None:
    """Write positions of a store for other tools; the suffix of the output selects the format.

    --A 50, --t 0.05 and so on (or lists, as --A 1,10) select cases and snapshots. Default all.
    """
    from ..api.exporting import export as write

    words, at = o.words_and_names([store, *context.args], ["case", "out", "field", "overwrite", "json"])
    if len(words) != 1:
        raise ConfigError(f"{len(words)} stores to export", "give one")
    with _render.progress("export") as progress:
        result = write(words[0], out, case=case, overwrite=overwrite, field=field, progress=progress, **at)
    document = result.as_dict()
    rows: list[list[Any]] = [
        ["format", result.format],
        ["megabytes", result.bytes / 1e6],
        ["particles", result.J],
        ["dimension", result.dim],
        *([name, _list(values)] for name, values in result.parameters.items()),
        ["t", _list(result.times)],
    ]
    _render.emit(document, as_json, (str(result.path), ["", ""], rows))


def _list(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
