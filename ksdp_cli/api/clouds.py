"""Initial clouds as users name them, a registered law, a class of their own, or the path of a store; and of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import plugins
from ..errors import ConfigError, DataError
from ..initial.points import Points
from ..initial.stored import StoredCloud
from ..learning.model import LARGEST_SOURCE, Model
from ..particles import problem
from ..store import Run, open_run


def opened(given: Any) -> Any:
    """A path, or a name that ends in .zarr, or a run, as the cloud of its last frame; anything else as it is.

    Raises `DataError` when the store is missing, damaged, without a frame, or holds more than one case.
    """
    named = isinstance(given, Path) or (isinstance(given, str) and given.endswith(".zarr"))
    if not named and not isinstance(given, Run):
        return given
    run = given if isinstance(given, Run) else open_run(given)
    if len(run.cases) != 1 or not len(run.times):
        raise DataError(
            f"{run.path} holds {len(run.cases)} cases and {len(run.times)} frames, and an initial cloud is one frame",
            "name a store with one case and at least one frame",
        )
    return StoredCloud(str(run.path), run.J, run.dim, lambda: run.frame(0, -1))


def initial_cloud(given: Any, dim: int) -> tuple[str, Any]:
    """Name and instance of the initial cloud ``given`` in dimension ``dim``. Raises `ConfigError` and `DataError`."""
    return problem.initial_cloud(opened(given), dim)


#: Particles of a law of the user's own that go into a model, which cannot hold its code.
OF_A_LAW = 1 << 17
#: The seed that they are drawn from.
LAW_SEED = 1_000_000_009


def of_model(model: Model) -> Any:
    """The initial cloud that a network pushes forward: its particle i of a seed is the same in every command.

    It is the law that the model names, or the particles that it carries, which `Points` draws from. Raises
    `ConfigError` and `DataError` for a law or a store that is not there.
    """
    name = str(model.provenance["simulation"]["init"])
    if model.source is not None:
        return Points(model.source, f"the initial cloud of this model ({Path(name).name})")
    _, cloud = initial_cloud(name, model.dim)
    return Points(cloud.frame, name) if isinstance(cloud, StoredCloud) else cloud


def of_run(run: Any, given: Any = None) -> tuple[Any, NDArray[np.float32] | None]:
    """The initial cloud of a simulation, a `Run` or what is read like one, and the particles by which a model must
    carry it where its name says nothing.

    ``given`` is the cloud where the run names a class of the user's own, or a store that has moved; it must be of that
    name. A store is looked for from here, and beside the run. Raises `ConfigError` and `DataError`.
    """
    name = str(run.config["init"])
    wanted = name if given is None else given
    if given is None and name.endswith(".zarr") and not Path(name).exists():
        beside = [path for path in (run.path.parent / name, run.path.parent / Path(name).name) if path.exists()]
        wanted = beside[0] if beside else name
    try:
        found, cloud = initial_cloud(wanted, run.dim)
    except (ConfigError, DataError) as error:
        if given is not None:
            raise
        told = f"the initial cloud of {run.path} is {name}, which is not there: {error.message}"
        raise type(error)(told, "give it: --init NAME or a store, init= a class from Python") from None
    if isinstance(cloud, StoredCloud) != name.endswith(".zarr") or (
        not isinstance(cloud, StoredCloud) and found.rpartition(":")[2] != name.rpartition(":")[2]
    ):
        raise ConfigError(f"{run.path} started from {name}, not from {found}", "give the initial cloud of the run")
    if isinstance(cloud, StoredCloud):
        if cloud.count < run.J:
            raise ConfigError(
                f"{run.path} started with {run.J} particles of {name}, and {found} has {cloud.count}",
                "give the store that it started from",
            )
        return cloud, thinned(cloud.frame)
    shipped = any(entry.long_name == found for entry in plugins.registry().entries)
    return cloud, None if shipped else cloud.draw(OF_A_LAW, run.dim, LAW_SEED)


def thinned(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """``rows`` (K, d), or `LARGEST_SOURCE` random ones of them where they are more."""
    if len(rows) <= LARGEST_SOURCE:
        return rows
    return rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:LARGEST_SOURCE])]
