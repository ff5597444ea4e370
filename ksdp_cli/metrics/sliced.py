"""The sliced distance: the mean over random directions of the one-dimensional distance. It is a metric other than W2.

Bonneel, Rabin, Peyre and Pfister, J. Math. Imaging Vis. 51 (2015) 22. Compare it only with its own floor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..base.threads import core_count
from ..errors import ConfigError
from .base import Distance, Transport
from .wasserstein import require_comparable

PROJECTIONS = 64
#: Seconds and bytes of one transport for each particle: benchmarks/million_distances.py.
SECONDS, BYTES = 1e-5, 200


class Sliced(Distance):
    """Mean over 64 random directions of the exact W2^2 of the projected clouds; O(N log N) each."""

    title, most = "sliced W2", 100_000

    @property
    def label(self) -> str:
        return f"sliced, {PROJECTIONS} directions"

    def cost(self, n: int, solves: int) -> tuple[float, float]:
        return SECONDS * n * solves / min(solves, core_count()), BYTES * n

    def transport(self, x: Cloud, y: Cloud) -> Transport:
        return sliced_transport(x, y, seed=self.seed)


def sliced_w2_squared(x: Cloud, y: Cloud, projections: int = PROJECTIONS, seed: int = 0) -> float:
    """Mean over random directions of the exact W2^2 [length^2] of the projections of ``x`` (n, d) and ``y`` (m, d).

    A translation by a gives |a|^2 / d on average over directions. The cost is O(projections n log n). Raises
    `DataError` for clouds that cannot be compared and `ConfigError` for projections < 1.
    """
    require_comparable(x, y)
    x, y = _centred(x, y)
    # both quantile functions are constant between consecutive multiples of 1/n and 1/m
    n, m = len(x), len(y)
    ends = np.unique(np.concatenate([np.arange(1, n + 1) * m, np.arange(1, m + 1) * n]))
    widths = np.diff(ends, prepend=0) / (n * m)
    i, j = (ends - 1) // m, (ends - 1) // n
    total = 0.0
    for direction in _directions(projections, x.shape[1], seed):
        gap = np.sort(x @ direction)[i] - np.sort(y @ direction)[j]
        total += float(widths @ gap**2)
    return total / projections


def sliced_transport(x: Cloud, y: Cloud, projections: int = PROJECTIONS, seed: int = 0) -> Transport:
    """`sliced_w2_squared` of two clouds (n, d) with potentials: the means of those of the projections."""
    require_comparable(x, y)
    x, y = _centred(x, y)
    value, at_x, at_y = 0.0, np.zeros(len(x)), np.zeros(len(y))
    for direction in _directions(projections, x.shape[1], seed):
        px, py = x @ direction, y @ direction
        i, j = np.argsort(px), np.argsort(py)
        px, py = px[i], py[j]
        gap = px - py
        # the potential has slope 2 gap; the trapezoidal rule keeps u_i + v_i = gap_i^2
        at_x[i] += gap[0] ** 2 + np.append(0.0, np.cumsum(np.diff(px) * (gap[1:] + gap[:-1])))
        at_y[j] -= np.append(0.0, np.cumsum(np.diff(py) * (gap[1:] + gap[:-1])))
        value += float(gap @ gap) / len(gap)
    return Transport(value / projections, (at_x / projections, at_y / projections))


def _centred(x: Cloud, y: Cloud) -> tuple[Cloud, Cloud]:
    """Shift both clouds to the mean of ``x`` in float64, so that an offset costs no precision."""
    centre = x.mean(0, dtype=np.float64)
    return x - centre, y - centre


def _directions(projections: int, dim: int, seed: int) -> NDArray[np.float64]:
    if projections < 1:
        raise ConfigError(f"projections = {projections}", "use at least 1")
    directions = np.random.default_rng(seed).standard_normal((projections, dim))
    return np.asarray(directions / np.linalg.norm(directions, axis=1)[:, None])
