"""Distances other than the exact one, each with its own floor and interval.

Distance and floor are always between equal numbers of particles, since both fall with that number. The paper's figure
7(b) compares 10^6 generated particles with 10^4 simulated ones; the field ``whole`` is that number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from .base import Distance
from .comparison import OTHER, split
from .estimates import Estimate, measure, verdict
from .solving import Solver, solve_by_threads
from .wasserstein import require_references

COLUMNS = ("other distances, squared", "value", "s.e.", "floor", "excess", "95 % interval", "verdict")


@dataclass(frozen=True)
class Approximation:
    """A squared distance [length^2] that is not exact, at ``N`` particles a side, with its own floor and excess.

    ``whole`` is the value between the whole cloud and the whole reference if their sizes differ, else None.
    """

    metric: str
    estimator: str
    N: int
    repeats: int
    distance: Estimate
    floor: Estimate | None
    excess: Estimate | None
    whole: float | None
    verdict: str

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    def row(self) -> Sequence[object]:
        """One table row, with the columns `COLUMNS`."""
        floor, excess, interval = None, None, ""
        if self.floor and self.excess:
            floor, excess = self.floor.mean, self.excess.mean
            interval = "" if self.excess.low is None else f"[{self.excess.low:.4g}, {self.excess.high:.4g}]"
        words = self.verdict + ("" if self.whole is None else f"; between all particles {self.whole:.4g}")
        name = f"{self.estimator}, N = {self.N}"
        return [name, self.distance.mean, self.distance.se, floor, excess, interval, words]


def approximation(name: str, metric: Distance, solver: Solver = solve_by_threads) -> Approximation:
    """Compute the distance ``metric``, registered as ``name``, between its clouds, and its floor.

    Without a second reference, the reference is cut in halves if it has twice the particles of a sub-sample. Raises
    `DataError` as `compare_clouds` does.
    """
    cloud, reference, second, seed = metric.cloud, metric.reference, metric.second, metric.seed
    require_references(cloud, reference, second)
    n, repeats = metric.sizes()
    references, source = split(reference, second, n, seed)
    result = measure([cloud, *references], metric, n, repeats, seed, independent=second is not None, solver=solver)
    distance, floor, excess = result.distance(), result.floor(), result.excess()
    words = verdict(distance, floor, excess, n, OTHER.get(source, ""))
    repeats, between_all = len(result.values), metric.between_all()
    return Approximation(name, metric.label, n, repeats, distance, floor, excess, between_all, words)
