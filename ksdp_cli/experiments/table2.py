"""Table 2: exact squared W2 of network against simulation, with the noise floor and the excess over it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..base import labels
from .definition import Row
from .stages import Stages

TITLE = "Exact squared W2 (certified assignment), network against independent simulations"
COLUMNS = (
    "experiment", "at", "role", "N", "paper", "ours", "sd", "noise floor", "sd", "excess", "± se", "part of paper's",
    "seconds",
)  # fmt: skip
NOTE = (
    "ours: mean over references and seeds, sd over seeds; noise floor: the same estimator between two independent "
    "simulations, sd over their pairs; excess: ours - floor, se by the jackknife over references; part of paper's: "
    "excess / (paper - floor). The paper does not say its N. beyond: the network to the last trained time, then "
    "equation (8), with its seconds and those of a whole simulation."
)


@dataclass(frozen=True)
class Entry:
    """One row at one N. Distances are squared [length^2]; standard deviations of a single number are None.

    ``seconds`` is the time for a cloud if part of it is simulated, ``simulated`` that of a whole simulation.
    """

    experiment: str
    at: dict[str, float]
    role: str
    N: int
    paper: float | None
    each: tuple[float, ...]
    ours: float
    ours_sd: float | None
    floor: float
    floor_sd: float | None
    excess: float
    excess_se: float | None
    seeds: int
    references: int
    seconds: float | None = None
    simulated: float | None = None

    @property
    def part(self) -> float | None:
        """The excess over the floor relative to the paper's, or None if the paper's value is at or below the floor."""
        room = 0.0 if self.paper is None else self.paper - self.floor
        return self.excess / room if room > 0 else None

    def as_dict(self) -> dict[str, object]:
        return {
            "experiment": self.experiment, "at": self.at, "role": self.role, "N": self.N, "paper": self.paper,
            "ours": self.ours, "ours_sd": self.ours_sd, "ours_each_seed": list(self.each), "floor": self.floor,
            "floor_sd": self.floor_sd, "excess": self.excess, "excess_se": self.excess_se, "part_of_papers": self.part,
            "seeds": self.seeds, "references": self.references,
            "seconds": self.seconds, "simulation_seconds": self.simulated,
            "distance": f"exact W2 squared (certified), N = {self.N}",
        }  # fmt: skip

    def as_row(self) -> list[object]:
        spread = [self.ours, self.ours_sd, self.floor, self.floor_sd, self.excess, self.excess_se]
        place = [self.experiment, labels.label(self.at), self.role, self.N]
        return [*place, *(_short(value) for value in [self.paper, *spread]), self._verdict(), self._cost()]

    def _verdict(self) -> str | None:
        """`part` as text, with a note if the paper's value is not reached or is below the floor."""
        if self.paper is None:
            return None
        if self.part is None:
            return "paper < floor"
        return f"{self.part:.2f}" + (": not reached" if self.ours > self.paper else "")

    def _cost(self) -> str | None:
        return None if self.seconds is None else f"{self.seconds:.3g} of {self.simulated:.3g}"


def evaluate(stages: Stages, row: Row, seeds: Sequence[int], n: int) -> list[Entry]:
    """Measure one row of the table at N = ``n``, in two ways for a time after the trained ones."""
    entries = [_entry(stages, row, seeds, n, False)]
    return [*entries, _entry(stages, row, seeds, n, True)] if stages.goes_beyond(dict(row.at)) else entries


def _entry(stages: Stages, row: Row, seeds: Sequence[int], n: int, beyond: bool) -> Entry:
    at = dict(row.at)
    distances = np.array([stages.distances(seed, at, n, beyond) for seed in seeds])
    pairs = stages.floor(at, n)
    count = stages.scale.references
    floor = np.zeros((count, count))
    floor[np.triu_indices(count, 1)] = pairs
    each = distances.mean(1)
    costs: list[float | None] = [None, None]
    if beyond:
        seconds = [stages.further(seed, at).attrs["seconds"] for seed in seeds]
        whole = [stages.reference(at, number).attrs["seconds"] for number in range(count)]
        costs = [float(np.mean(seconds)), float(np.mean(whole))]
    return Entry(
        experiment=stages.experiment.name,
        at=at,
        role="beyond" if beyond else row.role,
        N=n,
        paper=row.paper,
        each=tuple(each.tolist()),
        ours=float(each.mean()),
        ours_sd=_sd(each),
        floor=float(np.mean(pairs)),
        floor_sd=_sd(np.array(pairs)),
        excess=float(each.mean() - np.mean(pairs)),
        excess_se=jackknife(distances.mean(0), floor + floor.T),
        seeds=len(seeds),
        references=count,
        seconds=costs[0],
        simulated=costs[1],
    )


def jackknife(distances: np.ndarray, between: np.ndarray) -> float | None:
    """Standard error of mean distance - mean floor, leaving out one reference after the other.

    ``distances`` (R,) to each reference, ``between`` (R, R) symmetric with a zero diagonal. None for R < 3.
    """
    count = len(distances)
    if count < 3:
        return None
    left = count - 1
    means = (distances.sum() - distances) / left
    floors = (between.sum() - 2 * between.sum(0)) / (left * (left - 1))
    return math.sqrt(left * float(np.var(means - floors)))


def _sd(values: np.ndarray) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _short(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"
