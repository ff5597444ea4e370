"""``ksdp compare``."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

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
            help="The same, as an option; 'simulate' makes two new runs of the cloud's configuration. Default for a "
            "model: simulate.",
            rich_help_panel="Clouds",
        ),
    ] = None,
    floor: Annotated[
        str | None,
        typer.Option(
            metavar="STORE|simulate|halves",
            help="A second, independent reference, whose distance from the first is the noise floor; 'simulate' makes "
            "one; 'halves' splits the first. Default: simulate if that takes at most 3 s, else halves.",
            rich_help_panel="Clouds",
        ),
    ] = None,
    workers: Annotated[
        str | None,
        o.workers(
            "Processes for pairs, sub-samples and seeds in parallel. Default: threads of one process.", "Distances"
        ),
    ] = None,
    executor: Annotated[str | None, o.executor("Distances")] = None,
    as_json: o.Json = False,
    **options: object,
) -> None:
    """Print Wasserstein distances between two clouds, each with noise floor, interval and verdict, and their moments.

    The floor needs a second simulation of the reference. It is made if it takes a few seconds, and kept in ./runs;
    otherwise the reference is split in halves, which does not include the difference between simulations. --A 50,
    --t 0.05 and so on select the case and snapshot of a store, and the parameters of a model; --A 50,130 compares at
    each. --seed is that of the sub-samples; a run of a store is selected as STORE.zarr@seed=3.
    """
    names = [*CompareConfig.model_fields, "reference", "floor", "workers", "executor", "json"]
    words, at = o.words_and_names([cloud, reference, *context.args], names)
    words += [named] if named is not None else []
    if not 1 <= len(words) <= 2:
        raise ConfigError(f"{len(words)} files to compare: {', '.join(words) or 'none'}", "give one or two")
    os.environ.setdefault("POT_BACKEND_DISABLE_PYTORCH", "1")  # POT would import torch, for seconds, without need
    from ..api.comparing import compare_each
    from ..api.comparison import tables

    with _render.progress("compare") as progress:
        results = compare_each(
            words[0],
            words[1] if len(words) > 1 else None,
            floor=floor,
            workers=o.counts(workers=workers).get("workers"),
            executor=executor,
            progress=progress,
            tell=say,
            **options,
            **at,
        )
    several: dict[str, Any] = {"comparisons": [one.as_dict() for one in results]}
    _render.emit(results[0].as_dict() if len(results) == 1 else several, as_json, *tables(results))
    ways = dict.fromkeys(way for one in results for way in one.may_decide)
    if ways and not as_json:
        say(f"undecided: {' or '.join(ways)} may decide")
