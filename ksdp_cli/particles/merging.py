"""Heavy particles after a blow-up, following Haskovec and Schmeiser.

A measure-valued solution of equation (1) continues after its blow-up with point masses. They move by the attraction of
the rest and absorb the mass that meets them (Dolbeault and Schmeiser, Discrete Contin. Dyn. Syst. 25 (2009) 109;
particles: Haskovec and Schmeiser, J. Stat. Phys. 135 (2009) 133). Here a heavy particle is a set of particles at one
point. Each keeps its mass M / J, so that stores, moments and distances need no weights: a weight is a number of equal
rows. The heavy particle moves by the mean of their steps, noise included, which preserves the mean of all particles.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud

#: Distance, in delta, within which particles are no longer resolved.
RADIUS = 4.0
#: Size of the sample that is searched for a crowd first, and the fraction of a critical mass that it must show.
SAMPLE, HINT = 400, 0.7
#: Number of particles whose neighbours are counted.
CANDIDATES = 500


class Merging:
    """The heavy particles of one case: ``members`` holds the rows (m,) of each, all at one point.

    A heavy particle forms if ``fewest`` particles, the critical mass, lie within ``radius`` [length] of one of
    `CANDIDATES` particles. It absorbs every particle within ``radius``, including heavy ones. The result is a function
    of the positions alone.
    """

    def __init__(self, radius: float, fewest: int) -> None:
        self.radius, self.fewest = radius, max(fewest, 2)
        self.members: list[NDArray[np.int64]] = []

    def restore(self, x: Cloud) -> None:
        """Find the heavy particles of a state ``x`` (J, d)."""
        _, point, count = np.unique(x, axis=0, return_inverse=True, return_counts=True)
        groups = np.flatnonzero(count >= self.fewest)
        self.members = sorted((np.flatnonzero(point.ravel() == g) for g in groups), key=lambda rows: int(rows[0]))

    def after(self, x: Cloud) -> Cloud:
        """Return the positions (J, d) after a step to ``x``, with heavy particles moved, formed and enlarged."""
        y = x
        for rows in self.members:
            y = _gather(y, rows)
        while True:
            group = self._meeting(y)
            if group is None:
                group = self._crowd(y)
            if group is None:
                return y
            y = _gather(y, group)
            self.members = [rows for rows in self.members if not np.isin(rows[0], group)]
            self.members = sorted([*self.members, group], key=lambda rows: int(rows[0]))

    def _meeting(self, x: Cloud) -> NDArray[np.int64] | None:
        """Rows within the radius of a heavy particle, including its own, if there are other rows; else None."""
        for rows in self.members:
            near = _within(x, x[rows[0]], self.radius)
            if len(near) > len(rows):
                return near
        return None

    def _crowd(self, x: Cloud) -> NDArray[np.int64] | None:
        """Rows of particles, not yet in a heavy particle, that are dense enough to form one; else None."""
        light = np.setdiff1d(np.arange(len(x)), np.concatenate(self.members)) if self.members else np.arange(len(x))
        if len(light) < self.fewest or not self._hinted(x[light]):
            return None
        from scipy.spatial import cKDTree

        y = x[light].astype(np.float64)
        candidates = y[:: -(-len(y) // CANDIDATES)]
        count = cKDTree(y).query_ball_point(candidates, self.radius, return_length=True)
        best = int(np.argmax(count))
        return light[_within(y, candidates[best], self.radius)] if count[best] >= self.fewest else None

    def _hinted(self, x: Cloud) -> bool:
        """Whether a sample of ``x`` shows a crowd with the fraction `HINT` of the critical mass."""
        sample = x[:: -(-len(x) // SAMPLE)].astype(np.float64)
        near = ((sample[:, None] - sample[None]) ** 2).sum(2) <= self.radius**2
        return bool(near.sum(1).max() * (len(x) / len(sample)) >= HINT * self.fewest)


def _within(x: Cloud, centre: Cloud, radius: float) -> NDArray[np.int64]:
    """Rows of ``x`` (n, d) within ``radius`` of ``centre`` (d,)."""
    return np.flatnonzero(((x.astype(np.float64) - centre) ** 2).sum(1) <= radius**2)


def _gather(x: Cloud, rows: NDArray[np.int64]) -> Cloud:
    """A copy of ``x`` (n, d) with ``rows`` moved to their mean."""
    y = x.copy()
    y[rows] = x[rows].mean(0, dtype=np.float64)
    return y


def critical_count(particles: int, mass: float, critical: float) -> int:
    """Number of particles that hold the mass ``critical``, if ``particles`` of them share ``mass``."""
    return math.ceil(particles * critical / mass) if mass > 0 else particles + 1
