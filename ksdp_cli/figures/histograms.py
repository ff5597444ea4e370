"""Clouds as densities side by side, as in figures 2 to 6, 8 and 9: network samples beside simulated particles.

The density is binned, so the picture of 10^6 particles costs no more than that of 10^4. Clouds that are compared have
the same square cells, limits and colours, so that a difference in the picture is a difference of the clouds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..base.shapes import Cloud
from ..errors import ConfigError
from ._density import Projection, box_of, levelled, limits, projections_of, require_clouds
from ._field import Field
from ._panels import CUBE_ROOT, Cell, Row, draw

#: Total width in inches of the panels of one row.
PAIR, SHEET, SECTIONS = 6.2, 9.0, 8.6
#: Number of panels in a row of a sheet, for panels up to this ratio of width to height; 2 for wider panels.
COLUMNS = {4: 1.3, 3: 2.2}


def histogram_pair(
    network: Cloud,
    reference: Cloud,
    path: str | Path,
    *,
    title: str = "",
    labels: tuple[str, str] = ("network", "simulation"),
) -> None:
    """Draw the density of ``network`` (n, d) beside that of ``reference`` (m, d), one row for each projection: (x, y)
    in 2D; (x, y), (x, z), (y, z) in 3D.

    Raises `DataError` for clouds that cannot be panels, `ConfigError` for another suffix of ``path``.
    """
    require_clouds((network, reference))
    rows = [_pair((network, reference), axes, labels) for axes in projections_of(network.shape[1])]
    draw(rows, path, title, PAIR)


def histogram_grid(
    rows: Sequence[tuple[str, Cloud, Cloud]],
    path: str | Path,
    *,
    title: str = "",
    labels: tuple[str, str] = ("network", "simulation"),
) -> None:
    """Draw x and y of each (label, network (n, d), reference (m, d)), one row for each, for example for each
    amplitude A.

    Raises as `histogram_pair` does, and `ConfigError` without rows.
    """
    _require_rows(rows)
    panels = []
    for label, network, reference in rows:
        require_clouds((network, reference))
        heads = (f"{label}, {labels[0]}", f"{label}, {labels[1]}") if label else labels
        panels.append(_pair((network, reference), (0, 1), heads))
    draw(panels, path, title, PAIR)


def histogram_sections(
    rows: Sequence[tuple[str, Cloud, Cloud]],
    path: str | Path,
    *,
    title: str = "",
    labels: tuple[str, str] = ("network", "simulation"),
) -> None:
    """Draw all projections of each (label, network (n, d), reference (m, d)), as figure 5: network above, reference
    below.

    Each pair has its own colours; all panels share the limits. Raises as `histogram_grid` does.
    """
    _require_rows(rows)
    every = [cloud for _, *pair in rows for cloud in pair]
    require_clouds(every)
    planes = projections_of(every[0].shape[1])
    ends = levelled(limits(every), planes)
    panels = []
    for number, (label, *pair) in enumerate(rows):
        for name, cloud in zip(labels, pair, strict=True):
            head = f"{label}, {name}" if label else name
            panels.append(Row([Cell(cloud, axes, ends[list(axes)], head) for axes in planes], number))
    draw(panels, path, title, SECTIONS)


def histogram_sheet(
    clouds: Sequence[tuple[str, Cloud]],
    path: str | Path,
    *,
    title: str = "",
    fields: Sequence[Field | None] = (),
) -> None:
    """Draw the densities of (label, cloud (n, d)), for example the snapshots of a run, with common limits and colours.

    ``fields`` holds the chemical below each cloud, panels as contours; in 3D of a section through the mean of the
    cloud. Clouds in 2D are panels in reading order, one in 3D is a row of its projections. Raises as `histogram_grid`
    does.
    """
    _require_rows(clouds)
    every = [cloud for _, cloud in clouds]
    require_clouds(every)
    planes = projections_of(every[0].shape[1])
    ends = levelled(limits(every), planes)
    under = [*fields, *[None] * (len(clouds) - len(fields))]
    cells = [
        [Cell(cloud, axes, ends[list(axes)], label, field) for axes in planes]
        for (label, cloud), field in zip(clouds, under, strict=True)
    ]
    if len(planes) == 1:
        flat = [cell for row in cells for cell in row]
        columns = _columns(flat[0], len(flat))
        cells = [flat[i : i + columns] for i in range(0, len(flat), columns)]
    draw([Row(row, 0) for row in cells], path, title, min(SHEET, PAIR / 2 * len(cells[0])), CUBE_ROOT)


def _pair(clouds: tuple[Cloud, Cloud], projection: Projection, heads: tuple[str, str]) -> Row:
    box = box_of(clouds, projection)
    cells = [Cell(cloud, projection, box, head) for cloud, head in zip(clouds, heads, strict=True)]
    return Row(cells, object())  # a scale of its own


def _columns(cell: Cell, count: int) -> int:
    width, height = cell.extent
    most = next((columns for columns, ratio in COLUMNS.items() if width <= ratio * height), 2)
    if most < count <= 2 * most:
        return -(-count // 2)  # two rows of about the same length
    return min(most, count)


def _require_rows(rows: Sequence[object]) -> None:
    if not rows:
        raise ConfigError("a grid of histograms without rows", "give at least one row")
