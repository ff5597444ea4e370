"""``ksdp compare``."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from ..base.parsing import integer
from ..config import CompareConfig
from ..errors import ConfigError
from . import _options as o
from . import _render
from ._boundary import say
from ._fields import GroupedCommand, options_of

GROUPS = {"Distances": ("metrics", "N", "repeats", "estimator", "seed", "device")}
SUMMARY = "Distances of two clouds, with their noise floor."
EXAMPLE = "Example: ksdp compare laminar2d-amplitude --A 50 --metrics w2,binned"


def register(app: typer.Typer) -> None:
    app.command(cls=GroupedCommand, context_settings=o.BY_NAME, epilog=EXAMPLE, short_help=SUMMARY)(compare)


@options_of(CompareConfig, GROUPS)
def compare(
    context: typer.Context,
    cloud: Annotated[
        str, typer.Argument(help="A store, a file of points (.npy, .csv, .npz), or a model: its file or name.")
    ],
    reference: Annotated[str | None, typer.Argument(help="A store, or a file of points, to compare with.")] = None,
    named: Annotated[
        str | None,
        typer.Option(
            "--reference",
            metavar="STORE|simulate",
            help="The same, as an option; 'simulate' makes two fresh runs of the cloud's configuration, which is what "
            "a model is compared with by default.",
            rich_help_panel="Clouds",
        ),
    ] = None,
    floor: Annotated[
        str | None,
        typer.Option(
            metavar="STORE|simulate|halves",
            help="A second, independent reference, whose distance from the first is the noise floor; one to be "
            "simulated as the first was; or halves of the first. Default: simulated, if that takes 3 s at most, else "
            "halves.",
            rich_help_panel="Clouds",
        ),
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="Processes that take pairs, repeats and seeds side by side. Default: the threads of one.",
            rich_help_panel="Distances",
        ),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:PLACE]",
            help="Where they run; 'ksdp plugins' lists the executors. Default processes.",
            rich_help_panel="Distances",
        ),
    ] = None,
    as_json: o.Json = False,
    **options: object,
) -> None:
    """Wasserstein distances between two clouds, each with its noise floor and interval; moments; a verdict.

    The floor needs a second simulation of the reference, which is made where it takes a few seconds and kept in ./runs;
    halves of the reference, taken instead, leave out what differs from one simulation to the next. --A 50, --t 0.05
    and the like pick the case and snapshot of a store, and the point at which a model is evaluated; --A 50,130 compares
    at each. --seed is that of the sub-samples; the runs of a store are chosen as STORE.zarr@seed=3.
    """
    known = [*CompareConfig.model_fields, "reference", "floor", "workers", "executor", "json"]
    words, at = o.words_and_names([cloud, reference, *context.args], known)
    words += [named] if named is not None else []
    if not 1 <= len(words) <= 2:
        raise ConfigError(f"{len(words)} files to compare: {', '.join(words) or 'none'}", "name one or two")
    os.environ.setdefault("POT_BACKEND_DISABLE_PYTORCH", "1")  # POT would import it, for seconds, and not use it here
    from ..api.comparing import compare_each, tables

    with _render.progress("compare") as progress:
        found = compare_each(
            words[0],
            words[1] if len(words) > 1 else None,
            floor=floor,
            workers=integer(workers) if workers else None,
            executor=executor,
            progress=progress,
            tell=say,
            **options,
            **at,
        )
    several: dict[str, Any] = {"comparisons": [one.as_dict() for one in found]}
    _render.emit(found[0].as_dict() if len(found) == 1 else several, as_json, *tables(found))
