"""train: fit a network to the clouds of a store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack, cast

import numpy as np

from .. import provenance
from ..base import checkpoint, files, html
from ..base import device as devices
from ..base.bars import progress_bar
from ..base.files import JsonDict
from ..base.grids import SEED, seeds_of, varying
from ..base.labels import label
from ..base.listener import Progress, Say, Stop, as_warning
from ..base.outputs import Lock, write_whole
from ..base.records import SavedTraining, as_record
from ..base.signals import stop_or_sigint
from ..config import PHYSICAL_UNITS, TrainConfig, build
from ..errors import ConfigError, DataError, Interrupted
from ..initial.stored import StoredCloud
from ..learning.data import TrainingData
from ..learning.eta_map import EtaMap
from ..learning.network.forms import AUTO, form_name
from ..learning.optimisers.base import optimiser
from ..learning.trainer import State, Trained, TrainerHeader, fitting
from ..learning.trainer import train as run_training
from ..learning.units import units_of
from ..store import Run, open_run
from ..store.selection import constant_value
from . import paths
from . import training_place as place
from .clouds import of_run, part_of
from .options import TrainOptions
from .own_clouds import OwnClouds, own_clouds, require_mapping
from .own_files import is_own, read_arrays

#: The kind of stores of the user's own clouds, and the part of own clouds that is kept for validation: of particles
#: that cannot be had again the fewer are kept from the training the better.
OWN, OWN_HELD_OUT = "clouds", 0.1
#: Particles of an initial law from which its units are found.
FOR_UNITS = 4096


@dataclass(frozen=True)
class Training:
    """The result of a training: the file of its weights, and the history of loss and validation."""

    path: Path
    trained: Trained
    seconds: float

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
    (case,) by name. ``options`` are the fields of `TrainConfig`. ``out`` (NAME.safetensors) receives the weights
    selected by ``keep``, NAME.last.safetensors the last ones, NAME.history.json the curves; with the checkpoint beside
    them ``resume`` continues bit for bit. ``init`` is the initial cloud, if the store does not lead to it: your class,
    or a store that has moved; for arrays the default is the uniform ball. A cloud without a known name goes into the
    model by its points. ``validate`` is a store of other runs of the same problem, at any parameters: validation then
    uses these instead of held-out particles. Where N is not given and the clouds are smaller, it is all particles that
    train, which ``warn`` is told.

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
    words = [str(run.path)]
    if validate is not None:
        other = _open(validate, init, warn)
        words += ["--validate", str(other.path)]
        data = replace(data, validation=validation_data(other, run, data.names))
        if config.held_out is None and config.algorithm == "paper":
            config = config.model_copy(update={"held_out": 0.0})
    choices = [config]
    if config.held_out is None and config.algorithm != "paper" and (isinstance(run, OwnClouds) or run.kind == OWN):
        choices.insert(0, config.model_copy(update={"held_out": OWN_HELD_OUT}))  # the other is of older checkpoints
    if options.get("N") is None:
        choices = [fitting(one, data.clouds.shape[1]) for one in choices]
    by_identity = {_identity(one, data): one for one in choices}
    stem = paths.slug(f"{run.path.stem}-{'-'.join(data.names)}")
    if out is not None:
        place.require_suffix(files.target(out))
    elif resume:
        out = next(filter(None, (place.to_resume(stem, identity) for identity in by_identity)), None)
    identity = next(iter(by_identity))
    if resume and out is not None:
        begun = place.identity_of(files.target(out))
        if begun in by_identity:
            identity = begun
        for one in choices:
            if (change := _earlier(one, data).get(str(begun))) is not None:
                raise ConfigError(f"{out} was begun by an older ksdp, {change}", "use --overwrite, or another -o")
    config = by_identity[identity]
    device = devices.choose(config.device)
    if options.get("N") is None and build(TrainConfig, {}).N > config.N:
        warn(f"N = {config.N}, all particles that train: the clouds have {data.clouds.shape[1]}")

    judge = simulation if validate is None else other.config
    if judge.get("sampling") == "quiet" and (validate is not None or config.held_out != 0):
        warn("the floor beside the validation, from which --stop-excess counts, is between quiet particles: these are "
             "not independent, and it may be lower or higher than that of random ones")  # fmt: skip

    def begin(path: Path) -> Lock:
        return place.claim_files(path, identity, overwrite, resume)

    target, lock = paths.begin_output(out, stem, ".safetensors", begin)
    about = {
        "identity": identity,
        "data": str(run.path),
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


def _open(data: object, init: object, warn: Say) -> Run | OwnClouds:
    """Open a store, or the caller's own clouds from a file or as arrays."""
    if isinstance(data, (str, Path)):
        if (part := part_of(data)) is not None:
            return part
        path = files.local(data)
        return replace(own_clouds(read_arrays(path), init, warn), path=path) if is_own(path) else open_run(data)
    if isinstance(data, Run):
        return data
    return own_clouds(require_mapping(data), init, warn)


def parameters_of(run: Run | OwnClouds) -> list[str]:
    """What varies in a simulation but the seed."""
    return [*(name for name in varying(run.cases) if name != SEED), *(["t"] if len(run.times) > 1 else [])]


