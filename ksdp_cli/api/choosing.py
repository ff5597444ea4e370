"""Choose the clouds of a comparison: all seeds of the cloud and of the reference, and a second reference."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..base.grids import SEED
from ..base.listener import Progress
from ..base.shapes import Cloud
from ..config import CompareConfig
from ..errors import ConfigError
from ..learning.model import Model
from ..metrics.sizes import LARGEST_N, MOST_REPEATS
from ..metrics.wasserstein import require_references
from ..store import Run
from .ensembles import frames, notes_of, require_no_floor, split_cloud
from .references import ComparedCloud, alone, evaluate, frame, fresh_run, independent, of_its_source, second_run

#: Values of an option: simulate this reference; cut the second reference from the first.
SIMULATE, HALVES = "simulate", "halves"
#: Particles to compare with, or a word for those that are to be made.
Source = Run | Cloud | str


@dataclass(frozen=True)
class Choice:
    """The clouds to compare: one with one or two references, or, if ``many``, all with all."""

    clouds: list[ComparedCloud]
    references: list[ComparedCloud]
    at: dict[str, float]
    notes: list[str]
    many: bool


def choose(
    subject: Run | Model | Cloud,
    names: tuple[str, str, str],
    sources: tuple[Source, Source | None],
    values: dict[str, float],
    config: CompareConfig,
    with_floor: bool,
    progress: Progress | None,
) -> Choice:
    """Return the cloud, one or two references (all seeds of each), the parameters, and notes."""
    (first, second), (name, *others) = sources, names
    if isinstance(subject, Model):
        at = selection = subject.complete(values)
        hints, simulation, place = {}, independent(subject.provenance["simulation"]), at
    else:
        clouds, selection = frames(subject, values) if isinstance(subject, Run) else [alone(subject, name)], values
        a = clouds[0]
        if values and not any(isinstance(one, Run) for one in (subject, first, second)):
            raise ConfigError(f"an array has no parameter {next(iter(values))!r}", "leave it out")
        own = {name: value for name, value in a.case.items() if name != SEED or len(clouds) == 1}
        at, hints, simulation, place = values | own, a.numbers(), a.simulation, a.case | {"t": a.t}

    def new_reference(number: int, used_seeds: Collection[int | None] = (), J: int | None = None) -> ComparedCloud:
        if "flow" not in simulation:
            raise ConfigError(f"{name} does not say how it was simulated", "give a store or an array as the reference")
        run = fresh_run(simulation, place, config.seed, number, progress, used_seeds=used_seeds, J=J)
        return frame(run, selection, hints)

    def of(source: Source, what: str, number: int) -> list[ComparedCloud]:
        if isinstance(source, Run):
            return frames(source, selection, hints)
        return [new_reference(number) if isinstance(source, str) else alone(source, what)]

    references = of(first, others[0], 0)
    require_no_floor(second, references)
    b = references[0]
    simulation, place = b.simulation, b.case | {"t": b.t}  # of a second one to be simulated
    if isinstance(subject, Model):
        count = len(references)
        a = evaluate(subject, name, at, sum(len(one.cloud) for one in references), config.device, config.seed)
        clouds = split_cloud(a, count)
    many = len(clouds) > 1 or len(references) > 1
    used_seeds = {one.seed for one in (*clouds, *references)}
    notes = of_its_source(subject, b) if isinstance(subject, Model) else []
    if many:
        notes += notes_of(clouds, references)
    elif (a.seed, a.stream) == (b.seed, b.stream) and a.seed is not None:
        notes.append(f"the cloud and the reference start from the same particles, of seed {a.seed}: use another --seed")
    if isinstance(second, str) and second == SIMULATE:
        references.append(new_reference(1, used_seeds=used_seeds))
    elif second is not None and not isinstance(second, str):
        floors = of(second, others[1], 1)
        if len(floors) > 1:
            raise ConfigError("the second reference holds several seeds", "choose one, as STORE.zarr@seed=3")
        references += floors
    elif second is None and isinstance(first, Run) and with_floor and len(references) == 1:
        require_references(a.cloud, b.cloud, None)
        most = config.N * (config.repeats or MOST_REPEATS) if config.N else LARGEST_N
        c, note = second_run(first, b, most, config.N or 1, lambda J: new_reference(1, used_seeds=used_seeds, J=J))
        notes += [note] if note else []
        references += [c] if c else []
    return Choice(clouds, references, at, notes, many)
