"""``ksdp train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..base.signals import graceful
from ..config import TrainConfig
from . import _options as o
from . import _ranks, _render
from ._boundary import say, suggest, warn
from ._fields import GroupedCommand, options_of

GROUPS = {
    "Algorithm 1": ("algorithm", "eta", "network", "steps", "seed", "device"),
    "Mini-batches": ("N", "sets", "renew_batch", "renew_gamma"),
    "Transition matrices": ("solver", "sub_problems", "sub_problem_size", "tolerance", "most_sub_problems"),
    "Gradient steps": ("optimiser", "learning_rate", "decay", "average", "keep"),
    "Validation": ("held_out", "validate_n", "validate_every", "stop_excess"),
}
SUMMARY = "Train a network on the clouds of a store."
EXAMPLE = "Example: ksdp train a.zarr --steps 3000 -o a.safetensors"


def register(app: typer.Typer) -> None:
    app.command(cls=GroupedCommand, epilog=EXAMPLE, short_help=SUMMARY)(train)


@options_of(TrainConfig, GROUPS)
def train(
    store: Annotated[
        Path, typer.Argument(help="A store of 'ksdp simulate' or 'ksdp import', or an .npz or .nc of clouds.")
    ],
    validate: Annotated[
        Path | None,
        typer.Option(help="Store of other runs to validate on, at any parameters.", rich_help_panel="Validation"),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="Initial cloud of the run, if the store does not name it.",
            metavar="NAME|FILE.py:CLASS|STORE",
            rich_help_panel="Algorithm 1",
        ),
    ] = None,
    config: o.ConfigFile = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue this training if it was interrupted.")] = False,
    as_json: o.Json = False,
    **options: str | None,
) -> None:
    """Train the network of equation (13) by Algorithm 1 on the clouds of a store.

    Writes the weights selected by --keep (NAME.safetensors): by default the averaged ones at the end, or without
    averaging those with the best validation; the last weights (NAME.last.safetensors); and the history of loss and
    validation (NAME.history.json).
    """
    from .. import api

    outputs: dict[str, object] = {"out": out, "overwrite": overwrite, "resume": resume}
    arguments: dict[str, Any] = o.merge(config, options | outputs, list(TrainConfig.model_fields))
    _ranks.doubt_many("this training")
    with graceful() as stop, _render.progress("train") as progress:
        result = api.train(
            store,
            init=init,
            validate=validate,
            progress=progress,
            stop=stop,
            warn=warn,
            **arguments,
        )
    document = result.as_dict()
    rows = [
        [name.replace("_", " "), value]
        for name, value in document.items()
        if name != "path" and not isinstance(value, (list, dict))
    ]
    _render.emit(document, as_json, (str(result.path), ["", ""], rows))
    if not as_json:
        best, floor = result.best["validation"], result.best["floor"]
        if floor:
            say(f"validation: {best / floor:.3g} x its noise floor; 1 is as near as another sample of the clouds")
        stem = result.path.with_suffix("")
        say(f"beside it: {stem}.last.safetensors, {stem}.history.json")
        suggest("report", result.path)
