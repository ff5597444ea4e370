"""The clouds of a comparison: frames of stores, particles of a model, new reference runs."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, TypeVar

import numpy as np

from .. import provenance
from ..base import grids
from ..base import parsing as numbers
from ..base.files import JsonDict
from ..base.listener import Progress, discard
from ..base.shapes import Cloud
from ..config import PHYSICAL_UNITS
from ..errors import Busy, ConfigError, DataError, NumericalError, ResourceError
from ..exact.second_moment import second_moment_law
from ..initial.points import Points
from ..learning.model import Model
from ..store import Run, open_run
from ..store.selection import component_parameters, constant_value, end_of, simulation_of, start_of
from . import paths
from .clouds import of_model, part_of, second_moment_at_start
from .generator import Generator
from .own_files import is_array, is_dataset, is_own, own_cloud, read_cloud
from .simulating import simulate

Value = TypeVar("Value")

#: Reference runs use seeds from here on, far from the small seeds of training data.
REFERENCE_SEED = 1_000_003
#: Most seconds for a second reference by default, and the most that its particles may be divided by to reach that.
AFFORDABLE, THINNEST = 3.0, 4
#: Seconds between two polls of a run that another process writes.
WAIT_SECONDS = 0.2
#: Part of the rows that makes a heavy particle worth a note.
HEAVY = 0.01


@dataclass(frozen=True)
class ComparedCloud:
    """A cloud with its name, the parameters of its case, its time, and the configuration of its simulation.

    ``seed`` and ``stream`` belong to its initial particles. ``simulated``: its particles have interacted, unlike those
    of a network.
    """

    name: str
    cloud: Cloud
    case: dict[str, float]
    t: float
    simulation: dict[str, Any] = field(repr=False)
    seed: int | None
    stream: int
    simulated: bool

    def numbers(self) -> dict[str, float]:
        """Return the time and every physical parameter with one value, without the seed."""
        names = [*PHYSICAL_UNITS, *component_parameters(self.simulation)]
        values = {name: constant_value(self.simulation, name) for name in names}
        time = {} if math.isnan(self.t) else {"t": self.t}
        case = {name: value for name, value in self.case.items() if name != grids.SEED}
        return {name: value for name, value in values.items() if value is not None} | case | time

    @property
    def quiet(self) -> bool:
        """Whether it is of a run with ``--sampling quiet``."""
        return self.simulation.get("sampling") == "quiet"

    @property
    def merged(self) -> bool:
        """Whether a heavy particle of ``--merge delta`` holds `HEAVY` of its rows."""
        if self.simulation.get("merge") != "delta":
            return False
        _, counts = np.unique(self.cloud[:, 0], return_counts=True)
        return bool(counts.max() >= HEAVY * len(self.cloud))

    def parameters(self) -> dict[str, float | str]:
        """Return `numbers`, and the names of flow, kernel, chemistry and initial cloud."""
        known = {"chemistry": "elliptic"} | self.simulation if "flow" in self.simulation else self.simulation
        names = [name for name in ("flow", "kernel", "chemistry", "init") if name in known]
        components = {name: provenance.short(str(known[name])) for name in names}
        return self.numbers() | components | {n: str(v) for n, v in self.simulation.get("init_params", {}).items()}

    def law(self) -> float | None:
        """Return E|x|^2 by equation (6), or None if the law, its start or the simulation is unknown."""
        try:
            config = provenance.simulation(self.simulation, self.name)
        except DataError:
            return None
        law = second_moment_law(config, config.J, self.case, second_moment_at_start(config))
        return None if law is None or law(self.t) < 0 else law(self.t)


def open_subject(source: object, name: str = "cloud") -> Run | Model | Cloud:
    """Open a store or a model by path or name, or read a cloud (N, d). Raises `DataError`."""
    if isinstance(source, (Run, Model)):
        return source
    if is_array(source) and not is_dataset(source):
        return own_cloud(source, f"the {name}")
    if not isinstance(source, (str, PathLike)):
        raise DataError(f"a {type(source).__name__} is not a cloud", "give a path, a run, a model or an array (N, d)")
    if (part := part_of(source)) is not None:
        return part
    path = paths.existing(source)
    if is_own(path):
        return read_cloud(path)
    return Model.load(path) if path.is_file() else open_run(path)


def store(source: object, name: str = "reference") -> Run | Cloud:
    """Open a store or a cloud (N, d). Raises `ConfigError` for a model."""
    subject = open_subject(source, name)
    if isinstance(subject, Model):
        raise ConfigError(f"the reference {source} is a model", "give a store as the reference")
    return subject


def alone(cloud: Cloud, name: str) -> ComparedCloud:
    """Wrap the caller's own cloud, without parameters."""
    return ComparedCloud(name, cloud, {}, math.nan, {}, None, 0, False)


