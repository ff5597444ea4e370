"""What stands beside the exact distance: sliced, binned and bounded ones, each with a floor and interval of its own.

Distance and floor are always taken between equal numbers of particles, since both fall with them. The paper's figure
7(b) bins 10^6 generated particles against 10^4 simulated ones: that number is given too, as ``whole``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ..base.shapes import Cloud
from ..errors import ConfigError
from .approximate import (
    BINS,
    PROJECTIONS,
    binned_transport,
    binned_w2_squared,
    bound_transport,
    box,
    sliced_transport,
)
from .comparison import OTHER, default_sizes, require, split
from .estimates import Estimate, measure, verdict
from .wasserstein import Transport

APPROXIMATE = ("sliced", "binned", "bound")
#: Most particles a side of the sliced distance; disjoint blocks over which the bound is taken, for its spread.
LARGEST_SLICED, BLOCKS = 100_000, 5
COLUMNS = ("other distances, squared", "value", "s.e.", "floor", "excess", "95 % interval", "verdict")


@dataclass(frozen=True)
class Approximation:
    """A squared distance [length^2] that is not exact, at ``N`` particles a side, with its own floor and excess.

    ``whole`` is the value between all particles of the cloud and all of the reference where their numbers differ.
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

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def row(self) -> Sequence[Any]:
        """A table row below `COLUMNS`."""
        floor, excess, interval = None, None, ""
        if self.floor and self.excess:
            floor, excess = self.floor.mean, self.excess.mean
            interval = "" if self.excess.low is None else f"[{self.excess.low:.4g}, {self.excess.high:.4g}]"
        told = self.verdict + ("" if self.whole is None else f"; between all particles {self.whole:.4g}")
        name = f"{self.estimator}, N = {self.N}"
        return [name, self.distance.mean, self.distance.se, floor, excess, interval, told]


def approximation(
    metric: str, cloud: Cloud, reference: Cloud, second: Cloud | None = None, *, seed: int = 0, whole: bool = False
) -> Approximation:
    """``sliced``, ``binned`` or ``bound`` between ``cloud`` (J1, d) and ``reference`` (J2, d).

    ``second`` (J3, d) is an independent reference for the floor; without it the reference is cut in halves. Sub-samples
    are those of `panel_sizes`. ``whole`` takes all particles of two clouds of one size, and leaves no floor. Raises
    `ConfigError` for another metric, `DataError` as `compare_clouds`.
    """
    require(cloud, reference, second)
    references, source = split(reference, second, len(reference) if whole else 1, seed)
    clouds = [cloud, *references]
    n, repeats = panel_sizes(metric, cloud, reference, second, whole)
    between_all = None
    transport: Callable[[Cloud, Cloud], Transport]
    if metric == "sliced":
        name = f"sliced, {PROJECTIONS} directions"
        transport = partial(sliced_transport, seed=seed)
    elif metric == "binned":
        name, transport = f"binned, B = {BINS}", partial(binned_transport, around=box(*clouds))
        between_all = binned_w2_squared(cloud, reference) if len(cloud) != len(reference) else None
    elif metric == "bound":
        name, transport = "upper bound by a bijection", bound_transport
    else:
        raise ConfigError(f"there is no approximate distance {metric!r}", f"there are: {', '.join(APPROXIMATE)}")
    found = measure(clouds, transport, n, repeats, seed, independent=second is not None)
    distance, floor, excess = found.distance(), found.floor(), found.excess()
    told = verdict(distance, floor, excess, n, OTHER.get(source, ""))
    return Approximation(metric, name, n, len(found.values), distance, floor, excess, between_all, told)


def panel_sizes(
    metric: str, cloud: Cloud, reference: Cloud, second: Cloud | None, whole: bool = False
) -> tuple[int, int]:
    """Particles of a sub-sample and their number: `default_sizes` of 10^5 at most for ``sliced`` and without a limit
    for ``binned``; five blocks, as large as may be, for ``bound``. ``whole``: all particles, once."""
    if whole:
        return len(cloud), 1
    if metric == "bound":
        fewest = min(len(cloud), len(reference) // 2 if second is None else min(len(reference), len(second)))
        return (fewest // BLOCKS, BLOCKS) if fewest >= BLOCKS else (max(1, fewest), 1)
    most = LARGEST_SLICED if metric == "sliced" else len(cloud)
    return default_sizes(cloud, reference, second, most=most)