def load_data(
    run: Run | OwnClouds, config: TrainConfig, init: object = None
) -> tuple[TrainingData, dict[str, object], np.ndarray | None]:
    """Return the training data of a store, the simulation's configuration, and the particles to put into the model."""
    _require_simulation(run)
    parameters = parameters_of(run)
    own = "flow" not in run.config
    if own and not parameters:
        parameters = ["t"]  # one cloud: its time is the parameter, of one value
    names = list(config.eta) or parameters
    if not parameters:
        raise ConfigError(
            f"nothing varies in {run.path}", "simulate a sweep, as --A 1:100:11log, or several --snapshots"
        )
    for name in names:
        if name == SEED:
            raise ConfigError("a network has no parameter 'seed'", "clouds of all seeds are one data set")
        if name not in parameters:
            raise ConfigError(f"{name!r} does not vary in {run.path}", f"what varies: {', '.join(parameters)}")
    left_out = [name for name in parameters if name not in names]
    if left_out:
        raise ConfigError(f"{', '.join(left_out)} also varies in {run.path}", f"use --eta {','.join(parameters)}")
    cloud, particles = of_run(run, init)
    source = cloud.frame if isinstance(cloud, StoredCloud) else None
    clouds, eta = _pool(run, names, by_particle=source is not None)
    if source is not None:
        source = np.repeat(source, clouds.shape[1] // run.J, axis=0)

    def draw(n: int, stream: int) -> np.ndarray:
        return np.asarray(cloud.draw(n, run.dim, config.seed + 1_000_000_007, stream=stream))

    first = draw(FOR_UNITS, 0) if source is None else source
    # clouds of a simulation are in the unit of its initial cloud, unless that is a point; others in any
    units = units_of(first, clouds if own or not np.ptp(first, axis=0).any() else None)
    return TrainingData(clouds, eta, tuple(names), draw, source, None, *units), dict(run.config), particles


def _pool(run: Run | OwnClouds, names: list[str], by_particle: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return a data set for each value of the parameters ``names``, (sets, R J, d) of R seeds, and values (sets, p).

    The seeds follow one another, so that the held-out particles are those of the last seeds, which are independent.
    With ``by_particle`` the R copies of each particle follow one another, which started at one row of a stored cloud.
    """
    places: dict[tuple[float, ...], list[tuple[int, int]]] = {}
    for case, values in enumerate(run.cases):
        for k, t in enumerate(run.times):
            at = tuple(float(t) if name == "t" else values[name] for name in names)
            places.setdefault(at, []).append((case, k))
    sizes = {at: len(group) for at, group in places.items()}
    few, many = min(sizes, key=lambda at: sizes[at]), max(sizes, key=lambda at: sizes[at])
    if sizes[few] < sizes[many]:
        counts = [f"{label(dict(zip(names, at, strict=True)))} has {sizes[at]}" for at in (few, many)]
        raise ConfigError(
            f"{run.path} has unequal numbers of seeds: {counts[0]}, {counts[1]}", "simulate as many of each"
        )
    clouds = np.stack([np.stack([run.frame(*place) for place in group], int(by_particle)) for group in places.values()])
    return clouds.reshape(len(places), -1, run.dim), np.array(list(places))


#: Entries in which a validation run must equal the training run, unless they are parameters of the network.
SHARED = ("flow", "kernel", "dim", "t0", *PHYSICAL_UNITS)


def validation_data(
    other: Run | OwnClouds, run: Run | OwnClouds, names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return all clouds of ``other`` (sets, J, d) and their parameters ``names`` (sets, p).

    Raises `ConfigError` if it is another problem than ``run``, lacks a parameter, or has the same seed and so the same
    particles, and `DataError` if it is not a complete simulation.
    """
    _require_simulation(other)
    theirs, ours = dict(other.config), dict(run.config)
    fixed = [name for name in SHARED if name not in names]
    apart = [name for name in fixed if theirs.get(name) != ours.get(name)]
    starts = [Path(str(config.get("init"))).name for config in (theirs, ours)]
    apart += ["init"] if starts[0] != starts[1] else []
    for part in ("flow_params", "kernel_params", "init_params"):
        both = theirs.get(part, {}), ours.get(part, {})
        apart += [name for name in {*both[0], *both[1]} - {*names} if both[0].get(name) != both[1].get(name)]
    if apart:
        raise ConfigError(
            f"{other.path} is another problem than {run.path}: {', '.join(apart)}", "simulate the same problem"
        )
    both_seeds = seeds_of(other.cases, other.attrs.get("seed")) & seeds_of(run.cases, run.attrs.get("seed"))
    if both_seeds:
        message = f"{other.path} has the seed of {run.path}, {min(both_seeds)}, and so its particles"
        raise ConfigError(message, "simulate it with another --seed")
    eta = []
    for values in other.cases:
        constants = {name: value for name in names if (value := constant_value(theirs, name)) is not None} | values
        eta += [[constants | {"t": float(t)} for t in other.times]]
    missing = [name for name in names if name not in eta[0][0]]
    if missing:
        raise ConfigError(f"{other.path} has no parameter {missing[0]!r}", f"simulate it with --{missing[0]}")
    frames = [other.frame(case, k) for case in range(len(other.cases)) for k in range(len(other.times))]
    return np.stack(frames), np.array([[float(at[name]) for name in names] for row in eta for at in row])


def _require_simulation(run: Run | OwnClouds) -> None:
    if run.kind == "samples" or not run.complete:
        state = "is not a simulation" if run.kind == "samples" else "is not complete"
        raise DataError(f"{run.path} {state}", "train on a complete store of 'ksdp simulate'")
    if isinstance(run, Run):
        run.require_fixed_origin("a network learns float32 positions")


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
    found = {_identity(config, data, False): "without units"}
    if len(data.names) == 2:
        auto, change = config.model_copy(update={"network": AUTO}), "whose default for two parameters was separable"
        found |= {_identity(auto, data, units): change for units in (True, False)}
    return {identity: change for identity, change in found.items() if identity != _identity(config, data)}


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