def frame(run: Run, at: dict[str, float], hints: dict[str, float] | None = None) -> ComparedCloud:
    """Return the cloud of a store at the values ``at``; a constant parameter must equal its value in the store.

    ``hints`` are values of the other cloud, used for parameters that are not in ``at`` if the store has them. Raises
    `ConfigError` that lists the values in the store.
    """
    varying, simulation = set(run.cases[0]), simulation_of(run)
    simulation = simulation if run.kind == "simulation" else independent(simulation)
    selection = dict(at)
    for name in [name for name in selection if name not in varying | {"t"}]:
        fixed = constant_value(simulation, name)
        if fixed is None:
            raise ConfigError(f"{run.path} has no parameter {name!r}", f"it varies: {', '.join(varying) or 'nothing'}")
        if not np.isclose(fixed, selection[name], rtol=1e-9):
            raise ConfigError(f"{run.path} was made with {name} = {fixed:g}, not {selection[name]:g}", f"drop --{name}")
        del selection[name]
    for name, value in (hints or {}).items():
        there = run.times if name == "t" else [case.get(name, np.nan) for case in run.cases]
        if name not in at and np.isclose(there, value, rtol=1e-9, atol=1e-12).any():
            selection[name] = value
    case, k = run.find(**{name: value for name, value in selection.items() if name in varying | {"t"}})
    together = run.kind == "simulation" or bool(run.attrs.get("beyond"))
    identity = *run.address(case), together
    return ComparedCloud(str(run.path), run.frame(case, k), run.cases[case], float(run.times[k]), simulation, *identity)


def evaluate(network: Model, name: str, values: dict[str, float], n: int, device: str, seed: int) -> ComparedCloud:
    """Generate ``n`` new particles of a model at ``values``."""
    simulation, own_seed = independent(network.provenance["simulation"]), REFERENCE_SEED + 100 + seed
    cloud = Generator(network, device).cloud(n, values, own_seed)
    case = {parameter: value for parameter, value in values.items() if parameter != "t"}
    return ComparedCloud(name, cloud, case, float(values.get("t", end_of(simulation))), simulation, own_seed, 0, False)


def independent(simulation: dict[str, Value]) -> dict[str, Value]:
    """Return the configuration without ``sampling``: particles of a network are independent, as by its default."""
    return {name: value for name, value in simulation.items() if name != "sampling"}


def of_its_source(network: Model, b: ComparedCloud) -> list[str]:
    """Return notes on the stored initial cloud of a network that is compared with the frame ``b``."""
    cloud = of_model(network)
    if not isinstance(cloud, Points):
        return []
    notes = cloud.doubts(len(b.cloud))
    if b.simulated and b.simulation.get("init") == network.provenance["simulation"]["init"]:
        notes.append(f"the network and the reference start from the same {cloud.count} points: {b.simulation['init']}")
    return notes


def fresh_run(
    simulation: JsonDict,
    values: dict[str, float],
    seed: int,
    number: int,
    progress: Progress | None,
    *,
    used_seeds: Collection[int | None] = (),
    J: int | None = None,
) -> Run:
    """Return reference simulation ``number`` (0 or 1) at ``values``, independent of the other; reuse it in ``./runs``.

    Its seed is not in ``used_seeds``; ``J`` defaults to that of ``simulation``.
    """
    own = next(s for s in itertools.count(REFERENCE_SEED + 2 * seed + number, 2) if s not in used_seeds)
    options = reference_options(simulation, values) | {"seed": own} | ({"J": J} if J else {})
    if simulation.get("sampling") == "quiet":  # the default would rename the runs from before this option
        options["sampling"] = "quiet"
    name = provenance.digest({key: str(value) for key, value in options.items()})[:10]
    while True:
        try:
            place = paths.RUNS / f"reference-{name}.zarr"
            return simulate(out=place, resume=True, progress=progress, warn=discard, **options)
        except Busy as busy:  # another comparison is writing this run: wait and use it
            if progress:
                progress("waiting", 0, 1, busy.message)
            time.sleep(WAIT_SECONDS)


