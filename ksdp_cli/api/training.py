"""train: the clouds of a store become a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import device as devices
from .. import files, provenance
from ..config import TrainConfig, build
from ..errors import ConfigError, DataError, Interrupted
from ..outputs import Lock, written_whole
from ..particles import checkpoint
from ..records import SavedTraining, checked
from ..store import Run, open_run
from ..transport.data import TrainingData
from ..transport.trainer import Trained, TrainSettings
from ..transport.trainer import train as run_training
from . import paths
from . import training_place as place
from .clouds import initial_cloud


@dataclass(frozen=True)
class Training:
    """What a training left: the file of the best weights, and how the loss and the validation went."""

    path: Path
    trained: Trained
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        history = self.trained.history
        chosen = self.trained.model.provenance["result"]["validation_W2_squared"]
        best = next(row for row in reversed(history) if row.get("validation") == chosen)
        return {
            "path": str(self.path),
            "steps": history[-1]["step"],
            "last_loss_W2_squared": history[-1]["loss"],
            "best_validation_W2_squared": best["validation"],
            "floor_W2_squared": best["floor"],
            "best_step": best["step"],
            "seconds": self.seconds,
            "history": history,
        }


def train(
    store: str | Path | Run,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], int | None] | None = None,
    **options: Any,
) -> Training:
    """Train the network of equation (13) on a stored simulation and write the weights.

    ``options`` are the fields of `TrainConfig`. ``out`` (NAME.safetensors) gets the chosen weights (see `Trained`),
    NAME.last.safetensors the last ones, NAME.history.json the curves; a checkpoint beside them lets ``resume`` go on
    bit for bit. Raises `ConfigError` for parameters that do not vary in the store, `DataError` for an output that
    exists or a store that is not a complete simulation, and `Interrupted`.
    """
    config = build(TrainConfig, options)
    run = store if isinstance(store, Run) else open_run(store)
    data, simulation = load_data(run, config)
    identity = provenance.digest(config.model_dump(mode="json") | {"data": data.sha256()})
    stem = paths.slug(f"{run.path.stem}-{'-'.join(data.names)}")
    if out is not None:
        place.require_suffix(files.target(out))
    elif resume:
        out = place.to_resume(stem, identity)

    def begin(chosen: Path) -> Lock:
        return place.claimed(chosen, identity, overwrite, resume)

    target, lock = paths.begun(out, stem, ".safetensors", begin)
    with lock:
        state = _restore(place.checkpoint_of(target), identity) if resume else None
        return _trained(run, data, simulation, config, target, identity, state, progress, stop)


def _trained(
    run: Run,
    data: TrainingData,
    simulation: dict[str, Any],
    config: TrainConfig,
    target: Path,
    identity: str,
    state: Any,
    progress: Callable[..., None] | None,
    stop: Callable[[], int | None] | None,
) -> Training:
    """Algorithm 1 from ``state``, and its files in their places, of which ``target`` is claimed."""
    settings = TrainSettings(**config.model_dump(exclude={"eta", "device"}))
    saved = place.checkpoint_of(target)

    def keep(state: tuple[dict[str, Any], dict[str, np.ndarray]]) -> None:
        header, arrays = state
        checkpoint.save(saved, {"run": identity, "trainer": header}, arrays)
        number = stop() if stop else None
        if number is not None:
            step = header.get("step", "?")
            raise Interrupted(f"stopped by signal {number} at step {step}; the state is saved in {saved}", number,
                              "the same command with --resume goes on from here")  # fmt: skip

    told = provenance.command("train", config, str(run.path), "-o", str(target))
    trained = run_training(
        data,
        settings,
        device=devices.choose(config.device),
        progress=(lambda event: _report(progress, event)) if progress else None,
        state=state,
        on_checkpoint=keep,
        should_stop=(lambda: stop() is not None) if stop else None,
        training=config.model_dump(mode="json"),
        provenance={
            "identity": identity,
            "data": str(run.path),
            "data_sha256": data.sha256(),
            "simulation": simulation,
            "units": {name: run.units.get(name, "") for name in data.names},
            "versions": provenance.versions(),
            "command": told,
        },
    )
    history = json.dumps({"command": told, "history": trained.history}, indent=1)
    last, curves = place.beside(target)
    with written_whole(curves) as temporary:
        temporary.write_text(history + "\n")
    trained.last_model.save(last)
    trained.model.save(target)  # the last of the three: where it is, all are
    checkpoint.remove(saved)
    return Training(target, trained, trained.seconds)


def load_data(run: Run, config: TrainConfig) -> tuple[TrainingData, dict[str, Any]]:
    """The clouds of a store with their physical parameters, and the simulation's configuration."""
    if run.kind != "simulation" or not run.complete:
        state = "is no simulation" if run.kind != "simulation" else "is not complete"
        raise DataError(f"{run.path} {state}", "train on a store that 'ksdp simulate' has finished")
    varied = [*run.cases[0], *(["t"] if len(run.times) > 1 else [])]
    names = list(config.eta) or varied
    if not varied:
        raise ConfigError(
            f"nothing varies in {run.path}", "simulate a sweep, as --A 1:100:11log, or several --snapshots"
        )
    for name in names:
        if name not in varied:
            raise ConfigError(f"{name!r} does not vary in {run.path}", f"what varies: {', '.join(varied)}")
    left_out = [name for name in varied if name not in names]
    if left_out:
        raise ConfigError(f"{', '.join(left_out)} also varies in {run.path}", f"use --eta {','.join(varied)}")
    clouds, eta = [], []
    for case, values in enumerate(run.cases):
        for k, t in enumerate(run.times):
            clouds.append(run.frame(case, k))
            eta.append([float(t) if name == "t" else values[name] for name in names])
    _, cloud = initial_cloud(str(run.config["init"]), run.dim)

    def draw(n: int, stream: int) -> np.ndarray:
        return cloud.draw(n, run.dim, config.seed + 1_000_000_007, stream=stream)

    return TrainingData(np.stack(clouds), np.array(eta), tuple(names), draw), dict(run.config)


def _report(progress: Callable[..., None], event: dict[str, Any]) -> None:
    note = f"loss {event['loss']:.4g}"
    if event.get("validation") is not None:
        note += f", validation W2^2 {event['validation']:.4g} (floor {event['floor']:.4g})"
    note += f", {event['step'] / max(event['seconds'], 1e-9):.3g} steps/s"
    progress("gradient steps", event["step"], event["steps"], note)


def _restore(saved: Path, identity: str) -> Any:
    if not checkpoint.exists(saved):
        return None
    header, arrays = checkpoint.load(saved)
    if header.get("run") != identity:
        raise ConfigError(f"{saved} belongs to another training (its data or options differ)", "use --overwrite")
    try:
        checked(SavedTraining, {name: value for name, value in header.items() if name != "source"})
    except ValueError as error:
        raise DataError(f"{saved} cannot be used: {error}", "use --overwrite to start again") from None
    return header["trainer"], arrays
