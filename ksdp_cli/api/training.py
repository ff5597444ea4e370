"""train: fit a network to the clouds of a store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Unpack, cast

import numpy as np

from .. import provenance
from ..base import checkpoint, files, html
from ..base import device as devices
from ..base.bars import progress_bar
from ..base.files import JsonDict
from ..base.listener import Progress, Say, Stop, as_warning
from ..base.outputs import Lock, write_whole
from ..base.records import SavedTraining, as_record
from ..base.signals import stop_or_sigint
from ..config import TrainConfig, build
from ..errors import ConfigError, DataError, Interrupted
from ..learning.data import TrainingData
from ..learning.eta_map import EtaMap
from ..learning.network.forms import AUTO, form_name
from ..learning.optimisers.base import optimiser
from ..learning.trainer import State, Trained, TrainerHeader, fitting
from ..learning.trainer import train as run_training
from ..store import Run, open_run
from . import paths
from . import training_place as place
from .clouds import part_of
from .options import TrainOptions
from .own_clouds import OwnClouds, own_clouds, require_mapping
from .own_files import is_own, read_arrays
from .training_data import load_data, validation_data

#: The kind of stores of the user's own clouds, and the part of own clouds that is kept for validation: of particles
#: that cannot be had again the fewer are kept from the training the better.
OWN, OWN_HELD_OUT = "clouds", 0.1


@dataclass(frozen=True)
class Training:
    """The result of a training: the file of its weights, and the history of loss and validation."""

    path: Path
    trained: Trained
    seconds: float

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        best = self.best
        steps, of_floor = self.trained.history[-1]["step"], best["validation"] / best["floor"]
        return f"<Training {self.path}: {steps} steps, validation {of_floor:.3g} x its noise floor>"

    def _repr_html_(self) -> str:
        facts = {name: value for name, value in self.as_dict().items() if name not in ("path", "history")}
        return html.table(f"Training {self.path}", ("", ""), [(n.replace("_", " "), v) for n, v in facts.items()])

    @property
    def best(self) -> dict[str, float]:
        """The row of the history with the weights that were kept."""
        validation = self.trained.model.provenance["result"]["validation_W2_squared"]
        kept: dict[str, float] = next(
            row for row in reversed(self.trained.history) if row.get("validation") == validation
        )
        return kept

    def as_dict(self) -> dict[str, object]:
        history, best = self.trained.history, self.best
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
    store: str | Path | Run | Mapping[str, object],
    *,
    out: str | Path | None = None,
    init: object = None,
    validate: str | Path | Run | Mapping[str, object] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | bool | None = None,
    stop: Stop | None = None,
    warn: Say | None = None,
    **options: Unpack[TrainOptions],
) -> Training:
    """Train the network of equation (13) on a stored simulation, or on your own clouds, and write the weights.

    Your own clouds are a dict of arrays, see `own_clouds`: ``position`` (case, time, particle, axis), and parameters
    (case,) by name. ``options`` are the fields of `ksdp_cli.config.TrainConfig`. ``out`` (NAME.safetensors) receives
    the weights selected by ``keep``, NAME.last.safetensors the last ones, NAME.history.json the curves; with the
    checkpoint beside them ``resume`` continues bit for bit. ``init`` is the initial cloud, if the store does not lead
    to it: your class, or a store that has moved; for arrays the default is the uniform ball. A cloud without a known
    name goes into the model by its points. ``validate`` is a store of other runs of the same problem, at any
    parameters: validation then uses these instead of held-out particles. Where N is not given and the clouds are
    smaller, it is all particles that train, which ``warn`` is told.

    The clouds of several seeds are one data set, since they are samples of one law.

    Raises `ConfigError` for parameters that do not vary in the store, `DataError` for an output that exists or a store
    that is not a complete simulation, and `Interrupted`.
    """
    warn = warn or as_warning
    config = build(TrainConfig, dict(options))
    run = _open(store, init, warn)
    data, simulation, source = load_data(run, config, init)
    config = with_form(config, len(data.names))
    optimiser(config.optimiser)
    words = [_in_words(run)]
    if validate is not None:
        other = _open(validate, init, warn)
        words += ["--validate", _in_words(other)]
        data = replace(data, validation=validation_data(other, run, data.names))
        if config.held_out is None and config.algorithm == "paper":
            config = config.model_copy(update={"held_out": 0.0})
    choices = [config]
    if config.held_out is None and config.algorithm != "paper" and (isinstance(run, OwnClouds) or run.kind == OWN):
        choices.insert(0, config.model_copy(update={"held_out": OWN_HELD_OUT}))  # the other is of older checkpoints
    if options.get("N") is None:
        choices = [fitting(one, data.clouds.shape[1]) for one in choices]
    by_identity = {_identity(one, data): one for one in choices}
    earlier = {begun: change for one in choices for begun, change in _earlier(one, data).items()}
    stem = paths.slug(f"{run.path.stem}-{'-'.join(data.names)}")
    instead = "--overwrite, or another -o"
    if out is not None:
        place.require_suffix(files.target(out))
    elif resume:
        out = next(filter(None, (place.to_resume(stem, begun) for begun in (*by_identity, *earlier))), None)
        instead = "-o with a new name, or no --resume"
    identity = next(iter(by_identity))
    if resume and out is not None:
        begun = place.identity_of(files.target(out))
        if begun in by_identity:
            identity = begun
        elif begun in earlier:
            raise ConfigError(f"{out} was begun by an older ksdp, {earlier[begun]}", f"use {instead}")
    config = by_identity[identity]
    device = devices.choose(config.device)
    if options.get("N") is None and build(TrainConfig, {}).N > config.N:
        apart = data.clouds.shape[1] - config.N
        held_out = f"; the other {apart} are held out" if apart else ""
        warn(f"mini-batches have N = {config.N}: all {config.N} of {config.N + apart} particles{held_out}")

    judge = simulation if validate is None else other.config
    if judge.get("sampling") == "quiet" and (validate is not None or config.held_out != 0):
        warn("the floor beside the validation, from which --stop-excess counts, is between quiet particles: these are "
             "not independent, and it may be lower or higher than that of random ones")  # fmt: skip

    def begin(path: Path) -> Lock:
        return place.claim_files(path, identity, overwrite, resume)

    target, lock = paths.begin_output(out, stem, ".safetensors", begin)
    about = {
        "identity": identity,
        "data": _in_words(run),
        "data_sha256": data.sha256(),
        "simulation": simulation,
        "units": {name: run.units.get(name, "") for name in data.names},
        "versions": provenance.versions(),
        "command": provenance.command("train", config, *words[:1], "-o", str(target), *words[1:]),
    }
    with lock, stop_or_sigint(stop) as stop, progress_bar(progress) as bar:
        state = _restore(place.checkpoint_of(target), identity, device) if resume else None
        return _train(data, source, config, device, target, about, state, bar, stop)


def _train(
    data: TrainingData,
    source: np.ndarray | None,
    config: TrainConfig,
    device: str,
    target: Path,
    about: JsonDict,
    state: State | None,
    progress: Progress | None,
    stop: Stop | None,
) -> Training:
    """Run Algorithm 1 from ``state`` and write its files; ``target`` is claimed."""
    state_file = place.checkpoint_of(target)

    def keep(state: State) -> None:
        header, arrays = state
        checkpoint.save(state_file, {"run": about["identity"], "device": device, "trainer": header}, arrays)
        number = stop() if stop else None
        if number is not None:
            step = header.get("step", "?")
            raise Interrupted(f"stopped by signal {number} at step {step}; the state is saved in {state_file}", number,
                              "repeat the command with --resume to continue")  # fmt: skip

    result = run_training(
        data,
        config,
        device=device,
        progress=(lambda event: _report(progress, event)) if progress else None,
        state=state,
        on_checkpoint=keep,
        should_stop=(lambda: stop() is not None) if stop else None,
        training=config.model_dump(mode="json"),
        provenance=about,
        source=source,
    )
    history = json.dumps({"command": about["command"], "history": result.history}, indent=1)
    last, curves = place.beside(target)
    with write_whole(curves) as temporary:
        temporary.write_text(history + "\n")
    result.last_model.save(last)
    result.model.save(target)  # last: if this file exists, all three do
    checkpoint.remove(state_file)
    return Training(target, result, result.seconds)


def with_form(config: TrainConfig, parameters: int) -> TrainConfig:
    """``config`` with the form's name for ``auto`` of two parameters, which meant `separable` in older versions: files
    that say the name are told apart, and make the same network again.

    Raises `ConfigError` for a form that does not exist or does not support this number of ``parameters``.
    """
    form = form_name(config.network, parameters)
    return config.model_copy(update={"network": form}) if parameters == 2 else config


def _in_words(data: Run | OwnClouds) -> str:
    return data.name if isinstance(data, Run) else str(data.path)


def _open(data: object, init: object, warn: Say) -> Run | OwnClouds:
    """Open a store, or the caller's own clouds from a file or as arrays."""
    if isinstance(data, Run):
        return data
    if isinstance(data, (str, PathLike)):
        if (part := part_of(data)) is not None:
            return part
        path = files.local(data)
        return replace(own_clouds(read_arrays(path), init, warn), path=path) if is_own(path) else open_run(data)
    return own_clouds(require_mapping(data), init, warn)


