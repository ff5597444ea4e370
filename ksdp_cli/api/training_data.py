"""The clouds of a store as the data of a training or of its validation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..base.grids import SEED, seeds_of, varying
from ..base.labels import label
from ..config import PHYSICAL_UNITS, TrainConfig
from ..errors import ConfigError, DataError
from ..initial.stored import StoredCloud
from ..learning.data import TrainingData
from ..learning.units import units_of
from ..store import Run
from ..store.selection import constant_value
from .clouds import of_run
from .own_clouds import OwnClouds

#: Particles of an initial law from which its units are found.
FOR_UNITS = 4096


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
SHARED = ("flow", "kernel", "chemistry", "dim", "t0", *PHYSICAL_UNITS)


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
    starts = "init", "c0"
    apart += [name for name in starts if Path(str(theirs.get(name))).name != Path(str(ours.get(name))).name]
    for part in ("flow_params", "kernel_params", "chemistry_params", "init_params"):
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
    whole = run.ended if isinstance(run, Run) else run.complete
    if run.kind == "samples" or not whole:
        state = "is not a simulation" if run.kind == "samples" else "is not complete"
        hint = "train on a complete store of 'ksdp simulate', or on cases of it that are done, as STORE.zarr@A=1,10"
        raise DataError(f"{run.path} {state}", hint)
    if isinstance(run, Run):
        run.require_fixed_origin("a network learns float32 positions")
