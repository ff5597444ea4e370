"""Clouds as densities side by side, as in figures 2 to 6, 8 and 9: network samples beside simulated particles.

The density is binned, so the picture of 10^6 particles costs no more than that of 10^4. Both clouds of a row have the
same square cells and the same colours: a difference in the picture is one between the clouds. The colour follows the
square root of the density, because an aggregate is a hundred times denser than the tail that makes its shape.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from ..shapes import Cloud
from ._canvas import picture

Projection = tuple[int, int]
AXES = "xyz"
#: Of each cloud this part lies in the picture along each axis; a single stray sample must not shrink the rest.
SHOWN = 0.999
PANEL, MOST_BINS, FEWEST_BINS = 3.1, 120, 16


@dataclass(frozen=True)
class _Row:
    clouds: tuple[Cloud, Cloud]
    projection: Projection
    label: str


def histogram_pair(
    network: Cloud,
    reference: Cloud,
    path: str | Path,
    *,
    title: str = "",
    labels: tuple[str, str] = ("network", "simulation"),
    projections: Sequence[Projection] | None = None,
) -> None:
    """The density of ``network`` (n, d) beside that of ``reference`` (m, d), a row for each projection.

    ``projections`` are pairs of axis numbers, all of them if None: (0, 1) in 2D; (0, 1), (0, 2), (1, 2) in 3D. Raises
    `DataError` for clouds that cannot be drawn, `ConfigError` for an axis or a suffix of ``path`` that there is not.
    """
    _require((network, reference))
    rows = [_Row((network, reference), axes, "") for axes in _projections(network.shape[1], projections)]
    _draw(rows, path, title, labels)


def histogram_grid(
    rows: Sequence[tuple[str, Cloud, Cloud]],
    path: str | Path,
    *,
    title: str = "",
    labels: tuple[str, str] = ("network", "simulation"),
    projection: Projection = (0, 1),
) -> None:
    """A row for each (label, network (n, d), reference (m, d)), for instance one for each amplitude A.

    Raises as `histogram_pair`, and `ConfigError` when there are no rows.
    """
    if not rows:
        raise ConfigError("a grid of histograms without rows", "give at least one")
    for _, network, reference in rows:
        _require((network, reference))
        _projections(network.shape[1], [projection])
    _draw([_Row((a, b), projection, label) for label, a, b in rows], path, title, labels)


def _require(clouds: tuple[Cloud, Cloud]) -> None:
    for cloud in clouds:
        if cloud.ndim != 2 or not len(cloud) or cloud.shape[1] not in (2, 3):
            raise DataError(f"a cloud of shape {cloud.shape} cannot be drawn", "a cloud is (n, 2) or (n, 3)")
        bad = int((~np.isfinite(cloud).all(1)).sum())
        if bad:
            raise DataError(f"{bad} of {len(cloud)} particles are not finite", "leave them out of the picture")
    if clouds[0].shape[1] != clouds[1].shape[1]:
        raise DataError(f"the clouds have {clouds[0].shape[1]} and {clouds[1].shape[1]} dimensions")


def _projections(dim: int, chosen: Sequence[Projection] | None) -> list[Projection]:
    every = [(i, j) for i in range(dim) for j in range(i + 1, dim)]
    for axes in chosen or ():
        if len(axes) != 2 or axes[0] == axes[1] or not set(axes) <= set(range(dim)):
            raise ConfigError(f"there is no projection {axes} in {dim} dimensions", f"there are: {every}")
    return list(chosen) if chosen else every


def _draw(rows: list[_Row], path: str | Path, title: str, labels: tuple[str, str]) -> None:
    boxes = [_box(row) for row in rows]
    heights = [min(max(PANEL * float((box[1, 1] - box[1, 0]) / (box[0, 1] - box[0, 0])), 0.8), 4.2) for box in boxes]
    total = sum(heights) + 0.75 * len(rows) + 0.5 * bool(title)
    with picture(path, 2 * PANEL + 1.6, total) as figure:
        panels = figure.subplots(len(rows), 2, squeeze=False, height_ratios=heights)
        for row, box, pair in zip(rows, boxes, panels, strict=True):
            _draw_row(figure, row, box, pair, labels)
        if title:
            figure.suptitle(title)


def _draw_row(figure: Any, row: _Row, box: NDArray[np.float64], pair: Any, labels: tuple[str, str]) -> None:
    from matplotlib.colors import PowerNorm

    densities = [_density(cloud[:, row.projection], box, _bins(row)) for cloud in row.clouds]
    colours = PowerNorm(0.5, 0.0, max(float(density.max()) for density, _ in densities) or 1.0)
    for panel, label, cloud, (density, outside) in zip(pair, labels, row.clouds, densities, strict=True):
        image = panel.imshow(
            density.T, origin="lower", extent=box.ravel(), cmap="viridis", norm=colours, interpolation="nearest"
        )
        note = f", {100 * outside:.2g} % outside" if outside else ""
        head = f"{row.label}, {label}" if row.label else label
        panel.set_title(f"{head} (N = {_count(len(cloud))}{note})")
        panel.set_xlabel(f"{AXES[row.projection[0]]} [length]")
        panel.spines[:].set_visible(False)
    pair[0].set_ylabel(f"{AXES[row.projection[1]]} [length]")
    pair[1].tick_params(labelleft=False)
    bar = figure.colorbar(image, cax=pair[1].inset_axes((1.04, 0.0, 0.05, 1.0)))  # as high as the panel
    bar.set_label("density [1/length²]")
    bar.outline.set_visible(False)


def _box(row: _Row) -> NDArray[np.float64]:
    """(2, 2) low and high of the picture along its two axes, the same for both clouds."""
    tail = (1 - SHOWN) / 2
    ends = np.array([np.quantile(cloud[:, row.projection], [tail, 1 - tail], axis=0) for cloud in row.clouds])
    low, high = ends[:, 0].min(0), ends[:, 1].max(0)
    longest = float((high - low).max()) or 1.0
    # a margin, which takes in all of a cloud with an edge, and some width for a cloud that has none along an axis
    margin = np.maximum(0.04 * longest, (0.2 * longest - (high - low)) / 2)
    return np.stack([low - margin, high + margin], 1).astype(np.float64)


def _bins(row: _Row) -> int:
    """Cells along the longer side: the smaller cloud has about five particles in a cell, more where it is dense."""
    return int(np.clip(0.45 * math.sqrt(min(len(cloud) for cloud in row.clouds)), FEWEST_BINS, MOST_BINS))


def _density(points: Cloud, box: NDArray[np.float64], bins: int) -> tuple[NDArray[np.float64], float]:
    """Density (kx, ky) [1/length^2] on square cells, and the part of the cloud that lies outside the box."""
    extent = box[:, 1] - box[:, 0]
    shape = np.maximum(np.rint(extent / extent.max() * bins).astype(int), 1)
    counts, *_ = np.histogram2d(points[:, 0], points[:, 1], bins=(int(shape[0]), int(shape[1])), range=box.tolist())
    inside = float(counts.sum()) / len(points)
    return counts / (len(points) * float(np.prod(extent / shape))), 1.0 - inside if inside < 1.0 else 0.0


def _count(n: int) -> str:
    """10000 as 10⁴, others in digits."""
    power = round(math.log10(n))
    if n != 10**power or n < 1000:
        return str(n)
    return "10" + str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
