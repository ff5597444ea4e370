"""Clouds as densities on square cells: how much of a cloud a picture shows, how fine, and the counting."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..errors import ConfigError, DataError

Projection = tuple[int, int]
#: (2, 2): low and high end of the picture along its two axes.
Box = NDArray[np.float64]
#: Of each cloud this part lies in the picture along each axis; a single stray sample must not shrink the rest.
SHOWN = 0.999
#: Cells along the side of a square picture.
MOST_BINS, FEWEST_BINS = 160, 16


def require_clouds(clouds: Sequence[Cloud]) -> None:
    """Raise `DataError` for clouds that cannot be drawn in one picture."""
    for cloud in clouds:
        if cloud.ndim != 2 or not len(cloud) or cloud.shape[1] not in (2, 3):
            raise DataError(f"a cloud of shape {cloud.shape} cannot be drawn", "a cloud is (n, 2) or (n, 3)")
        bad = int((~np.isfinite(cloud).all(1)).sum())
        if bad:
            raise DataError(f"{bad} of {len(cloud)} particles are not finite", "leave them out of the picture")
    dims = sorted({cloud.shape[1] for cloud in clouds})
    if len(dims) > 1:
        raise DataError(f"the clouds have {dims[0]} and {dims[1]} dimensions")


def projections_of(dim: int, chosen: Sequence[Projection] | None) -> list[Projection]:
    """Pairs of axis numbers, all of them if ``chosen`` is None. Raises `ConfigError` for a pair that there is not."""
    every = [(i, j) for i in range(dim) for j in range(i + 1, dim)]
    for axes in chosen or ():
        if len(axes) != 2 or axes[0] == axes[1] or not set(axes) <= set(range(dim)):
            raise ConfigError(f"there is no projection {axes} in {dim} dimensions", f"there are: {every}")
    return list(chosen) if chosen else every


def limits(clouds: Sequence[Cloud]) -> NDArray[np.float64]:
    """(d, 2) low and high of a picture of all ``clouds`` along each axis."""
    tail = (1 - SHOWN) / 2
    ends = np.array([np.quantile(cloud, [tail, 1 - tail], axis=0) for cloud in clouds])
    low, high = ends[:, 0].min(0), ends[:, 1].max(0)
    longest = float((high - low).max()) or 1.0
    # a margin, which takes in all of a cloud with an edge, and some width for a cloud that has none along an axis
    margin = np.maximum(0.04 * longest, (0.2 * longest - (high - low)) / 2)
    return np.stack([low - margin, high + margin], 1).astype(np.float64)


def levelled(ends: NDArray[np.float64], projections: Sequence[Projection]) -> NDArray[np.float64]:
    """``ends`` (d, 2), wider where needed for all ``projections`` to be equally high, so that their panels line up."""
    wider, upright = ends.copy(), sorted({j for _, j in projections})
    missing = np.ptp(ends[upright], axis=1).max() - np.ptp(ends[upright], axis=1)
    wider[upright] += missing[:, None] * np.array([-0.5, 0.5])
    return wider


def box_of(clouds: Sequence[Cloud], projection: Projection) -> Box:
    """The picture that shows all ``clouds`` in a projection."""
    return limits([cloud[:, projection] for cloud in clouds])


def cell_side(clouds: Sequence[Cloud], boxes: Sequence[Box]) -> float:
    """[length] The same for all: the smallest cloud has about three particles in a cell, more where it is dense."""
    bins = np.clip(0.6 * math.sqrt(min(len(cloud) for cloud in clouds)), FEWEST_BINS, MOST_BINS)
    return math.sqrt(max(float(np.prod(box[:, 1] - box[:, 0])) for box in boxes)) / int(bins)


def density(points: Cloud, box: Box, side: float) -> tuple[NDArray[np.float64], float]:
    """Density (kx, ky) [1/length^2] of ``points`` (n, 2) on cells of about ``side``, and the part outside the box.

    Its integral over the box is the part inside.
    """
    extent = box[:, 1] - box[:, 0]
    shape = np.maximum(np.rint(extent / side).astype(int), 1)
    counts, *_ = np.histogram2d(points[:, 0], points[:, 1], bins=(int(shape[0]), int(shape[1])), range=box.tolist())
    inside = float(counts.sum()) / len(points)
    return counts / (len(points) * float(np.prod(extent / shape))), 1.0 - inside if inside < 1.0 else 0.0
