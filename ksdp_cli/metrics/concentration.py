"""How concentrated a cloud is: its densest point, radii about it, and the radius that holds the critical mass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud

#: Particles that are asked for their neighbourhood, and the part of the mass that makes one.
ASKED, PART = 500, 0.01
#: Parts of the mass whose radii are recorded.
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True)
class Concentration:
    """Of a cloud about its densest point: the particle, of 500, with 1 % of the mass closest around it.

    ``density`` is that mass over its ball [mass / length^d], ``wide`` the like of four times the mass. ``radii`` hold
    the parts `QUANTILES` of all mass [length], ``within`` is the mass within ``reach``, and ``critical_radius`` holds
    the critical mass: None where there is less.
    """

    centre: NDArray[np.float64]
    density: float
    wide: float
    radii: tuple[float, ...]
    reach: float
    within: float
    critical_radius: float | None


def concentration(
    cloud: Cloud,
    mass: float,
    reach: float,
    critical: float | None = None,
    weights: NDArray[np.float64] | None = None,
    most: int | None = None,
) -> Concentration:
    """That of ``cloud`` (n, d), whose particles share ``mass`` alike, or as ``weights`` (n,) say.

    Of particles that share alike ``most`` at most are looked at for the densest point, every so many; radii are those
    of all.
    """
    if most is not None and weights is None and len(cloud) > most:
        centre = concentration(cloud[:: -(-len(cloud) // most)], mass, reach).centre
        return _about(
            cloud.astype(np.float64), centre, math.ceil(PART * len(cloud)) / len(cloud), mass, reach, critical
        )
    from scipy.spatial import cKDTree

    x: NDArray[np.float64] = cloud.astype(np.float64)
    n = len(x)
    parts = np.full(n, 1.0 / n) if weights is None else weights / weights.sum()
    tree, asked = cKDTree(x), np.arange(0, n, -(-n // ASKED))
    if weights is None:
        near = min(max(math.ceil(PART * n), 16), n)
        far = tree.query(x[asked], k=[near])[0][:, 0]
    else:
        asked = np.union1d(asked, np.argsort(parts)[-16:])
        far = np.array([_radii(x, at, parts, (PART,))[0] for at in x[asked]])
    del tree  # as large as the cloud
    best = int(np.argmin(far))
    held = PART if weights is not None else near / n
    return _about(x, x[asked[best]], held, mass, reach, critical, parts)


def _about(
    x: NDArray[np.float64],
    centre: NDArray[np.float64],
    held: float,
    mass: float,
    reach: float,
    critical: float | None,
    parts: NDArray[np.float64] | None = None,
) -> Concentration:
    """`concentration` of ``x`` (n, d) about ``centre``, whose ball holds the part ``held``."""
    parts = np.full(len(x), 1.0 / len(x)) if parts is None else parts
    critical_part = [critical / mass] if critical is not None and 0 < critical <= mass else []
    levels = (*QUANTILES, held, min(4 * held, 1.0), *critical_part)
    radii = _radii(x, centre, parts, levels)
    within = float(parts[_distances(x, centre) <= reach].sum())
    at = len(QUANTILES)
    of_balls = zip(levels[at : at + 2], radii[at : at + 2], strict=True)
    density, wide = (mass * part / _ball(r, x.shape[1]) if r else math.inf for part, r in of_balls)
    return Concentration(
        centre, density, wide, tuple(radii[:at]), reach, mass * within, radii[-1] if critical_part else None
    )


def _ball(radius: float, dim: int) -> float:
    return math.pi * radius**2 if dim == 2 else 4 / 3 * math.pi * radius**3


def _distances(x: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of ``x`` (n, d) to the centre, axis by axis: no array of the size of ``x`` is made."""
    total = np.zeros(len(x))
    for axis, at in zip(x.T, centre, strict=True):
        total += (axis - at) ** 2
    return np.sqrt(total, out=total)


def _radii(
    x: NDArray[np.float64], centre: NDArray[np.float64], parts: NDArray[np.float64], levels: tuple[float, ...]
) -> list[float]:
    """The least radii about ``centre`` that hold the parts ``levels`` of all mass."""
    r = _distances(x, centre)
    order = np.argsort(r)
    held = np.cumsum(parts[order])
    places = np.searchsorted(held, np.asarray(levels) * held[-1] * (1 - 1e-12))
    return [float(r[order[place]]) for place in np.minimum(places, len(r) - 1)]
