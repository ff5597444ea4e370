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
    algorithm: Annotated[str | None, text("Algorithm 1 to the letter, or fresh (default).", "fresh|paper")] = None,
    network: Annotated[str | None, text("Form of the network. Default auto.", "auto|paper|residual|separable")] = None,
    steps: Annotated[str | None, text("Gradient steps. Default 3000; paper 10000.")] = None,
    sub_sample: Annotated[
        str | None, typer.Option("--N", metavar="NUMBER", help="Particles of each data set. Default 2000.")
    ] = None,
    sets: Annotated[str | None, text("Data sets in a mini-batch. Default all up to 11, else 8.")] = None,
    renew_batch: Annotated[str | None, text("Steps between mini-batches. Default 50; paper 1000.")] = None,
    renew_gamma: Annotated[str | None, text("Steps between transition matrices. Default 50; paper 200.")] = None,
    solver: Annotated[str | None, text("Transition solver. Default certified; paper iterative-lp.", "NAME")] = None,
    sub_problems: Annotated[str | None, text("N_LP of an iterative solver. Default 200.")] = None,
    tolerance: Annotated[str | None, text("Of an iterative solver, at a new mini-batch. Default 1e-3.")] = None,
    optimiser: Annotated[str | None, text("Default soap; paper adam.", "soap|adam")] = None,
    learning_rate: Annotated[str | None, text("First step size. Default 3e-3; paper 5e-3.")] = None,
    average: Annotated[str | None, text("Memory of the averaged weights, 0 for none. Default 0.99; paper 0.")] = None,
    stop_excess: Annotated[str | None, text("Stop at this validation above its floor. Default never.")] = None,
    validate_every: Annotated[str | None, text("Steps between validations. Default 500.")] = None,
    seed: o.SeedOption = None,
    device: o.DeviceOption = None,
    config: o.ConfigFile = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with this very training if interrupted.")] = False,
    as_json: o.Json = False,
) -> None:
    """Train the network of equation (13) by Algorithm 1 on the clouds of a store.

    Writes the averaged weights, or without averaging those that validated best (NAME.safetensors), the last ones
    (NAME.last.safetensors) and the history of loss and validation (NAME.history.json).
    """
    from .. import api

    options = {
        "eta": tuple(name.strip() for name in eta.split(",")) if eta else None,
        "algorithm": algorithm, "network": network, "sub_problems": sub_problems, "tolerance": tolerance,
        "optimiser": optimiser, "average": average, "stop_excess": stop_excess,
        "steps": steps, "N": sub_sample, "sets": sets, "renew_batch": renew_batch, "renew_gamma": renew_gamma,
        "solver": solver, "learning_rate": learning_rate, "validate_every": validate_every, "seed": seed,
        "device": device,
    }  # fmt: skip
    outputs = {"out": out, "overwrite": overwrite, "resume": resume}
    with o.graceful() as stop, _render.progress("train") as progress:
        result = api.train(
            store,
            progress=progress,
            stop=stop,
            **o.merged(config, options | outputs, list(TrainConfig.model_fields)),
        )
    document = result.as_dict()
    rows = [[name.replace("_", " "), value] for name, value in document.items() if not isinstance(value, (list, dict))]
    _render.emit(document, as_json, (str(result.path), ["", ""], rows))
