"""Curves: moments against a parameter, and losses against the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataError
from ._canvas import COLOURS, picture


def moment_curve(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike | None]],
    path: str | Path,
    *,
    xlabel: str,
    ylabel: str = "E|X|² [length²]",
    title: str = "",
    trained_to: float | None = None,
) -> None:
    """A moment against a parameter, as in figures 1(c), 7 and 10.

    ``curves``: name -> (x (k,), y (k,), standard errors (k,) or None). One with errors is drawn as points with bars of
    two standard errors, one without as a line. Beyond ``trained_to`` the picture says "extrapolation". Raises
    `DataError` for curves of unequal lengths or none, `ConfigError` for the suffix of ``path``.
    """
    rows = {name: (np.asarray(x, float), np.asarray(y, float), errors) for name, (x, y, errors) in curves.items()}
    if not rows:
        raise DataError("there is no curve to draw", "give at least one")
    for name, (x, y, _) in rows.items():
        if x.ndim != 1 or x.shape != y.shape or not len(x):
            raise DataError(f"the curve {name!r} has x of shape {x.shape} and y of shape {y.shape}")
    with picture(path, 5.4, 3.6) as figure:
        panel = figure.subplots()
        for colour, (name, (x, y, errors)) in zip(_cycle(len(rows)), rows.items(), strict=True):
            if errors is None:
                panel.plot(x, y, color=colour, linewidth=1.6, label=name)
            else:
                bars = 2 * np.asarray(errors, float)
                panel.errorbar(x, y, bars, color=colour, fmt="o", markersize=4, capsize=2, label=f"{name} (± 2 s.e.)")
        if trained_to is not None:
            left, right = panel.get_xlim()
            if max(float(x.max()) for x, _, _ in rows.values()) > trained_to:
                panel.axvspan(trained_to, right, color="0.92", zorder=0, label="extrapolation")
            panel.set_xlim(left, right)
        panel.set(xlabel=xlabel, ylabel=ylabel, title=title)
        panel.legend()


def training_curves(
    history: Sequence[Mapping[str, Any]], path: str | Path, floor: float | None = None, *, title: str = ""
) -> None:
    """Loss and validation against the step, as figure 1(b), on a logarithmic scale, with the noise floor as a line.

    ``history``: rows with ``step``, ``loss`` (mean squared distance (14), [length^2]) and ``validation`` (W2^2) or
    None. ``floor`` is W2^2 between two references, which neither curve can stay below. Raises `DataError` for a
    history without rows, `ConfigError` for the suffix of ``path``.
    """
    losses = [(row["step"], row["loss"]) for row in history if row.get("loss") is not None]
    checks = [(row["step"], row["validation"]) for row in history if row.get("validation") is not None]
    if not losses and not checks:
        raise DataError("the history has no loss and no validation", "train first")
    with picture(path, 5.4, 3.6) as figure:
        panel = figure.subplots()
        if losses:
            panel.plot(*zip(*losses, strict=True), color=COLOURS[0], linewidth=1.0, label="training loss (14)")
        if checks:
            panel.plot(
                *zip(*checks, strict=True), "o-", color=COLOURS[1], markersize=3.5, linewidth=1.2, label="validation"
            )
        if floor is not None:
            panel.axhline(floor, color=COLOURS[2], linewidth=1.0, linestyle="--", label="noise floor")
        panel.set_yscale("log")
        panel.set(xlabel="gradient step", ylabel="W₂² [length²]", title=title)
        panel.legend()


def _cycle(n: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(n)]
