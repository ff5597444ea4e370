"""Comparison of two clouds: distance, noise floor, excess with its interval, and a verdict in words.

The distance between two samples of one law is positive. Its mean is the noise floor, below which no generator can come.
It is measured with the same estimator and the same sizes, between the reference and an independent second reference.

A repeat draws N particles from the cloud a, the reference b and the second reference c, and computes the exact W2^2 of
the three pairs. The distance is the mean of (a, b) and (a, c), which treats both references alike; the floor is (b, c);
the excess is their difference, paired by repeat. The bias of each of the three falls with N and nearly cancels in the
excess, which is thus close to the squared distance between the laws. For two clouds of one law, one of them moved by s,
the expected excess is |s|^2 at any N.

`estimates` defines the 95 % intervals. With two references they include differences between runs; with one reference,
cut in halves, they cannot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..base.shapes import Cloud
from .estimates import REST, Estimate, measure, verdict
from .exact import Exact
from .moments import Moments, moment_values, moments
from .solving import Solver, solve_by_threads

TWO_RUNS = "between two independent references"
HALVES = "between two halves of one reference; does not include differences between runs"

#: The verdict's name for a cloud at the floor.
OTHER = {TWO_RUNS: "a second reference", HALVES: REST}


@dataclass(frozen=True)
class Comparison:
    """Exact squared distances [length^2] at N particles a side, as means over ``repeats`` sub-samples.

    ``*_low`` and ``*_high`` are the ends of 95 % intervals and ``*_se`` standard errors; ``interval_source`` says how
    they were computed. They are None below 20 particles. ``w2`` is the root of ``w2_squared`` [length].
    ``w2_squared_each`` has the distances to the reference and to the second reference. ``floor`` and ``excess`` are
    None without a second reference; ``floor_source`` says what the floor is, or why there is none.
    """

    N: int
    repeats: int
    estimator: str
    seed: int
    w2_squared: float
    w2_squared_se: float | None
    w2_squared_low: float | None
    w2_squared_high: float | None
    w2_squared_each: tuple[float, ...]
    w2: float
    floor: float | None
    floor_se: float | None
    floor_source: str
    excess: float | None
    excess_low: float | None
    excess_high: float | None
    interval_source: str
    verdict: str
    cloud: Moments
    reference: Moments

    def as_dict(self) -> dict[str, object]:
        """Return all values for JSON, with the full name of the distance."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        del values["cloud"], values["reference"]
        names = {
            "distance": f"exact W2 squared ({self.estimator}), N = {self.N}, mean of {self.repeats} sub-samples",
            "w2_squared_each": list(self.w2_squared_each),
        }
        return values | names | moment_values(self.cloud, self.reference)

    def table(self, title: str) -> tuple[str, Sequence[str], Sequence[Sequence[object]]]:
        """Return (title, columns, rows) of the table of distances."""
        two = len(self.w2_squared_each) == 2
        each = "; to the two references {:.4g} and {:.4g}".format(*self.w2_squared_each) if two else ""
        sub_samples = "1 sub-sample" if self.repeats == 1 else f"{self.repeats} sub-samples"
        chance = self.floor_source if self.floor is None else f"sampling noise: {self.floor_source}"
        rows: list[list[Any]] = [
            ["W2 squared", self.w2_squared, self.w2_squared_se, f"exact ({self.estimator}), N = {self.N}{each}"],
            ["W2", self.w2, None, "square root of W2 squared"],
            ["noise floor, squared", self.floor, self.floor_se, chance],
            ["excess over the floor", self.excess, None, _interval_text(self.excess_low, self.excess_high)],
            ["verdict", None, None, self.verdict],
            ["notes", None, None, f"{sub_samples}, seed {self.seed}; interval {self.interval_source}"],
        ]
        return title, ("", "value", "s.e.", ""), rows


def compare_clouds(
    cloud: Cloud,
    reference: Cloud,
    second: Cloud | None = None,
    *,
    n: int | None = None,
    repeats: int | None = None,
    seed: int = 0,
    estimator: str = "certified",
    progress: Callable[[int, int], None] | None = None,
    solver: Solver = solve_by_threads,
) -> Comparison:
    """Compare ``cloud`` (J1, d) with ``reference`` (J2, d) by exact W2^2 of ``n`` particles a side, equation (12).

    ``second`` (J3, d) is an independent reference for the noise floor. Without it, the reference is cut into disjoint
    halves if it has 2 n particles. `sizes.default_sizes` gives the defaults of ``n`` and ``repeats``;
    ``progress(done, total)`` counts distances. Raises `ConfigError` if a cloud has fewer than ``n`` particles, and
    `DataError` for clouds that cannot be compared and for a second reference equal to the first.
    """
    metric = Exact(cloud, reference, second, seed=seed, n=n, repeats=repeats, estimator=estimator)
    n, repeats = metric.sizes()
    references, source = split(reference, second, n, seed)
    clouds, independent = [cloud, *references], second is not None
    result = measure(clouds, metric, n, repeats, seed, independent=independent, progress=progress, solver=solver)
    distance, floor, excess = result.distance(), result.floor(), result.excess()
    interval = excess or Estimate(0.0)
    return Comparison(
        N=n,
        repeats=len(result.values),
        estimator=metric.estimator,
        seed=seed,
        w2_squared=distance.mean,
        w2_squared_se=distance.se,
        w2_squared_low=distance.low,
        w2_squared_high=distance.high,
        w2_squared_each=tuple(result.values.mean(0)[:2].tolist()),
        w2=math.sqrt(distance.mean),
        floor=floor.mean if floor else None,
        floor_se=floor.se if floor else None,
        floor_source=source,
        excess=excess.mean if excess else None,
        excess_low=interval.low,
        excess_high=interval.high,
        interval_source=result.source,
        verdict=verdict(distance, floor, excess, n, OTHER.get(source, "")),
        cloud=moments(cloud),
        reference=moments(reference),
    )


def split(reference: Cloud, second: Cloud | None, n: int, seed: int) -> tuple[list[Cloud], str]:
    """Return the one or two references, and a description of the floor between them."""
    if second is not None:
        return [reference, second], TWO_RUNS
    if len(reference) < 2 * n:
        return [reference], (
            f"unknown: the reference has {len(reference)} particles, fewer than 2 N, and there is no second reference"
        )
    order = np.random.default_rng([seed, 99]).permutation(len(reference))
    half = len(order) // 2
    return [reference[order[:half]], reference[order[half:]]], HALVES


def _interval_text(low: float | None, high: float | None) -> str:
    return "" if low is None else f"95 % interval [{low:.4g}, {high:.4g}]"
