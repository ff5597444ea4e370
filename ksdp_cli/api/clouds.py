"""Initial clouds by name, class, file or frame of a store; and those of models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .. import plugins
from ..base.labels import number_text
from ..base.shapes import Cloud
from ..chemistry.beginning import WORDS, StoredField
from ..config import SimulateConfig
from ..errors import ConfigError, DataError
from ..initial.base import FAR, InitialCloud
from ..initial.density import IMAGES
from ..initial.points import Points
from ..initial.stored import StoredCloud
from ..particles import components, own, problem
from ..particles.contents import contents
from ..particles.problem import Problem
from ..store import Run, open_run
from ..store.selection import select
from .own_files import is_array, is_own, read_cloud

if TYPE_CHECKING:
    from ..learning.model import Model
    from .own_clouds import OwnClouds

FORMS = "write it as STORE.zarr@A=10,t=0.02"
GIVE_IT = "give --init NAME, FILE.py:CLASS or a store; in Python init= a class"
#: ``law.py:Bumps``: a class in a file.
IN_A_FILE = re.compile(r"(.+\.py):([A-Za-z_]\w*)")


def resolve_cloud(source: object) -> object:
    """Resolve a store (a path or a run) or a file of a cloud to a `StoredCloud`; return anything else unchanged.

    ``STORE@NAME=VALUE,...`` selects a frame by swept parameters and ``t`` (default: the last snapshot). Raises
    `DataError` if the store is missing, damaged, or without a frame, and `ConfigError` unless exactly one case is
    selected or for an array.
    """
    if isinstance(source, Run):
        return _frame(source, {}, str(source.path))
    if isinstance(source, PathLike):
        source = Path(source).expanduser()
        return _own(source, str(source)) if is_own(source) else _frame(open_run(source), {}, str(source))
    if is_array(source) and not isinstance(source, str):  # text of NumPy's is text
        raise ConfigError(
            "an array is no initial cloud here", "save it with numpy.save, or use ksdp_cli.clouds(..., source=ARRAY)"
        )
    if not isinstance(source, str):
        return source
    path, at = place_and_frame(source)
    place = Path(path).expanduser()
    if not at and is_own(place):
        return _own(place, str(place))
    if place.suffix.lower() in IMAGES:
        raise ConfigError(f"{path} is an image, not an initial cloud", f"use --init density --grid {path}")
    is_path = path.rstrip("/").endswith(".zarr") or ("/" in path and ".py:" not in path) or _is_folder(path, place)
    if not (at or is_path):
        return source
    return _frame(open_run(place), _selection(at[1:]) if at else {}, str(place) + at)


def pose_problem(options: Mapping[str, object]) -> Problem:
    """Pose the problem of the ``options`` of `simulate`; initial cloud and chemical may lie in stores.

    Raises as `problem.pose`, and `DataError`.
    """
    return problem.pose(
        dict(options) | {"init": resolve_user_cloud(options.get("init")), "c0": chemical(options.get("c0"))}
    )


def chemical(source: object) -> object:
    """Return c of one frame of a store, named as for `resolve_cloud`, as the initial chemical; anything else unchanged.

    Raises `DataError` when the store is missing or damaged, `ConfigError` when it holds no c or more than one case
    there.
    """
    if isinstance(source, str) and (source in WORDS or source.startswith("gaussian:")):
        return source
    if not isinstance(source, (str, PathLike)):
        return source
    path, at = place_and_frame(fspath(source)) if not isinstance(source, Run) else (str(source.path), "")
    run = source if isinstance(source, Run) else open_run(Path(path).expanduser())
    selection = select(run, **(_selection(at[1:]) if at else {}))
    run = selection.run
    if len(selection.cases) != 1:
        raise ConfigError(
            f"{run.path} holds {len(selection.cases)} cases, and c0 is one", "name one, as run.zarr@eps=1,t=0.1"
        )
    case = selection.cases[0]
    c = run.field(case, selection.snapshots[-1])
    assert run.grid is not None  # or it has no field
    box = run.cases[case].get("box", run.simulation.chemistry_params.get("box", (0.0,))[0])
    return StoredField(path + at, run.grid.axes(), c, box if box == run.grid.side else 0.0)


def part_of(text: str | PathLike[str]) -> Run | None:
    """Return the cases and snapshots of a store that ``STORE@A=10,seed=3`` selects; None without such a selection.

    Raises as `open_run` and `select`.
    """
    path, at = place_and_frame(fspath(text))
    if not at or Path(text).expanduser().exists():
        return None
    run = open_run(path)
    selection = select(run, **_selection(at[1:]))
    return selection.run.part(selection.cases, selection.snapshots)


def resolve_user_cloud(source: object) -> object:
    """Resolve as `resolve_cloud`, and also ``FILE.py:CLASS`` to the class, which runs the file.

    Use it only for user input, never for a name from a store or a model. Also raises `ConfigError`.
    """
    match = IN_A_FILE.fullmatch(source) if isinstance(source, str) else None
    return own.of_file(Path(match[1]).expanduser(), match[2]) if match else resolve_cloud(source)


def initial_cloud(source: object, dim: int, values: Mapping[str, object] | None = None) -> tuple[str, InitialCloud]:
    """Name and instance of the initial cloud ``source`` in dimension ``dim``, with the ``values`` of its parameters.

    Raises `ConfigError` and `DataError`.
    """
    return components.initial_cloud(resolve_cloud(source), dim, values)


def second_moment_at_start(simulation: SimulateConfig) -> float | None:
    """Return E|X|^2 of the initial cloud [length^2] if its law gives it, or None."""
    try:
        _, law = components.initial_cloud(simulation.init, simulation.dim, simulation.init_params)
        says = getattr(law, "second_moment", None)
        return None if says is None else float(says(simulation.dim))
    except ConfigError:  # a store, or the law of a missing plugin
        return None


#: Particles of a user's law that go into a model, which cannot hold its code.
OF_A_LAW = 1 << 17
#: The seed of these particles.
LAW_SEED = 1_000_000_009


def of_model(model: Model) -> InitialCloud:
    """Return the initial cloud of a network; particle i of a seed is the same in every command.

    It is the law that the model names, or the particles in the model, as `Points`. Raises `ConfigError` and `DataError`
    for a missing law or store.
    """
    simulation = model.provenance["simulation"]
    name = str(simulation["init"])
    if model.source is not None:
        return Points(model.source, f"the initial cloud of this model ({Path(name).name})")
    _, cloud = initial_cloud(name, model.dim, simulation.get("init_params"))
    return Points(cloud.frame, name) if isinstance(cloud, StoredCloud) else cloud


def of_run(run: Run | OwnClouds, source: object = None) -> tuple[InitialCloud, NDArray[np.float32] | None]:
    """The initial cloud of a simulation, a `Run` or what is read like one, and the particles by which a model must
    carry it where its name says nothing.

    ``source`` is the cloud where the run names a class that this process does not know, or a store that has moved; it
    must be of that name. A store is looked for from here, and beside the run. Raises `ConfigError` and `DataError`.
    """
    name = str(run.config["init"])
    path, at = place_and_frame(name)
    is_stored = "origin" in run.attrs or path.endswith(".zarr")
    law = name if source is None else resolve_user_cloud(source)
    if source is None and is_stored and not Path(path).exists():
        beside = [place for place in (run.path.parent / path, run.path.parent / Path(path).name) if place.exists()]
        law = f"{beside[0]}{at}" if beside else name
    try:
        full, cloud = initial_cloud(law, run.dim, run.config.get("init_params"))
    except (ConfigError, DataError) as error:
        if source is not None:
            raise
        message = f"the initial cloud of {run.path} is {name}, which is not there: {error.message}"
        raise type(error)(message, GIVE_IT) from None
    same = is_stored or full.rpartition(":")[2] == name.rpartition(":")[2]
    if isinstance(cloud, StoredCloud) != is_stored or not same:
        raise ConfigError(f"{run.path} started from {name}, not from {full}", "give the initial cloud of the run")
    if isinstance(cloud, StoredCloud):
        _require_its_particles(run, cloud, name, full)
        if run.kind == "clouds":  # particle i of a cloud has nothing to do with particle i of its source
            return Points(cloud.frame, name), sub_sample(cloud.frame)
        return cloud, sub_sample(cloud.frame)
    if source is None and own.known("initial cloud", name) is not None:
        digest = run.attrs.get("contents", {}).get(name)
        if contents(cloud) not in (None, digest):
            raise ConfigError(f"{run.path} started from another {name} than the one that was handed over last", GIVE_IT)
    is_shipped = any(entry.long_name == full for entry in plugins.registry().entries)
    return cloud, None if is_shipped and not hasattr(cloud, "digest") else cloud.draw(OF_A_LAW, run.dim, LAW_SEED)


def _require_its_particles(run: Run | OwnClouds, cloud: StoredCloud, name: str, source: str) -> None:
    """Raise `ConfigError` unless ``run`` started from the particles of ``cloud``, as far as it says so."""
    if cloud.count < run.J and run.kind != "clouds":
        message = f"{run.path} started with {run.J} particles of {name}, and {source} has {cloud.count}"
    elif "origin" in run.attrs and run.attrs["origin"]["sha256"] != cloud.digest:
        message = f"{run.path} started from {name}, and {source} holds other particles now"
    else:
        return
    raise ConfigError(message, "give the store that it started from")


def sub_sample(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``rows`` (K, d), or `LARGEST_SOURCE` random ones if there are more."""
    from ..learning.model import LARGEST_SOURCE

    if len(rows) <= LARGEST_SOURCE:
        return rows
    return rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:LARGEST_SOURCE])]


