"""``ksdp plot``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigError
from . import _options as o
from . import _render
from ._boundary import say

SUMMARY = "Densities, second moments, training curves, films."
EXAMPLE = "Example: ksdp plot ks2d-time --t 0:0.1:51 -o film.gif"


def register(app: typer.Typer) -> None:
    app.command(context_settings=o.BY_NAME, epilog=EXAMPLE, short_help=SUMMARY)(plot)


def plot(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="A store, a model, or the name of a model that ships.")],
    reference: Annotated[str | None, typer.Argument(help="A store to draw beside it.")] = None,
    number: Annotated[
        str | None, typer.Option("--n", metavar="NUMBER", help="Particles that a model generates. Default 1e6.")
    ] = None,
    case: Annotated[str | None, typer.Option(help="Case numbers of a store. Default all.", metavar="LIST")] = None,
    device: o.DeviceOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Picture: .png, .pdf or .svg; film: .gif, .webp or .mp4. Default a new name in ./runs.",
        ),
    ] = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
) -> None:
    """Draw densities, second moments and training curves of a store or a model, or of both side by side.

    --A 50, --t 0.05 and so on (or lists, as --A 1,10) select what is drawn. Second moments and training curves go to
    separate pictures, NAME-moments.png and NAME-training.png. A film runs over the snapshots or the swept parameter of
    a store, or over a parameter of a model: ksdp plot ks2d-time -o film.gif
    """
    from ..views.plotting import plot as draw

    names = ["n", "case", "device", "out", "overwrite", "json"]
    words, at = o.words_and_names([subject, reference, *context.args], names)
    if not 1 <= len(words) <= 2:
        raise ConfigError(f"{len(words)} files to plot", "give a store or a model, and a store to draw beside it")
    with _render.progress("plot") as progress:
        result = draw(
            *words,
            out=out,
            overwrite=overwrite,
            case=case,
            n=number,
            device=device,
            progress=progress,
            **at,
        )
    for note in result.notes:
        say(f"note: {note}")
    _render.emit(result.as_dict(), as_json, ("", ["pictures"], [[str(path)] for path in result.files]))
