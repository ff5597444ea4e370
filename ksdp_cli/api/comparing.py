"""compare: exact Wasserstein and other distances between two clouds, each with its noise floor."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .. import executors
from ..base.bars import progress_bar
from ..base.listener import Listener, Progress, Say
from ..base.parsing import sweep
from ..base.shapes import Cloud
from ..base.spelling import nearest
from ..config import CompareConfig, build
from ..errors import ConfigError
from ..learning.model import Model
from ..metrics import Distance, Profile, announce, approximation, compare_clouds, moments
from ..metrics.ensembles import moments_of_runs
from ..metrics.sizes import LARGEST_N
from ..metrics.solving import Solver, solve_by_threads
from ..particles.components import load
from ..store import Run
from .choosing import HALVES, SIMULATE, Choice, Source, choose
from .comparison import Compared, ProfileRows, ways_to_decide
from .ensembles import Ensembles
from .options import Number
from .pair_workers import PairWorkers
from .references import differences, open_subject, store

__all__ = ["Compared", "compare", "compare_each"]

#: A note on quiet clouds of one seed each.
QUIET = (
    "standard errors and intervals assume independent particles. For --sampling quiet they are too wide, most of all "
    "for moments; several seeds give true ones"
)
#: A note on clouds with heavy particles.
MERGED = (
    "standard errors and intervals assume independent particles. With a heavy particle of --merge delta they are too "
    "narrow; several seeds give true ones"
)
#: The metric that the estimator is for, whose result is a `Comparison`.
EXACT = "w2"


def compare(
    cloud: str | PathLike[str] | Model | Cloud,
    reference: str | PathLike[str] | Cloud | None = None,
    *,
    floor: str | PathLike[str] | Cloud | None = None,
    N: Number | None = None,
    repeats: Number | None = None,
    estimator: Literal["certified", "emd"] | None = None,
    metrics: str | Sequence[str] | None = None,
    seed: Number | None = None,
    device: str | None = None,
    workers: int | None = None,
    executor: str | None = None,
    progress: Progress | bool | None = None,
    tell: Say | None = None,
    **at: Number,
) -> Compared:
    """Compare a cloud with a reference: exact W2 on equal sub-samples, its noise floor, moments, and a verdict.

    ``cloud`` is a store, a model or an array (N, d). ``reference`` is a store, an array, or ``"simulate"`` (default for
    a model): a new simulation of the cloud's configuration, and another for the floor, kept in ``./runs`` and used
    again. ``floor`` is a second, independent reference: a store, ``"simulate"``, or ``"halves"`` of the first, which
    does not include the difference between runs. By default a second run is simulated if the reference is a simulation
    and that takes at most 3 s; else halves are used. Two arrays of equal size, up to 10^4 particles, are compared
    whole, without a floor, unless ``floor``, ``N`` or ``repeats`` is given. ``at`` selects the case and snapshot of
    every store (``A=50, t=0.02``) and the parameters of a model; a store may also be given as ``s.zarr@A=50,seed=3``.
    If a store has several seeds, all are used: the distance is the mean over all pairs of runs, the floor the mean over
    all pairs of the reference, and intervals are Student's t over seeds. ``metrics`` names registered metrics: by
    default ``w2, sliced, radial``; also ``binned``, ``bound`` and those of plugins. ``seed`` is the seed of the
    sub-samples; select runs as ``s.zarr@seed=3``. ``tell`` receives sentences on cost and sub-sampling before the work.

    Pairs of clouds, sub-samples and seeds are compared in parallel, by the threads of this process, or by ``workers``
    processes or an ``executor`` (see `simulate`) if they take more than 2 s; the numbers are the same.

    Raises `ConfigError` for an unknown case, `DataError` for clouds that cannot be compared.
    """
    for name, value in at.items():
        if len(_sweep(name, value)) > 1:
            raise ConfigError(f"{name} has several values, {value}", "give one, or call compare_each")
    own: dict[str, Any] = {
        "N": N,
        "repeats": repeats,
        "estimator": estimator,
        "metrics": metrics,
        "seed": seed,
        "device": device,
    }
    where: dict[str, Any] = {"workers": workers, "executor": executor, "progress": progress}
    return compare_each(cloud, reference, floor=floor, tell=tell, **where, **own | at)[0]


def compare_each(
    cloud: str | PathLike[str] | Model | Cloud,
    reference: str | PathLike[str] | Cloud | None = None,
    *,
    floor: str | PathLike[str] | Cloud | None = None,
    workers: int | None = None,
    executor: str | None = None,
    progress: Progress | bool | None = None,
    tell: Say | None = None,
    **options: object,
) -> list[Compared]:
    """`compare` at every combination of the parameters given by name, each a number or a sweep (``A="50,130"``)."""
    if workers is not None and workers < 1:
        raise ConfigError(f"workers = {workers}", "use 1 or more")
    config = build(CompareConfig, {name: options.pop(name, None) for name in CompareConfig.model_fields})
    metrics = {name: _metric(name) for name in config.metrics}
    distances = any(issubclass(metric, Distance) for metric in metrics.values())
    grid = {name: _sweep(name, value) for name, value in options.items()}
    subject = open_subject(cloud)
    name = _name(cloud, "model" if isinstance(subject, Model) else "cloud")
    notes: set[str] = set()

    def once(note: str) -> None:
        if tell and note not in notes:
            notes.add(note)
            tell(note)

    if reference is None and isinstance(subject, Model):
        reference = SIMULATE
    if reference is None:
        kind = "a store" if isinstance(subject, Run) else "an array"
        raise ConfigError(
            f"{name} is {kind} and there is no reference",
            f"give a second {kind.split()[-1]}, or --reference simulate",
        )
    simulates = isinstance(reference, str) and reference == SIMULATE
    if simulates and floor is None:
        floor = SIMULATE
    first: Source = SIMULATE if simulates else store(reference)
    second: Source | None = None
    names = name, _name(reference, "reference"), _name(floor, "second reference")
    if floor is not None:
        makes_floor = isinstance(floor, str) and floor in (SIMULATE, HALVES)
        second = str(floor) if makes_floor else store(floor, "second reference")
    points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    whole = _uses_all_particles(subject, first, floor, config)
    with ExitStack() as open_ones:
        bar = open_ones.enter_context(progress_bar(progress))
        solver: Solver = solve_by_threads
        if executor is not None or (workers or 1) > 1:
            pool = PairWorkers(executor or executors.DEFAULT, workers, Listener(bar))
            solver = open_ones.enter_context(pool)
        settings = metrics, bar, once, whole, solver
        return [
            _compare_clouds(choose(subject, names, (first, second), at, config, distances, bar), config, *settings)
            for at in points
        ]


def _name(source: object, kind: str) -> str:
    """Return the path of ``source``, or ``kind`` for an array or a model."""
    if isinstance(source, Run):
        return str(source.path)
    return str(Path(source)) if isinstance(source, (str, PathLike)) else kind


def _metric(name: str) -> type[Distance] | type[Profile]:
    """Load a registered metric. Raises `ConfigError` if it is neither a `Distance` nor a `Profile`."""
    _, cls = load("metric", name)
    if not (isinstance(cls, type) and issubclass(cls, (Distance, Profile))):
        raise ConfigError(f"metric {name!r} is not a Distance or a Profile", "derive it from one of ksdp_cli.metrics")
    return cls


def _uses_all_particles(cloud: Run | Model | Cloud, reference: Source, floor: object, config: CompareConfig) -> bool:
    """Whether two arrays of equal size are compared with all their particles.

    They may be two states of the same particles, which have no sampling noise; a sub-sample would add it.
    """
    if isinstance(cloud, (Run, Model)) or isinstance(reference, (Run, str)):
        return False
    by_hand = floor is not None or config.N is not None or config.repeats is not None
    return not by_hand and len(cloud) == len(reference) <= LARGEST_N


def _sweep(name: str, value: object) -> tuple[float, ...]:
    """Parse the value of an option that may be a parameter, or a misspelt option."""
    try:
        return sweep(value)
    except ConfigError as error:
        options = [*CompareConfig.model_fields, "reference", "floor"]
        close = nearest(name, options)
        raise ConfigError(f"{name}: {error.message}", f"did you mean --{close}?" if close else error.hint) from None


def _compare_clouds(
    choice: Choice,
    config: CompareConfig,
    metrics: dict[str, type[Distance] | type[Profile]],
    progress: Progress | None,
    tell: Callable[[str], None],
    whole: bool,
    solver: Solver,
) -> Compared:
    a, references, notes = choice.clouds[0], choice.references, choice.notes
    b, second = references[0], references[1].cloud if len(references) > 1 else None
    notes += differences(a, b)
    if len(references) > 1:
        notes += differences(b, references[1], ("reference", "second reference"))
    if not choice.many and any(one.quiet for one in (a, *references)):
        notes.append(QUIET)
    if not choice.many and any(one.merged for one in (a, *references)):
        notes.append(MERGED)
    if choice.many:
        return _of_ensembles(choice, config, metrics, progress, tell, solver)
    if a.cloud.shape == b.cloud.shape and np.array_equal(a.cloud, b.cloud):
        notes.append("the cloud and the reference are the same particles")
    own: dict[str, Any] = {"seed": config.seed}
    if whole:
        own |= {"n": len(a.cloud), "repeats": 1}
        notes.append(
            f"the two clouds of {len(a.cloud)} particles are compared whole; --floor halves adds a noise floor"
        )
    of_exact = {"n": config.N, "repeats": config.repeats} | own | {"estimator": config.estimator}
    clouds = a.cloud, b.cloud, second
    distances = {
        name: metric(*clouds, **(of_exact if name == EXACT else own))
        for name, metric in metrics.items()
        if issubclass(metric, Distance)
    }
    notes += announce(distances.values())
    for note in notes:
        tell(note)

    def count(done: int, total: int) -> None:
        if progress:
            progress("exact distances", done, total)

    exact = compare_clouds(*clouds, **of_exact, progress=count, solver=solver) if EXACT in distances else None
    others = [approximation(name, distance, solver) for name, distance in distances.items() if name != EXACT]
    profiles = _profiles(metrics, [a.cloud], [b.cloud])
    both = (exact.cloud, exact.reference) if exact else (moments(a.cloud), moments(b.cloud))
    other = references[1].name if len(references) > 1 else None
    ways = ways_to_decide(exact, choice.clouds, choice.references, choice.many)
    return Compared(a.name, b.name, other, choice.at, exact, others, profiles, *both, b.law(), notes, ways)


def _of_ensembles(
    choice: Choice,
    config: CompareConfig,
    metrics: dict[str, type[Distance] | type[Profile]],
    progress: Progress | None,
    tell: Callable[[str], None],
    solver: Solver,
) -> Compared:
    """Compare all runs with all runs."""
    a, b = choice.clouds[0], choice.references[0]
    clouds, references = ([one.cloud for one in every] for every in (choice.clouds, choice.references))
    ensembles = Ensembles(clouds, references, config, solver)
    distances = {name: metric for name, metric in metrics.items() if issubclass(metric, Distance)}
    notes = choice.notes + ensembles.announce(list(distances.values()))
    for note in notes:
        tell(note)
    exact = ensembles.exact(distances[EXACT], progress) if EXACT in distances else None
    others = [ensembles.approximation(name, metric, progress) for name, metric in distances.items() if name != EXACT]
    profiles = _profiles(metrics, clouds, references)
    both = moments_of_runs(clouds), moments_of_runs(references)
    names = {one.name: None for one in choice.references}
    other = list(names)[1] if len(names) > 1 else None
    ways = ways_to_decide(exact, choice.clouds, choice.references, choice.many)
    return Compared(a.name, b.name, other, choice.at, exact, others, profiles, *both, b.law(), notes, ways)


def _profiles(
    metrics: dict[str, type[Distance] | type[Profile]], clouds: Sequence[Cloud], references: Sequence[Cloud]
) -> dict[str, ProfileRows]:
    return {
        name: ProfileRows(metric.title, metric.columns, metric().rows_of_runs(clouds, references))
        for name, metric in metrics.items()
        if issubclass(metric, Profile)
    }
