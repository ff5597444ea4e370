"""Pictures: arrays in, a file out (PNG, PDF or SVG by its suffix). matplotlib is imported when one is drawn."""

from __future__ import annotations

from .curves import moment_curve, training_curves
from .histograms import histogram_grid, histogram_pair

__all__ = ["histogram_grid", "histogram_pair", "moment_curve", "training_curves"]
