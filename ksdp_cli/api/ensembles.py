"""compare for ensembles: a cloud or a reference with several seeds of one problem."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..base.grids import SEED, near, varying
from ..base.listener import Progress
from ..base.shapes import Cloud
from ..config import CompareConfig
from ..errors import ConfigError
from ..metrics import Approximation, Comparison, Distance
from ..metrics.comparison import HALVES, split
from ..metrics.ensembles import FEWEST_RUNS, Pairs, all_pairs, moments_of_runs, solves
from ..metrics.estimates import REST, Estimate, verdict
from ..metrics.plan import cost
from ..metrics.sizes import LARGEST_N
from ..metrics.solving import Solver
from ..store import Run
from .references import ComparedCloud, frame

#: Distances of an ordinary comparison; more of them use fewer particles each, at equal work.
USUAL = 3
OTHER = "another seed of the reference"


@dataclass(frozen=True)
class EnsembleComparison(Comparison):
    """A `Comparison` over all pairs of ``seeds`` runs of the cloud and of the reference.

    ``repeats`` counts the pairs, ``w2_squared_each`` has an entry for each run of the reference; intervals are
    Student's over seeds.
    """

    seeds: tuple[int, int] = (1, 1)

    def as_dict(self) -> dict[str, object]:
        notes = f"exact W2 squared ({self.estimator}), N = {self.N}, mean of {self.repeats} pairs of runs"
        return super().as_dict() | {"distance": notes, "seeds": list(self.seeds)}

    def table(self, title: str) -> tuple[str, Sequence[str], Sequence[Sequence[object]]]:
        title, columns, rows = super().table(title)
        own = f"{self.seeds[0]} and {self.seeds[1]} seeds, {self.repeats} pairs; interval {self.interval_source}"
        return title, columns, [*rows[:-1], ["notes", None, None, own]]


def frames(run: Run, values: dict[str, float], hints: dict[str, float] | None = None) -> list[ComparedCloud]:
    """Return `frame`, or one frame for each seed if the selected cases differ only in their seed. Raises as `frame`."""
    cases = list(range(len(run.cases)))
    for name, value in {**(hints or {}), **values}.items():
        if name in run.cases[0]:
            matches = [case for case in cases if near(name, run.cases[case][name], value)]
            cases = matches or ([] if name in values else cases)
    run = run.as_of(cases)
    if {*varying([run.cases[case] for case in cases] or [{}])} != {SEED}:
        return [frame(run, values, hints)]
    times = range(len(run.times))
    return [frame(run.part([case], times), values, hints) for case in cases]


def require_no_floor(floor: object, references: Sequence[ComparedCloud]) -> None:
    """Raise `ConfigError` if ``floor`` is given although the seeds of the reference determine it."""
    if isinstance(floor, str) and len(references) > 1:
        message = f"floor = {floor!r}, and the reference has {len(references)} seeds"
        raise ConfigError(message, "leave it out: the floor is the mean over all pairs of seeds")


def split_cloud(instance: ComparedCloud, count: int) -> list[ComparedCloud]:
    """Split the independent particles of a network into ``count`` clouds, which count as seeds."""
    return [replace(instance, cloud=piece) for piece in np.array_split(instance.cloud, count)]


def notes_of(clouds: Sequence[ComparedCloud], references: Sequence[ComparedCloud]) -> list[str]:
    """Return notes on the seeds."""
    notes = []
    common = {(one.seed, one.stream) for one in clouds} & {(one.seed, one.stream) for one in references}
    common = {place for place in common if place[0] is not None}
    if common:
        seeds = ", ".join(str(seed) for seed, _ in sorted(common)[:5])
        notes.append(f"the cloud and the reference share particles: seeds {seeds}; use others")
    notes.append("standard errors and intervals are over seeds: Student's t, 95 %")
    return notes


class Ensembles:
    """Distances between all ``clouds`` (of J particles each) and all ``references``."""

    def __init__(
        self, clouds: Sequence[Cloud], references: Sequence[Cloud], config: CompareConfig, solver: Solver
    ) -> None:
        self._solver = solver
        self.clouds, self.references, self.config = list(clouds), list(references), config
        self.source = f"between all {len(references) * (len(references) - 1) // 2} pairs of {len(references)} seeds"
        if len(references) == 2:
            self.source = "between the two references; without an interval"

    def floor_clouds(self, n: int) -> list[Cloud]:
        """Return the references, or the halves of a single one if it is large enough."""
        if len(self.references) > 1:
            return self.references
        halves, self.source = split(self.references[0], None, n, self.config.seed)
        return halves

    def size(self, metric: Distance | type[Distance]) -> int:
        """Return the particles of each side: all of a run, or fewer if the pairs would cost more than an ordinary
        comparison, which has `USUAL` distances of `Distance.most` particles, at cost n^2.
        """
        if self.config.N:
            return self.config.N
        smallest = min(map(len, [*self.clouds, *self.references]))
        if len(self.references) == 1:
            smallest = min(smallest, len(self.references[0]) // 2)  # a half
        part = USUAL / self._solves()
        most = max(LARGEST_N, smallest * part) if metric.most is None else metric.most * math.sqrt(part)
        return max(1, min(smallest, int(most)))

    def announce(self, metrics: Sequence[type[Distance]]) -> list[str]:
        """Return sentences on cost and sub-sampling. Raises as `Distance.sizes` for impossible clouds and sizes."""
        notes, smallest = [], min(map(len, [*self.clouds, *self.references]))
        for metric in metrics:
            n = self.size(metric)
            for cloud in self.clouds:
                metric(cloud, self.references[0], None, n=n, repeats=1).sizes()
            if n > smallest:
                raise ConfigError(
                    f"the smallest cloud has {smallest} particles, fewer than N = {n}", f"use --N {smallest}"
                )
            pairs = f"{self._solves()} pairs of runs"
            seconds, memory = metric(self.clouds[0], self.references[0], None).cost(n, self._solves())
            notes += cost(f"{metric.title} of N = {n} particles per cloud, {pairs}", seconds, memory)
            notes += [f"{metric.title} takes {n} of the {smallest} particles of a run"] if n < smallest else []
        return notes

    def _solves(self) -> int:
        return solves(len(self.clouds), max(2, len(self.references)))

    def _pairs(
        self, metric: type[Distance], own: dict[str, object], progress: Progress | None
    ) -> tuple[Pairs, Distance]:
        """Compute all distances by a metric; return them and the instance of the metric."""
        options: dict[str, Any] = own  # w2 takes more than every metric does
        instance = metric(np.concatenate(self.clouds), np.concatenate(self.references), None, **options)
        n, repeats = self.size(metric), self.config.repeats or 1

        def report(done: int, total: int) -> None:
            if progress:
                progress(metric.title, done, total)

        references = self.floor_clouds(n)
        how: dict[str, Any] = {"repeats": repeats, "seed": self.config.seed, "progress": report}
        return all_pairs(instance, self.clouds, references, n, solver=self._solver, **how), instance

    def exact(self, metric: type[Distance], progress: Progress | None) -> EnsembleComparison:
        """Compute the exact distance with its floor."""
        config = self.config
        pairs, _ = self._pairs(metric, {"seed": config.seed, "estimator": config.estimator}, progress)
        distance, floor, excess = pairs.distance(), pairs.floor(), pairs.excess()
        spread = excess or Estimate(0.0)
        return EnsembleComparison(
            N=pairs.n,
            repeats=pairs.across.size,
            estimator=config.estimator,
            seed=config.seed,
            w2_squared=distance.mean,
            w2_squared_se=distance.se,
            w2_squared_low=distance.low,
            w2_squared_high=distance.high,
            w2_squared_each=tuple(pairs.across.mean(0).tolist()),
            w2=math.sqrt(distance.mean),
            floor=floor.mean if floor else None,
            floor_se=floor.se if floor else None,
            floor_source=self.source,
            excess=excess.mean if excess else None,
            excess_low=spread.low,
            excess_high=spread.high,
            interval_source=self._interval(),
            verdict=self._verdict(pairs),
            cloud=moments_of_runs(self.clouds),
            reference=moments_of_runs(self.references),
            seeds=(len(self.clouds), len(self.references)),
        )

    def approximation(self, name: str, metric: type[Distance], progress: Progress | None) -> Approximation:
        """Compute another distance with its floor."""
        result, instance = self._pairs(metric, {"seed": self.config.seed}, progress)
        distance, floor, excess = result.distance(), result.floor(), result.excess()
        words, pairs = self._verdict(result), result.across.size
        return Approximation(name, instance.label, result.n, pairs, distance, floor, excess, None, words)

    def _verdict(self, pairs: Pairs) -> str:
        """Return the verdict; for one run of the cloud also its rank among the seeds, which needs no interval."""
        other = REST if self.source == HALVES else OTHER
        words = verdict(pairs.distance(), pairs.floor(), pairs.excess(), pairs.n, other)
        runs = len(self.references)
        if len(self.clouds) > 1 or runs < FEWEST_RUNS:
            return words
        place = f"{pairs.rank()} of the {runs} seeds are as far from the others"
        return f"{words}; {place} (p = {(pairs.rank() + 1) / (runs + 1):.2g})"

    def _interval(self) -> str:
        if len(self.clouds) > 1 and len(self.references) >= FEWEST_RUNS:
            return "Student's t over the seeds of both, 95 %"
        fewer = f"it takes 2 seeds of the cloud and {FEWEST_RUNS} of the reference"
        return f"missing for the excess: {fewer}"
