"""An upper bound of W2^2 without N^2 pairs, by bijections between binary space partitions.

It lies 0.1 % above the optimum between unlike clouds and 20 to 50 % above it between like ones. Compare it only with
its own floor.
"""

from __future__ import annotations

import numpy as np

from ..base.shapes import Cloud
from ..errors import DataError
from .base import Distance, Transport
from .wasserstein import require_comparable

#: Random partition plans merged into the bound, and particles times plans that are worth a minute.
PLANS, PLAN_PARTICLES = 64, 16_000_000
#: Disjoint blocks over which the bound is taken, for its spread.
BLOCKS = 5
#: Seconds a particle of one transport, and its bytes: benchmarks/million_distances.py.
SECONDS, BYTES = 4e-5, 400


class Bound(Distance):
    """Mean squared distance under a good bijection: O(N log N), and never below the exact W2^2."""

    title = "the bound"

    @property
    def label(self) -> str:
        return "upper bound by a bijection"

    def sizes(self) -> tuple[int, int]:
        """Five blocks, as large as may be."""
        if self.n is not None:
            return super().sizes()
        reference = len(self.reference) // 2 if self.second is None else min(len(self.reference), len(self.second))
        fewest = min(len(self.cloud), reference)
        return (fewest // BLOCKS, BLOCKS) if fewest >= BLOCKS else (max(1, fewest), 1)

    def cost(self, n: int, solves: int) -> tuple[float, float]:
        return SECONDS * n * solves, BYTES * n

    def transport(self, x: Cloud, y: Cloud) -> Transport:
        return Transport(bound_w2_squared(x, y))


def bound_w2_squared(x: Cloud, y: Cloud, plans: int | None = None, seed: int = 0) -> float:
    """An upper bound of W2^2 [length^2] of ``x`` (n, d) and ``y`` (n, d): a bijection by binary space partitions.

    O(plans n log n): for a million particles a side. ``plans`` random bijections are merged, by default 64 or as many
    as a minute allows. POT's `compute_bspot_bijection`, which finds another bijection at each call of a process.
    Raises `DataError` for clouds that cannot be compared, or of two sizes.
    """
    require_comparable(x, y)
    if len(x) != len(y):
        raise DataError(f"clouds of {len(x)} and {len(y)} particles", "sub-sample both to one size")
    from ..assignment.pot import Bsp

    count = plans or min(PLANS, max(8, PLAN_PARTICLES // len(x)))
    return float(Bsp(count, seed).solve(x[None].astype(np.float64), y[None].astype(np.float64)).value[0])