def place_and_frame(name: str) -> tuple[str, str]:
    """Split ``s.zarr@A=10,t=0.02`` into ``s.zarr`` and ``@A=10,t=0.02``."""
    path, at, values = name.rpartition("@")
    return (path, at + values) if at and "=" in values else (name, "")


def _is_folder(name: str, place: Path) -> bool:
    """Whether a plain word is the folder of a store and not the name of a law."""
    laws = plugins.registry().of_kind("initial cloud")
    return not any(name in (law.name, law.long_name) for law in laws) and (place / "zarr.json").is_file()


def _selection(text: str) -> dict[str, str]:
    """Parse ``A=10,t=0.02`` into values by name; in ``A=1,10,t=0.02`` A has two."""
    pairs = [part.partition("=") for part in re.split(r",(?=[^,]*=)", text)]
    values = {name.strip(): value.strip() for name, _, value in pairs}
    if len(values) < len(pairs) or not all(name and value for name, value in values.items()):
        raise ConfigError(f"@{text} does not select a frame", FORMS)
    return values


def _own(place: Path, name: str) -> StoredCloud:
    """Read the user's cloud from a file, as float32, or float64 if it lies so far away that float32 would round it."""
    cloud = read_cloud(place)
    with np.errstate(over="ignore", invalid="ignore"):
        x: Cloud = cloud.astype(np.float32)
        if np.abs(cloud).max() > FAR * np.ptp(cloud, axis=0).max() > 0:
            x = cloud.astype(np.float64)
    if not (np.abs(x) < np.finfo(np.float32).max).all():
        raise DataError(f"{place} has positions that float32 cannot hold", "give finite numbers below 3e38")
    return StoredCloud(name, len(x), x.shape[1], lambda: x)


def _frame(run: Run, at: dict[str, str], name: str) -> StoredCloud:
    selection = select(run, **at)
    run = selection.run
    if len(selection.cases) != 1:
        raise DataError(
            f"{run.path} holds {len(selection.cases)} cases{' there' if at else ''}, and an initial cloud is one frame",
            f"name one, as --init {run.path}@" + ",".join(f"{n}={number_text(v)}" for n, v in run.cases[0].items()),
        )
    case, k = selection.cases[0], selection.snapshots[-1]
    before = run.attrs.get("origin")
    generation = before.get("generation") if isinstance(before, dict) else None
    return StoredCloud(
        name,
        run.J,
        run.dim,
        lambda: run.frame(case, k),
        float(run.times[k]),
        1 + generation if isinstance(generation, int) else 1,
    )
