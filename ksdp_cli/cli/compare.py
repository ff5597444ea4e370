"""``ksdp compare``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..config import CompareConfig
from ..errors import ConfigError
from . import _options as o
from . import _render


def register(app: typer.Typer) -> None:
    app.command(context_settings=o.BY_NAME)(compare)


def compare(
    context: typer.Context,
    cloud: Annotated[str, typer.Argument(help="A store or a model.")],
    reference: Annotated[
        str | None,
        typer.Argument(help="A store to compare with; without one a model is compared with fresh simulations."),
    ] = None,
    sub_sample: Annotated[
        str | None, typer.Option("--N", metavar="NUMBER", help="Particles of each sub-sample. Default 2000.")
    ] = None,
    repeats: Annotated[str | None, typer.Option(help="Sub-samples. Default 5.", metavar="NUMBER")] = None,
    estimator: Annotated[
        str | None, typer.Option(help="Exact solver. Default certified.", metavar="certified|emd")
    ] = None,
    seed: o.SeedOption = None,
    device: o.DeviceOption = None,
    as_json: o.Json = False,
) -> None:
    """Exact Wasserstein distance between two clouds, with its noise floor, means and second moments.

    --A 50, --t 0.05 and the like pick the case and snapshot of a store, and the point at which a model is evaluated.
    """
    from .. import api

    words, eta = o.words_and_names([cloud, reference, *context.args], [*CompareConfig.model_fields, "json"])
    if not 1 <= len(words) <= 2:
        raise ConfigError(f"{len(words)} files to compare: {', '.join(words) or 'none'}", "name one or two")
    with _render.progress("compare") as progress:
        result = api.compare(
            *words,
            N=sub_sample,
            repeats=repeats,
            estimator=estimator,
            seed=seed,
            device=device,
            progress=progress,
            **eta,
        )
    render(result, as_json)


def render(result: Any, as_json: bool) -> None:
    """Distances beside their floor, moments beside each other, and the verdict."""
    _render.emit(result.as_dict(), as_json, *result.tables())
