"""``ksdp train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..config import TrainConfig
from . import _options as o
from . import _render


def register(app: typer.Typer) -> None:
    app.command()(train)


def text(meaning: str, metavar: str = "NUMBER") -> Any:
    return typer.Option(help=meaning, metavar=metavar)


def train(
    store: Annotated[Path, typer.Argument(help="A store that 'ksdp simulate' wrote.")],
    eta: Annotated[str | None, text("Parameters to learn, as A or t,A. Default: all that vary.", "NAMES")] = None,
    algorithm: Annotated[str | None, text("Algorithm 1 as it is printed, or fresh (default).", "fresh|paper")] = None,
    network: Annotated[str | None, text("Form of the network. Default auto.", "auto|FORM")] = None,
    steps: Annotated[str | None, text("Gradient steps. Default 3000; paper 10000.")] = None,
    sub_sample: Annotated[
        str | None, typer.Option("--N", metavar="NUMBER", help="Particles of each data set. Default 2000.")
    ] = None,
    sets: Annotated[str | None, text("Data sets in a mini-batch. Default all up to 11, else 8.")] = None,
    renew_batch: Annotated[str | None, text("Steps between mini-batches. Default 50; paper 1000.")] = None,
    renew_gamma: Annotated[str | None, text("Steps between transition matrices. Default 50; paper 200.")] = None,
    solver: Annotated[str | None, text("Transition solver. Default certified; paper iterative-lp.", "NAME")] = None,
    sub_problems: Annotated[str | None, text("N_LP of an iterative solver. Default 200.")] = None,
    sub_problem_size: Annotated[str | None, text("M, rows of a sub-problem. Default 50.")] = None,
    tolerance: Annotated[str | None, text("Of an iterative solver, at a new mini-batch. Default 1e-3.")] = None,
    most_sub_problems: Annotated[str | None, text("At a new mini-batch, at most. Default 0: no limit.")] = None,
    optimiser: Annotated[str | None, text("Default soap; paper adam.", "soap|adam")] = None,
    learning_rate: Annotated[str | None, text("First step size. Default 3e-3; paper 5e-3.")] = None,
    decay: Annotated[str | None, text("Of the step size. Default cosine; paper none.", "cosine|none")] = None,
    average: Annotated[str | None, text("Memory of the averaged weights, 0 for none. Default 0.99; paper 0.")] = None,
    keep: Annotated[
        str | None, text("Weights that the model gets. Default auto; paper last.", "auto|last|best")
    ] = None,
    validate: Annotated[
        Path | None, typer.Option(help="Store of other runs to validate on, at any parameters.")
    ] = None,
    held_out: Annotated[str | None, text("Part of every cloud kept for validation. Default 0.2.")] = None,
    validate_n: Annotated[str | None, text("Particles a side of a validation. Default 1000.")] = None,
    stop_excess: Annotated[str | None, text("Stop at this validation above its floor. Default never.")] = None,
    validate_every: Annotated[str | None, text("Steps between validations. Default 500.")] = None,
    init: Annotated[
        str | None, text("Initial cloud of the run, if the store does not lead to it.", "NAME|FILE.py:CLASS|STORE")
    ] = None,
    seed: o.SeedOption = None,
    device: o.DeviceOption = None,
    config: o.ConfigFile = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with this very training if interrupted.")] = False,
    as_json: o.Json = False,
) -> None:
    """Train the network of equation (13) by Algorithm 1 on the clouds of a store.

    Writes the weights that --keep says (NAME.safetensors): by default the averaged ones at the end, or without
    averaging those that validated best; the last ones (NAME.last.safetensors); and the history of loss and validation
    (NAME.history.json).
    """
    from .. import api

    options = {
        "eta": tuple(name.strip() for name in eta.split(",")) if eta else None,
        "algorithm": algorithm, "network": network, "sub_problems": sub_problems, "tolerance": tolerance,
        "optimiser": optimiser, "average": average, "stop_excess": stop_excess,
        "steps": steps, "N": sub_sample, "sets": sets, "renew_batch": renew_batch, "renew_gamma": renew_gamma,
        "solver": solver, "learning_rate": learning_rate, "validate_every": validate_every, "seed": seed,
        "device": device, "sub_problem_size": sub_problem_size, "most_sub_problems": most_sub_problems, "decay": decay,
        "keep": keep, "held_out": held_out, "validate_n": validate_n,
    }  # fmt: skip
    outputs = {"out": out, "overwrite": overwrite, "resume": resume}
    with o.graceful() as stop, _render.progress("train") as progress:
        result = api.train(
            store,
            init=init,
            validate=validate,
            progress=progress,
            stop=stop,
            **o.merged(config, options | outputs, list(TrainConfig.model_fields)),
        )
    document = result.as_dict()
    rows = [[name.replace("_", " "), value] for name, value in document.items() if not isinstance(value, (list, dict))]
    _render.emit(document, as_json, (str(result.path), ["", ""], rows))