def _report(progress: Progress, event: JsonDict) -> None:
    note = f"loss {event['loss']:.4g}"
    if event.get("validation") is not None:
        note += f", validation W2^2 {event['validation']:.4g} (floor {event['floor']:.4g})"
    note += f", {event['step'] / max(event['seconds'], 1e-9):.3g} steps/s"
    progress("gradient steps", event["step"], event["steps"], note)


def _identity(config: TrainConfig, data: TrainingData, units: bool = True) -> str:
    """The digest of a training's options and data; without ``units``, that of versions before there were any."""
    fields = config.model_dump(mode="json") | {"data": data.sha256()}
    both, origin = (data.source_units, data.cloud_units), EtaMap.of(data.names, data.eta).origin
    fields |= {"units": [one.as_json() for one in both]} if units and not all(one.trivial for one in both) else {}
    return provenance.digest(fields | ({"origin": list(origin)} if units and origin else {}))


def _earlier(config: TrainConfig, data: TrainingData) -> dict[str, str]:
    """The identities of older versions that are none of today's, and what has changed since."""
    changes = {_identity(config, data, False): "without units"}
    if len(data.names) == 2:
        auto, change = config.model_copy(update={"network": AUTO}), "whose default for two parameters was separable"
        changes |= {_identity(auto, data, units): change for units in (True, False)}
    return {identity: change for identity, change in changes.items() if identity != _identity(config, data)}


def _restore(file: Path, identity: str, device: str) -> State | None:
    """Load the saved state, or None. Raises `ConfigError` if it belongs to another training or another device."""
    if not checkpoint.exists(file):
        return None
    header, arrays = checkpoint.load(file)
    if header.get("run") != identity:
        raise ConfigError(f"{file} belongs to another training (its data or options differ)", "use --overwrite")
    before = header.get("device", "cpu")  # older checkpoints, without a device, are from the CPU
    if before != device:
        raise ConfigError(
            f"{file} was written on {before}; on {device} the training would give other bits",
            f"use --device {before}, or --overwrite",
        )
    try:
        as_record(SavedTraining, {name: value for name, value in header.items() if name != "source"})
    except ValueError as error:
        raise DataError(f"{file} cannot be used: {error}", "use --overwrite to start again") from None
    return cast(TrainerHeader, header["trainer"]), arrays
