"""Concentration of a cloud: its densest point, mass radii about it, and the radius of the critical mass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud

#: Number of particles that are candidates for the densest point, and the fraction of the mass in a neighbourhood.
CANDIDATES, PART = 500, 0.01
#: Up to this number of particles all distances take less time than SciPy's tree takes to import, 70 ms.
FEW = 300
#: Fractions of the mass whose radii are recorded.
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True)
class Concentration:
    """Masses and radii of a cloud about its densest point, ``centre`` (d,).

    The densest point is, of `CANDIDATES` particles, the one with the smallest ball that holds the fraction `PART` of
    the mass. ``density`` is the mean density of that ball [mass / length^d], and ``wide`` that of the ball with four
    times the mass. ``radii`` are the radii of the fractions `QUANTILES` of the mass [length], ``within`` is the mass
    inside ``reach``, and ``critical_radius`` the radius of the critical mass, or None if the cloud has less.
    """

    centre: NDArray[np.float64]
    density: float
    wide: float
    radii: tuple[float, ...]
    reach: float
    within: float
    critical_radius: float | None


def concentration(
    cloud: Cloud, mass: float, reach: float, critical: float | None = None, most: int | None = None
) -> Concentration:
    """Compute the `Concentration` of ``cloud`` (n, d), whose particles have the mass ``mass`` / n each.

    ``reach`` is a radius [length] and ``critical`` a mass, for the fields of these names. The densest point is looked
    for among ``most`` particles, every so many; radii are those of all.
    """
    x: NDArray[np.float64] = cloud.astype(np.float64)
    n, dim = x.shape
    sample = x if most is None else x[:: -(-n // most)]
    centre, part = _densest(sample)
    critical_part = [critical / mass] if critical is not None and 0 < critical <= mass else []
    levels = (*QUANTILES, part, min(4 * part, 1.0), *critical_part)
    shares, distances = np.full(n, 1.0 / n), _distances(x, centre)
    radii = _radii(distances, np.cumsum(shares), levels)
    within = float(shares[distances <= reach].sum())
    count = len(QUANTILES)
    balls = zip(levels[count : count + 2], radii[count : count + 2], strict=True)
    density, wide = (mass * level / _ball(r, dim) if r else math.inf for level, r in balls)
    return Concentration(
        centre, density, wide, tuple(radii[:count]), reach, mass * within, radii[-1] if critical_part else None
    )


def _densest(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The particle (d,) with `PART` of ``x`` (n, d) closest around it, and that part of n, in whole particles."""
    n = len(x)
    candidates = x[:: -(-n // CANDIDATES)]
    neighbours = min(max(math.ceil(PART * n), 16), n)
    if n <= FEW:
        squares = sum(np.subtract.outer(a, b) ** 2 for a, b in zip(candidates.T, x.T, strict=True))
        radius = np.sqrt(np.partition(squares, neighbours - 1)[:, neighbours - 1])
    else:
        from scipy.spatial import cKDTree

        tree = cKDTree(x, balanced_tree=False, compact_nodes=False)  # for one use: half the time
        # counting is faster than sorting: only those can be the densest that have as many as one of a tenth
        bound = tree.query(candidates[::10], k=[neighbours])[0].min() * (1 + 1e-12)
        candidates = candidates[tree.query_ball_point(candidates, bound, return_length=True) >= neighbours]
        radius = tree.query(candidates, k=[neighbours])[0][:, 0]
    return candidates[int(np.argmin(radius))], neighbours / n


def _ball(radius: float, dim: int) -> float:
    """Area of a disc or volume of a ball."""
    return math.pi * radius**2 if dim == 2 else 4 / 3 * math.pi * radius**3


def _distances(x: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances (n,) of ``x`` (n, d) to ``centre``, summed axis by axis to need no array of the size of ``x``."""
    total = np.zeros(len(x))
    for axis, at in zip(x.T, centre, strict=True):
        total += (axis - at) ** 2
    return np.sqrt(total, out=total)


def _radii(distances: NDArray[np.float64], masses: NDArray[np.float64], levels: tuple[float, ...]) -> list[float]:
    """Smallest radii that hold the fractions ``levels``; ``masses`` (n,) are those of the nearest 1, 2, ...
    particles."""
    r = np.sort(distances)
    ranks = np.searchsorted(masses, np.asarray(levels) * masses[-1] * (1 - 1e-12))
    return [float(r[rank]) for rank in np.minimum(ranks, len(r) - 1)]
