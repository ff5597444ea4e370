"""compare: two clouds by exact Wasserstein distance, with the noise floor of the reference beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import device as devices
from .. import provenance
from ..config import CompareConfig, SimulateConfig, build
from ..errors import ConfigError
from ..metrics import Comparison, compare_clouds
from ..numbers import number
from ..shapes import Cloud
from ..store import Run, open_run
from ..transport.model import Model
from . import paths
from .clouds import initial_cloud
from .sampling import complete_eta
from .simulating import simulate

#: Fresh reference runs take seeds from here on, far from the small seeds that people train with.
REFERENCE_SEED = 1_000_003


@dataclass(frozen=True)
class Compared:
    """A comparison with the names of what was compared."""

    cloud: str
    reference: str
    parameters: dict[str, float]
    comparison: Comparison

    def as_dict(self) -> dict[str, Any]:
        own = {"cloud": self.cloud, "reference": self.reference, "parameters": self.parameters}
        return own | self.comparison.as_dict()

    def tables(self) -> list[tuple[str, Sequence[str], Sequence[Sequence[Any]]]]:
        """Distances, then moments, as (title, columns, rows)."""
        at = ", ".join(f"{name} = {value:g}" for name, value in self.parameters.items())
        title = f"{self.cloud} against {self.reference}" + (f" at {at}" if at else "")
        return self.comparison.tables(title)


def compare(
    cloud: str | Path | Run | Model,
    reference: str | Path | Run | None = None,
    *,
    floor: str | Path | Run | None = None,
    N: Any = None,
    repeats: Any = None,
    estimator: str | None = None,
    seed: Any = None,
    device: str | None = None,
    progress: Callable[..., None] | None = None,
    **at: Any,
) -> Compared:
    """Compare a cloud with a reference: exact W2 on equal sub-samples, its noise floor, moments, and a verdict.

    ``cloud`` is a store or a model, ``reference`` a store. Without one a model is compared with two fresh simulations
    of its own configuration, which are kept in ``./runs`` and found again; the floor is then the distance between
    those two. ``floor`` is a second, independent reference. ``at`` picks the case and snapshot of a store
    (``A=50, t=0.02``) and is where a model is evaluated.

    Raises `ConfigError` for a case that a store lacks, `DataError` for clouds that cannot be compared.
    """
    config = build(CompareConfig, {"N": N, "repeats": repeats, "estimator": estimator, "seed": seed, "device": device})
    values = {name: number(value) for name, value in at.items()}
    subject = _open(cloud)
    if isinstance(subject, Model):
        values = complete_eta(subject, values)
        label = cloud.name if isinstance(cloud, Path) else (str(cloud) if isinstance(cloud, str) else "model")
        if reference is None:
            pair = _fresh_pair(subject, values, config.seed, progress)
            names = f"fresh simulation {pair[0].path}"
            points = [_frame(run, values) for run in pair]
        else:
            run = _store(reference)
            names, points = str(run.path), [_frame(run, values)]
        a = _evaluate(subject, values, len(points[0]), config)
    else:
        if reference is None:
            raise ConfigError(f"{subject.path} is a store and there is no reference", "name a second store")
        run = _store(reference)
        label, names = str(subject.path), str(run.path)
        a, points = _frame(subject, values), [_frame(run, values)]
        values = values or dict(subject.cases[0] if subject.kind == "samples" else {})
    if floor is not None:
        points.append(_frame(_store(floor), {} if reference is not None else values))
    comparison = compare_clouds(
        a,
        points[0],
        points[1] if len(points) > 1 else None,
        n=config.N,
        repeats=config.repeats,
        seed=config.seed,
        estimator=config.estimator,
    )
    return Compared(label, names, values, comparison)


def _open(given: str | Path | Run | Model) -> Run | Model:
    if isinstance(given, (Run, Model)):
        return given
    path = paths.found(given)
    return Model.load(path) if path.is_file() else open_run(path)


def _store(given: str | Path | Run) -> Run:
    found = _open(given)
    if isinstance(found, Model):
        raise ConfigError(f"the reference {given} is a model", "give a store as the reference")
    return found


def _frame(run: Run, values: dict[str, float]) -> Cloud:
    """The cloud of a store at ``values``; parameters that the store does not vary must agree with its configuration."""
    wanted = dict(values)
    t = wanted.pop("t", None)
    varied = set(run.cases[0])
    for name in [name for name in wanted if name not in varied]:
        fixed = _fixed(run, name)
        if fixed is not None and not np.isclose(fixed, wanted[name], rtol=1e-9):
            raise ConfigError(f"{run.path} was made with {name} = {fixed:g}, not {wanted[name]:g}", f"drop --{name}")
        if fixed is None:
            raise ConfigError(f"{run.path} has no parameter {name!r}", f"it varies: {', '.join(varied) or 'nothing'}")
        del wanted[name]
    case, k = run.find(t=t, **wanted)
    return run.frame(case, k)


def _fixed(run: Run, name: str) -> float | None:
    """The one value that a parameter has throughout a store, or None."""
    config = run.config if run.kind == "simulation" else run.attrs.get("simulation", {})
    everything = {**config, **config.get("flow_params", {}), **config.get("kernel_params", {})}
    value = everything.get(name)
    if isinstance(value, (list, tuple)):
        return float(value[0]) if len(value) == 1 else None
    return float(value) if isinstance(value, (int, float)) else None


def _evaluate(network: Model, values: dict[str, float], n: int, config: CompareConfig) -> Cloud:
    _, initial = initial_cloud(str(network.provenance["simulation"]["init"]), network.dim)
    x = initial.draw(n, network.dim, REFERENCE_SEED + 100 + config.seed)
    point = np.array([values[name] for name in network.eta_map.names])
    return network.push(x, point, device=devices.choose(config.device))


def _fresh_pair(network: Model, values: dict[str, float], seed: int, progress: Callable[..., None] | None) -> list[Run]:
    """Two independent simulations at ``values`` of the configuration that the network learned."""
    options = reference_options(network.provenance["simulation"], values)
    runs = []
    for number_of_run in range(2):
        given = options | {"seed": REFERENCE_SEED + 2 * seed + number_of_run}
        name = provenance.digest({key: str(value) for key, value in given.items()})[:10]
        out = paths.RUNS / f"reference-{name}.zarr"
        runs.append(simulate(out=out, resume=True, progress=progress, **given))
    return runs


def reference_options(simulation: dict[str, Any], values: dict[str, float]) -> dict[str, Any]:
    """The options of `simulate` that make the reference of a network at one point of its parameters."""
    stored = SimulateConfig.model_validate(simulation)
    options = stored.model_dump(exclude={"flow_params", "kernel_params", "seed", "snapshots", "T", "device"})
    options |= stored.flow_params | stored.kernel_params
    options |= {name: value for name, value in values.items() if name != "t"}
    return options | {"T": values.get("t", stored.T)}
