"""``ksdp sample``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..base.signals import graceful
from ..config import SampleConfig
from ..errors import ConfigError
from . import _options as o
from . import _render, simulate
from ._boundary import say, suggest, warn
from ._fields import GroupedCommand, options_of

GROUPS = {"Particles": ("n", "seed", "beyond", "device")}
SUMMARY = "Draw particles from a trained network."
EXAMPLE = "Example: ksdp sample laminar2d-amplitude --A 50 --n 1e6 -o fifty.zarr"


def register(app: typer.Typer) -> None:
    app.command(cls=GroupedCommand, context_settings=o.BY_NAME, epilog=EXAMPLE, short_help=SUMMARY)(sample)


@options_of(SampleConfig, GROUPS, skip=("eta",))
def sample(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Argument(help="A trained model, or the name of one that ships. Default the newest in ./runs."),
    ] = None,
    named: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME|PATH", help="The same, as an option.", rich_help_panel="Particles"),
    ] = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    as_json: o.Json = False,
    **options: Any,
) -> None:
    """Draw particles from a trained network at physical parameters given by name, as --A 130 or --t 0.05.

    A parameter that is not given takes its largest trained value.
    """
    from .. import api

    names = [*SampleConfig.model_fields, "model", "out", "overwrite", "json"]
    words, at = o.words_and_names([model, *context.args], names)
    words += [named] if named is not None else []
    if len(words) > 1:
        raise ConfigError(f"{len(words)} models: {', '.join(words)}", "give one")
    eta: dict[str, Any] = dict(at)
    with graceful() as stop, _render.progress("sample") as progress:
        run = api.sample(
            words[0] if words else None,
            out=out,
            overwrite=overwrite,
            progress=progress,
            stop=stop,
            tell=say,
            warn=warn,
            **options,
            **eta,
        )
    simulate.render(run, as_json)
    if not as_json:
        suggest("plot", run.path)
