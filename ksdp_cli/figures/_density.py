"""Clouds as densities on square cells: the limits of a picture, the size of its cells, and the counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..errors import DataError

Projection = tuple[int, int]
#: (2, 2): lower and upper limit of the picture along each of its two axes.
Box = NDArray[np.float64]
#: Fraction of each cloud within the limits along each axis, so that a single outlier does not shrink the rest.
SHOWN = 0.999
#: Part of a cloud at one point from which it is drawn as a disc, and size of the sample in which such points are found.
HEAVY, SAMPLE = 0.01, 2000
#: Most such points. A cloud with more is one of rounded coordinates, or of pixels, and all of it is a density.
MOST_POINTS = 16
#: Largest and smallest number of cells along the side of a square picture.
MOST_BINS, FEWEST_BINS = 160, 16


def require_clouds(clouds: Sequence[Cloud]) -> None:
    """Raise `DataError` for clouds that cannot be drawn in one picture."""
    for cloud in clouds:
        if cloud.ndim != 2 or not len(cloud) or cloud.shape[1] not in (2, 3):
            raise DataError(f"a cloud of shape {cloud.shape} cannot be drawn", "give an array (n, 2) or (n, 3)")
        bad = int((~np.isfinite(cloud).all(1)).sum())
        if bad:
            raise DataError(f"{bad} of {len(cloud)} particles are not finite", "remove them from the picture")
    dims = sorted({cloud.shape[1] for cloud in clouds})
    if len(dims) > 1:
        raise DataError(f"the clouds have {dims[0]} and {dims[1]} dimensions")


def projections_of(dim: int) -> list[Projection]:
    """All pairs of axis numbers."""
    return list(itertools.combinations(range(dim), 2))


def limits(clouds: Sequence[Cloud]) -> NDArray[np.float64]:
    """Lower and upper limit (d, 2) of a picture of all ``clouds`` along each axis."""
    tail = (1 - SHOWN) / 2
    ends = np.array([np.quantile(cloud, [tail, 1 - tail], axis=0) for cloud in clouds])
    low, high = ends[:, 0].min(0), ends[:, 1].max(0)
    longest = float((high - low).max()) or 1.0
    # a margin, to include the edge of a cloud, and a minimum width for a cloud that is flat along an axis
    margin = np.maximum(0.04 * longest, (0.2 * longest - (high - low)) / 2)
    return np.stack([low - margin, high + margin], 1).astype(np.float64)


def levelled(ends: NDArray[np.float64], projections: Sequence[Projection]) -> NDArray[np.float64]:
    """Widen ``ends`` (d, 2) until all ``projections`` have the same height, so that their panels line up."""
    wider, upright = ends.copy(), sorted({j for _, j in projections})
    missing = np.ptp(ends[upright], axis=1).max() - np.ptp(ends[upright], axis=1)
    wider[upright] += missing[:, None] * np.array([-0.5, 0.5])
    return wider


def box_of(clouds: Sequence[Cloud], projection: Projection) -> Box:
    """The limits of a picture of all ``clouds`` in a projection."""
    return limits([cloud[:, projection] for cloud in clouds])


def cell_side(clouds: Sequence[Cloud], boxes: Sequence[Box]) -> float:
    """The common side of the cells [length]: the smallest cloud has about three particles in a cell on average."""
    bins = np.clip(0.6 * math.sqrt(min(len(cloud) for cloud in clouds)), FEWEST_BINS, MOST_BINS)
    return math.sqrt(max(float(np.prod(box[:, 1] - box[:, 0])) for box in boxes)) / int(bins)


def point_masses(x: Cloud) -> tuple[Cloud, Cloud, NDArray[np.float64]]:
    """Split ``x`` (n, d) into the particles that have a place of their own, the points (m, d) that hold `HEAVY` of all
    particles or more each, as after a merger, and the parts (m,) that they hold; none if m > `MOST_POINTS`."""
    sample = np.random.default_rng(0).choice(len(x), min(len(x), SAMPLE), replace=False)
    points, counts = np.unique(x[sample], axis=0, return_counts=True)
    alone = np.ones(len(x), bool)
    heavy, parts = [], []
    fewest = max(2, HEAVY * len(sample) / 4)  # the probability that a point with `HEAVY` has fewer of 2000 is 2e-5
    for point in points[counts >= fewest]:
        here = (x == point).all(1)
        if here.mean() >= HEAVY and here.sum() > 2:
            alone &= ~here
            heavy.append(point)
            parts.append(float(here.mean()))
    few = 0 < len(heavy) <= MOST_POINTS
    return (x[alone], np.stack(heavy), np.array(parts)) if few else (x, x[:0], np.empty(0))


def density(points: Cloud, box: Box, side: float) -> tuple[NDArray[np.float64], float]:
    """Density (kx, ky) [1/length^2] of ``points`` (n, 2) on cells of about ``side``, and the fraction outside the box.

    Its integral over the box is the fraction inside. Without points it is 0.
    """
    extent = box[:, 1] - box[:, 0]
    shape = np.maximum(np.rint(extent / side).astype(int), 1)
    counts, *_ = np.histogram2d(points[:, 0], points[:, 1], bins=(int(shape[0]), int(shape[1])), range=box.tolist())
    n = max(len(points), 1)
    inside = float(counts.sum()) / n if len(points) else 1.0
    return counts / (n * float(np.prod(extent / shape))), 1.0 - inside if inside < 1.0 else 0.0
