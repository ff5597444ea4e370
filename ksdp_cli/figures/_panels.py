"""Rows of density panels: square cells, shared colours, a colour bar beside each row.

The colour is a root of the density, because an aggregate is a hundred times denser than the tail that gives its shape.
Brightness falls from white (empty) to dark (dense), so that pictures can be printed and read without colour vision.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ._canvas import picture
from ._density import Box, Projection, cell_side, density, point_masses
from ._field import Field, Section, draw_field, levels_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXES = "xyz"
COLOURS = "magma_r"
#: Space in inches: beside a panel with axis labels and without, above and below a panel, for a colour bar, for a title.
LABELLED, PLAIN, AROUND, BAR, TITLE = 0.65, 0.2, 0.9, 0.75, 0.35
#: A point that holds many particles: its colour, and the area of the disc of all particles [points^2].
HEAVY, DISC = "#0072B2", 300.0
#: Exponents of the colour scale: for pairs, and for sheets from the initial cloud to the aggregate.
SQUARE_ROOT, CUBE_ROOT = 1 / 2, 1 / 3
ROOTS = {SQUARE_ROOT: "square root", CUBE_ROOT: "cube root"}
#: Height of a page, and smallest width of a panel that is shrunk to fit on it, in inches.
PAGE, NARROWEST = 10.5, 1.5


@dataclass(frozen=True)
class Cell:
    """One panel: a cloud (n, d) in a projection within a box, with the chemical below it if it is known."""

    cloud: Cloud
    projection: Projection
    box: Box
    head: str
    field: Field | None = None

    @property
    def extent(self) -> tuple[float, float]:
        width, height = self.box[:, 1] - self.box[:, 0]
        return float(width), float(height)

    @cached_property
    def split(self) -> tuple[Cloud, Cloud, NDArray[np.float64]]:
        """Particles with a place of their own, and heavy points with the parts that they hold."""
        return point_masses(self.cloud)

    @cached_property
    def section(self) -> Section | None:
        """c in the panel, or None."""
        return self.field.section(self.projection, self.cloud) if self.field else None


@dataclass(frozen=True)
class Row:
    """Panels side by side; rows of one ``scale`` share their colours and the size of their cells."""

    cells: Sequence[Cell]
    scale: Hashable


#: Density on the cells of a panel, and the fraction of the cloud outside.
PanelDensity = tuple[NDArray[np.float64], float]


def draw(rows: Sequence[Row], path: str | Path, title: str, width: float, power: float = SQUARE_ROOT) -> None:
    """Write the picture; ``width`` is the total width of the first row's panels [inches]."""
    counts, (inch, size) = count(rows), scaled(rows, title, width)
    with picture(path, *size, layout="compressed") as figure:
        paint(figure, rows, counts, title, inch, power)


def scaled(rows: Sequence[Row], title: str, width: float) -> tuple[float, tuple[float, float]]:
    """Inches for a unit of length, reduced if the page is too low, and the size (width, height) of the picture."""
    widths = [cell.extent[0] for cell in rows[0].cells]
    inch = width / sum(widths)
    heights = _heights(rows)
    fixed = AROUND * len(rows) + TITLE * bool(title)
    if inch * sum(heights) + fixed > PAGE:
        inch = max((PAGE - fixed) / sum(heights), NARROWEST / min(widths))
    beside = sum(LABELLED if has_label else PLAIN for has_label in _has_labels(rows[0]))
    return inch, (inch * sum(widths) + beside + BAR, inch * sum(heights) + fixed)


@dataclass(frozen=True)
class Counts:
    """The densities of each row's panels; for each scale the highest density and all its panels."""

    rows: Sequence[Sequence[PanelDensity]]
    tops: dict[Hashable, float]
    alike: dict[Hashable, list[Cell]]


def count(rows: Sequence[Row]) -> Counts:
    """Compute the densities of ``rows``."""
    scales = {row.scale: [cell for other in rows if other.scale == row.scale for cell in other.cells] for row in rows}
    sides = {name: cell_side([c.cloud for c in cells], [c.box for c in cells]) for name, cells in scales.items()}
    densities_of_rows = [[_count(cell, sides[row.scale]) for cell in row.cells] for row in rows]
    tops = dict.fromkeys(scales, 0.0)
    for row, densities in zip(rows, densities_of_rows, strict=True):
        tops[row.scale] = max(tops[row.scale], *(float(values.max()) for values, _ in densities))
    return Counts(densities_of_rows, tops, scales)