def second_run(
    run: Run, b: ComparedCloud, most: int, least: int, make: Callable[[int], ComparedCloud]
) -> tuple[ComparedCloud | None, str | None]:
    """Make a second reference like the frame ``b`` of ``run`` by ``make(particles)``; return it and a note.

    Uses up to ``most`` particles, fewer (at least ``least``) if the run would exceed `AFFORDABLE` seconds by the stored
    timing. Returns (None, None) if the reference particles are independent, and (None, reason) if a second run cannot
    be made.
    """
    since = b.t - start_of(b.simulation)
    if not b.simulated or since == 0:
        return None, None
    if "origin" in run.attrs or str(b.simulation["init"]).endswith(".zarr"):
        return None, _without("its initial particles are those of a store")
    seconds, steps = run.attrs.get("seconds"), run.attrs.get("steps")
    if not (isinstance(seconds, (int, float)) and isinstance(steps, int) and steps):
        return None, _without("it does not say how long it took")
    each = (
        seconds / steps / run.J * since / float(b.simulation["dt"])
    )  # the direct sum takes less, with fewer particles
    size = min(run.J, most)
    sizes = [n for n in (size, size // 2, size // THINNEST) if each * n <= AFFORDABLE and n >= least]
    if not sizes:
        return None, _without(f"a second simulation takes about {each * size:.0f} s; --floor simulate makes it")
    try:
        second = make(sizes[0])
    except (ConfigError, DataError, NumericalError, ResourceError) as error:
        return None, _without(f"a second simulation was not possible: {error.message}")
    return second, f"a second reference was simulated for the floor, J = {sizes[0]}, seed {second.seed}: {second.name}"


def _without(reason: str) -> str:
    return f"the floor is between two halves of the reference, without the difference between runs: {reason}"


def reference_options(simulation: JsonDict, values: dict[str, float]) -> JsonDict:
    """Return the options of `simulate` for the reference of a network at one value of its parameters.

    Its particles are independent, like those of the network, also if those that it learned were quiet.
    """
    try:
        config = provenance.simulation(simulation, "the stored configuration")
    except DataError as error:
        raise DataError(f"it cannot be simulated again: {error.message}", "name a reference") from None
    own = {"flow_params", "kernel_params", "chemistry_params", "seed", "zip", "snapshots", "T", "device", "sampling"}
    options = config.model_dump(exclude=own)
    options |= config.flow_params | config.kernel_params | config.chemistry_params
    options |= {name: value for name, value in values.items() if name not in ("t", grids.SEED)}
    if options.get("merge") == "stop":
        options["merge"] = "none"  # the same run until it collapses, which with this seed may be earlier
    if "t" in values and values["t"] < config.t0:
        raise ConfigError(
            f"t = {values['t']:g} lies before t0 = {config.t0:g}, where its simulations start", "raise --t"
        )
    return options | {"T": numbers.tidy(values["t"] - config.t0) if "t" in values else config.T}


def differences(
    first: ComparedCloud, other: ComparedCloud, names: tuple[str, str] = ("cloud", "reference")
) -> list[str]:
    """Return a sentence for each parameter or time in which two clouds differ, and for a quiet one beside another."""
    a, b = first.parameters(), other.parameters()
    notes = []
    for name in [name for name in a if name in b]:
        x, y = a[name], b[name]
        if isinstance(x, str) or isinstance(y, str):
            same = x == y
        else:
            same, x, y = bool(np.isclose(x, y, rtol=1e-9, atol=1e-12)), f"{x:g}", f"{y:g}"
        if not same:
            notes.append(f"the {names[0]} is at {name} = {x}, the {names[1]} at {name} = {y}")
    if first.quiet != other.quiet:
        quiet, random = names if first.quiet else names[::-1]
        notes.append(
            f"the {quiet} is of --sampling quiet, the {random} not: they scatter differently, which the excess contains"
        )
    return notes
