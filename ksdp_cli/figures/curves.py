"""Curves of moments and distances over a parameter, and of losses over the step, in one panel or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.labels import evenly
from ..errors import DataError
from ._canvas import COLOURS, DASHES, MARKERS, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

#: x (k,), y (k,), and standard errors (k,) or None.
Curve = tuple[ArrayLike, ArrayLike, ArrayLike | None]
WIDTH, HEIGHT = 5.4, 3.6
#: Width in inches of each of two panels, and of each of more; a page shrinks a wide picture together with its text.
TWO, MORE = 4.0, 3.3
#: Largest number of curves with a legend entry each; more are coloured in order, with a few entries.
NAMED = 6
EXTRAPOLATION = "extrapolation"


@dataclass(frozen=True)
class Curves:
    """One panel. Curves with errors are points with bars of two standard errors; other curves are lines.

    For the curves named in ``bands`` the errors are the half widths of a band around points joined by a line. The lines
    named in ``marked`` also show their points. ``levels`` are horizontal lines, such as a noise floor. Values above
    ``trained_to`` are shaded as "extrapolation".
    """

    curves: Mapping[str, Curve]
    xlabel: str
    ylabel: str = "E|X|² [length²]"
    title: str = ""
    xlog: bool = False
    ylog: bool = False
    trained_to: float | None = None
    levels: Mapping[str, float] = field(default_factory=dict)
    marked: frozenset[str] = frozenset()
    bands: frozenset[str] = frozenset()


def curve_panels(panels: Sequence[Curves], path: str | Path, *, title: str = "") -> None:
    """Draw panels side by side, as in figures 1 and 7; several panels get letters (a), (b), ...

    Raises `DataError` for a panel without curves, for curves of unequal lengths, and for numbers that are not finite,
    or not positive on a logarithmic axis; `ConfigError` for the suffix of ``path``.
    """
    if not panels:
        raise DataError("there is no panel to draw", "give at least one")
    arrays = [_check(panel) for panel in panels]
    several = len(panels) > 1
    width = (TWO if len(panels) == 2 else MORE) * len(panels) if several else WIDTH
    with picture(path, width, HEIGHT + 0.3 * bool(title)) as figure:
        for number, (axes, panel) in enumerate(
            zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True)
        ):
            _draw(axes, panel, arrays[number])
            if len(panels) > 2 and not panel.xlog:
                axes.locator_params(
                    axis="x", nbins=6, steps=[1, 2, 5, 10]
                )  # otherwise the tick labels of a narrow panel touch
            if several:
                axes.set_title(f"({'abcdefghijklmnopqrstuvwxyz'[number % 26]}) {panel.title}".strip(), loc="left")
            else:
                axes.set_title(panel.title)
        if title:
            figure.suptitle(title)


def moment_curve(
    curves: Mapping[str, Curve],
    path: str | Path,
    *,
    xlabel: str,
    ylabel: str = "E|X|² [length²]",
    title: str = "",
    trained_to: float | None = None,
    xlog: bool = False,
    bands: frozenset[str] = frozenset(),
) -> None:
    """Draw a moment over a parameter, as in figures 1(c), 7 and 10; see `Curves`. Raises as `curve_panels` does."""
    curve_panels([Curves(curves, xlabel, ylabel, title, xlog=xlog, trained_to=trained_to, bands=bands)], path)


def training_curves(history: Sequence[Mapping[str, object]], path: str | Path) -> None:
    """Draw loss and validation over the step, as in figure 1(b). Raises as `training_panel` and `curve_panels` do."""
    curve_panels([training_panel(history)], path)


def training_panel(history: Sequence[Mapping[str, object]], *, title: str = "") -> Curves:
    """The panel of loss and validation over the step, on a logarithmic scale, with the noise floor as a line.

    ``history``: rows with ``step``, ``loss`` (mean squared distance (14), [length^2]), ``validation`` (W2^2) or None,
    and perhaps ``floor``, the validation between two references; a loss over more particles has a lower floor. Raises
    `DataError` for a history without rows.
    """
    curves: dict[str, Curve] = {}
    for key, name in (("loss", "training loss, equation (14)"), ("validation", "validation")):
        rows = [(row["step"], row[key]) for row in history if row.get(key) is not None]
        if rows:
            steps, values = zip(*rows, strict=True)
            curves[name] = steps, values, None
    if not curves:
        raise DataError("the history has no loss and no validation", "train first")
    floors = [float(floor) for row in history if isinstance(floor := row.get("floor"), (int, float))]
    levels = {"noise floor of validation": floors[-1]} if floors else {}
    with_points = frozenset({"validation"})
    return Curves(curves, "gradient step", "W₂² [length²]", title, ylog=True, levels=levels, marked=with_points)


_Arrays = dict[str, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]]


def _check(panel: Curves) -> _Arrays:
    if not panel.curves:
        raise DataError("there is no curve to draw", "give at least one")
    arrays: _Arrays = {}
    for name, (x, y, errors) in panel.curves.items():
        xs, ys = np.asarray(x, float), np.asarray(y, float)
        bars = None if errors is None else np.asarray(errors, float)
        bars = None if bars is None or np.isnan(bars).any() else bars  # the error of one particle is unknown
        if xs.ndim != 1 or xs.shape != ys.shape or not len(xs) or (bars is not None and bars.shape != ys.shape):
            raise DataError(f"the curve {name!r} has x of shape {xs.shape} and y of shape {ys.shape}")
        for values, log in ((xs, panel.xlog), (ys, panel.ylog), (bars, False)):
            if values is not None and not np.isfinite(values).all():
                raise DataError(f"the curve {name!r} has {(~np.isfinite(values)).sum()} values that are not finite")
            if values is not None and log and values.min() <= 0:
                raise DataError(f"the curve {name!r} has the value {values.min():g} on a logarithmic axis")
        arrays[name] = xs, ys, bars
    return arrays


def _draw(axes: Axes, panel: Curves, rows: _Arrays) -> None:
    lines = 0
    for number, (name, (x, y, errors)) in enumerate(rows.items()):
        colour = _colour(number, len(rows))
        label = name if len(rows) <= NAMED or number in evenly(range(len(rows)), 4) else None
        if errors is not None and name in panel.bands:
            axes.plot(
                x, y, color=colour, marker=MARKERS[number % len(MARKERS)], markersize=4, linewidth=1.0, label=label
            )
            if len(x) > 1:
                axes.fill_between(x, y - errors, y + errors, color=colour, alpha=0.2, linewidth=0)
            else:
                axes.errorbar(x, y, errors, color=colour, capsize=2, linewidth=1.0)
            continue
        if errors is not None:
            options: dict[str, Any] = {
                "fmt": MARKERS[number % len(MARKERS)],
                "markersize": 4,
                "capsize": 2,
                "linewidth": 1.0,
            }
            axes.errorbar(x, y, 2 * errors, color=colour, label=label and f"{label} (± 2 s.e.)", **options)
            continue
        dash = DASHES[lines % len(DASHES)] if len(rows) <= NAMED else "-"
        marker = MARKERS[number % len(MARKERS)] if name in panel.marked else None
        width = 1.0 if len(x) > 200 else 1.6
        axes.plot(x, y, color=colour, linestyle=dash, marker=marker, markersize=3.5, linewidth=width, label=label)
        lines += 1
    for name, value in panel.levels.items():
        axes.axhline(value, color="0.45", linewidth=1.0, linestyle="--", label=name)
    if panel.xlog:
        axes.set_xscale("log")
        _plain_numbers(axes.xaxis)
    if panel.ylog:
        axes.set_yscale("log")
        _plain_numbers(axes.yaxis)
    if panel.trained_to is not None:
        left, right = axes.get_xlim()
        if max(float(x.max()) for x, _, _ in rows.values()) > panel.trained_to:
            axes.axvspan(panel.trained_to, right, color="0.92", zorder=0, label=EXTRAPOLATION)
        axes.set_xlim(left, right)
    axes.set(xlabel=panel.xlabel, ylabel=panel.ylabel)
    handles, names = axes.get_legend_handles_labels()
    order = sorted(range(len(names)), key=lambda i: names[i] == EXTRAPOLATION)  # curves first, then the shading
    axes.legend([handles[i] for i in order], [names[i] for i in order])


def _plain_numbers(axis: Axis) -> None:
    """Label ticks as plain numbers such as 0.01, since powers of ten need mathtext."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def __call__(self, value: float, pos: int | None = None) -> str:
            return f"{value:g}" if super().__call__(value, pos) else ""

    axis.set_major_formatter(Plain())
    axis.set_minor_formatter(Plain(minor_thresholds=(1, 0.4)))


def _colour(number: int, count: int) -> str | tuple[float, float, float, float]:
    if count <= NAMED:
        return COLOURS[number]
    from matplotlib import colormaps

    return colormaps["viridis"](0.9 * number / (count - 1))