def paint(
    figure: Figure,
    rows: Sequence[Row],
    counts: Counts,
    title: str,
    inch: float,
    power: float,
) -> None:
    """Draw ``rows`` into ``figure``, with the results of `count` and `scaled`."""
    widths, heights = [cell.extent[0] for cell in rows[0].cells], _heights(rows)
    grid = figure.subplots(len(rows), len(widths), squeeze=False, width_ratios=widths, height_ratios=heights)
    for row, panels, densities, height in zip(rows, grid, counts.rows, heights, strict=True):
        _draw_row(figure, row, panels, densities, (power, counts.tops[row.scale]), 4 if inch * height > 1.4 else 3)
        _draw_fields(row, panels, counts.alike[row.scale])
    if title:
        figure.suptitle(title)


def _heights(rows: Sequence[Row]) -> list[float]:
    widths = [cell.extent[0] for cell in rows[0].cells]
    return [max(w / c.extent[0] * c.extent[1] for w, c in zip(widths, row.cells, strict=False)) for row in rows]


def _count(cell: Cell, side: float) -> PanelDensity:
    """Density of the particles that have a place of their own, as a part of all, and the fraction of all outside."""
    alone, _, parts = cell.split
    values, outside = density(alone[:, cell.projection], cell.box, side)
    return values * (1.0 - parts.sum()), outside * float(1.0 - parts.sum())


def _has_labels(row: Row) -> list[bool]:
    """Whether each panel labels its vertical axis; not if its left neighbour has the same projection."""
    left = [None, *(cell.projection for cell in row.cells)]
    return [cell.projection != other for cell, other in zip(row.cells, left, strict=False)]


def _draw_row(
    figure: Figure,
    row: Row,
    panels: Sequence[Axes],
    densities: Sequence[tuple[NDArray[np.float64], float]],
    colours: tuple[float, float],
    ticks: int,
) -> None:
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import MaxNLocator

    power, top = colours
    norm = PowerNorm(power, 0.0, top or 1.0)
    for panel, cell, (values, outside), has_label in zip(panels, row.cells, densities, _has_labels(row), strict=False):
        image_values = np.ma.masked_equal(values.T, 0.0)  # empty cells stay white
        (x0, x1), (y0, y1) = cell.box.tolist()
        image = panel.imshow(
            image_values, cmap=COLOURS, norm=norm, origin="lower", extent=(x0, x1, y0, y1), interpolation="nearest"
        )
        note = f"N = {count_text(len(cell.cloud))}" + (f", {100 * outside:.2g} % outside" if outside else "")
        _, points, parts = cell.split
        if len(parts):
            note += f", {100 * parts.sum():.2g} % in {'a point' if len(parts) == 1 else f'{len(parts)} points'}"
            x, y = points[:, cell.projection].T
            panel.scatter(x, y, s=DISC * parts, facecolor=HEAVY, edgecolor="white", linewidth=0.8, gid="heavy")
            panel.set_xlim(x0, x1)
            panel.set_ylim(y0, y1)
        panel.set_title(cell.head, pad=15)
        panel.annotate(note, (0.5, 1.0), (0, 4), "axes fraction", "offset points", ha="center", size=8, color="0.35")
        panel.set_xlabel(f"{AXES[cell.projection[0]]} [length]")
        if has_label:
            panel.set_ylabel(f"{AXES[cell.projection[1]]} [length]")
        else:
            panel.tick_params(labelleft=False)
        last = panel
    for panel in panels[len(row.cells) :]:
        panel.set_axis_off()
    if len(row.cells) < len(panels):
        return  # the row above has the same colours, and a bar here would move the panels apart
    # as high as the panel, with few ticks, which are close together at the dense end
    locator = MaxNLocator(ticks, min_n_ticks=3)
    bar = figure.colorbar(image, cax=last.inset_axes((1.04, 0.0, 0.05, 1.0)), ticks=locator)
    bar.set_label(f"density [1/length²]\n{ROOTS[power]} scale")
    bar.outline.set_visible(False)


def _draw_fields(row: Row, panels: Sequence[Axes], alike: Sequence[Cell]) -> None:
    """Draw the chemical below the panels of a row, with common contours for all cells of its scale."""
    levels = levels_of([cell.section for cell in alike if cell.section])
    for panel, cell in zip(panels, row.cells, strict=False):
        if cell.section:
            draw_field(panel, cell.section, levels)
            panel.set_xlim(*cell.box[0])
            panel.set_ylim(*cell.box[1])
            panel.annotate(cell.section.caption, (0.02, 0.02), xycoords="axes fraction", size=7, color="#1b3c5c")


def count_text(n: int) -> str:
    """Format 10000 as 10⁴, other numbers in digits."""
    power = round(math.log10(n))
    if n != 10**power or n < 1000:
        return str(n)
    return "10" + str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
