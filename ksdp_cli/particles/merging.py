"""Beyond the blow-up: what has gathered is one heavy particle, after Haskovec and Schmeiser.

A measure-valued solution of equation (1) goes on after its blow-up with point masses that move with the attraction of
all else and take in what meets them (Dolbeault and Schmeiser, Discrete Contin. Dyn. Syst. 25 (2009) 109; particles:
Haskovec and Schmeiser, J. Stat. Phys. 135 (2009) 133). Here a heavy particle is particles at one point. Each keeps its
M / J of the mass, so that stores, moments and distances need no weights: a weight is a number of rows that are equal.
It moves by the mean of their steps, noise included, so that the mean of all particles moves as it would have.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud

#: What lies within so many delta of one another is no longer resolved.
RADIUS = 4.0
#: Particles of the sample in which a crowd is looked for before all are asked; and the part of it that must be there.
SAMPLE, HINT = 400, 0.7
#: Particles that are asked how many are near them.
ASKED = 500


class Merging:
    """Heavy particles of one case: ``members`` holds the rows (m,) of each, which are at one point.

    One comes to be where ``fewest`` particles, the critical mass, lie within ``radius`` of one of 500 that are asked;
    it takes in every particle within ``radius``, heavy ones too. What is done depends on the positions alone.
    """

    def __init__(self, radius: float, fewest: int) -> None:
        self.radius, self.fewest = radius, max(fewest, 2)
        self.members: list[NDArray[np.int64]] = []

    def restore(self, x: Cloud) -> None:
        """Find the heavy particles of a state ``x`` (J, d)."""
        _, place, count = np.unique(x, axis=0, return_inverse=True, return_counts=True)
        groups = np.flatnonzero(count >= self.fewest)
        self.members = sorted((np.flatnonzero(place.ravel() == g) for g in groups), key=lambda rows: int(rows[0]))

    def after(self, x: Cloud) -> Cloud:
        """Positions (J, d) after a step to ``x``: each heavy particle is put together and takes in what it meets."""
        moved = x
        for rows in self.members:
            moved = _gathered(moved, rows)
        while True:
            met = self._meeting(moved)
            if met is None:
                met = self._crowd(moved)
            if met is None:
                return moved
            moved = _gathered(moved, met)
            self.members = [rows for rows in self.members if not np.isin(rows[0], met)]
            self.members = sorted([*self.members, met], key=lambda rows: int(rows[0]))

    def _meeting(self, x: Cloud) -> NDArray[np.int64] | None:
        """All rows within the radius of a heavy particle, its own among them, where there are others; rows of another
        heavy particle lie at one point and come together."""
        for rows in self.members:
            near = _within(x, x[rows[0]], self.radius)
            if len(near) > len(rows):
                return near
        return None

    def _crowd(self, x: Cloud) -> NDArray[np.int64] | None:
        """The rows of particles that are none of a heavy one's and close enough to be one."""
        light = np.setdiff1d(np.arange(len(x)), np.concatenate(self.members)) if self.members else np.arange(len(x))
        if len(light) < self.fewest or not self._hinted(x[light]):
            return None
        from scipy.spatial import cKDTree

        y = x[light].astype(np.float64)
        asked = y[:: -(-len(y) // ASKED)]
        count = cKDTree(y).query_ball_point(asked, self.radius, return_length=True)
        best = int(np.argmax(count))
        return light[_within(y, asked[best], self.radius)] if count[best] >= self.fewest else None

    def _hinted(self, x: Cloud) -> bool:
        """Whether a sample of ``x`` has a crowd of most of the critical mass."""
        sample = x[:: -(-len(x) // SAMPLE)].astype(np.float64)
        near = ((sample[:, None] - sample[None]) ** 2).sum(2) <= self.radius**2
        return bool(near.sum(1).max() * (len(x) / len(sample)) >= HINT * self.fewest)


def _within(x: Cloud, centre: Cloud, radius: float) -> NDArray[np.int64]:
    return np.flatnonzero(((x.astype(np.float64) - centre) ** 2).sum(1) <= radius**2)


def _gathered(x: Cloud, rows: NDArray[np.int64]) -> Cloud:
    """``x`` with ``rows`` at their mean."""
    y = x.copy()
    y[rows] = x[rows].mean(0, dtype=np.float64)
    return y


def critical_count(particles: int, mass: float, critical: float) -> int:
    """How many of ``particles`` that share ``mass`` hold the critical one."""
    return math.ceil(particles * critical / mass) if mass > 0 else particles + 1
