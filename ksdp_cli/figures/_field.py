"""The chemical below the particles: filled contours of c in the plane, or of a plane section in space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ._density import Projection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Largest number of contours; the colour map and its range, lighter than most particles.
LEVELS, COLOURS, LIGHTEST, DARKEST = 9, "Blues", 0.04, 0.55


@dataclass(frozen=True)
class Field:
    """c on a regular grid: coordinates along x, y (, z), and values with one index for each."""

    axes: Sequence[NDArray[np.float64]]
    values: NDArray[np.floating[Any]]

    def section(self, projection: Projection, cloud: Cloud) -> Section:
        """c over the axes of ``projection``; in space, on the grid plane closest to the mean of ``cloud`` (n, 3)."""
        index: list[Any] = [slice(None)] * len(self.axes)
        caption = "contours: c"
        for axis in set(range(len(self.axes))) - set(projection):
            index[axis] = int(np.argmin(np.abs(self.axes[axis] - float(cloud[:, axis].mean()))))
            caption = f"contours: c at {'xyz'[axis]} = {self.axes[axis][index[axis]]:.2g}"
        values = self.values[tuple(index)]
        x, y = (self.axes[axis] for axis in projection)
        return Section(x, y, values if projection[0] < projection[1] else values.T, caption)


@dataclass(frozen=True)
class Section:
    """c (len(x), len(y)) in a picture, with its caption."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    values: NDArray[np.floating[Any]]
    caption: str


def levels_of(sections: Sequence[Section]) -> NDArray[np.float64]:
    """Round contour values for all ``sections``; fewer than two if c is constant."""
    from matplotlib.ticker import MaxNLocator

    ends = [(float(one.values.min()), float(one.values.max())) for one in sections]
    low, high = min((a for a, _ in ends), default=0.0), max((b for _, b in ends), default=0.0)
    low = 0.0 if -0.01 * high < low < 0.0 else low  # c vanishes there, to the accuracy of its modes
    return np.asarray(MaxNLocator(LEVELS).tick_values(low, high)) if high > low else np.empty(0)


def draw_field(panel: Axes, section: Section, levels: NDArray[np.float64]) -> None:
    """Draw labelled contours of c below everything else in ``panel``; does not change its limits."""
    if len(levels) < 2 or min(section.values.shape) < 2:
        return
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap
    from matplotlib.patheffects import AbstractPathEffect, withStroke

    shades = ListedColormap(colormaps[COLOURS](np.linspace(LIGHTEST, DARKEST, 64)))
    x, y = (one.astype(float) for one in (section.x, section.y))
    panel.contourf(x, y, section.values.T, levels, cmap=shades, zorder=-2, extend="both")
    levels = levels[
        levels > levels[0] + 0.02 * (levels[-1] - levels[0])
    ]  # rounding draws spurious lines where c vanishes
    low, high = float(section.values.min()), float(section.values.max())
    if ((levels > low) & (levels < high)).any():
        around: list[AbstractPathEffect] = [
            withStroke(linewidth=1.3, foreground="white", alpha=0.7)
        ]  # visible on dark particles
        lines = panel.contour(x, y, section.values.T, levels, colors="#1f5f9f", linewidths=0.6, zorder=3)
        lines.set_path_effects(around)
        for label in panel.clabel(lines, fontsize=6, colors="#123a63", fmt="%.3g", inline_spacing=2):
            label.set_path_effects(around)
