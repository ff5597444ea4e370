"""Pictures: arrays in, a file out (PNG, PDF or SVG by its suffix). matplotlib is imported when one is drawn."""

from __future__ import annotations

from .curves import Curves, curve_panels, moment_curve, training_curves, training_panel
from .histograms import histogram_grid, histogram_pair, histogram_sections, histogram_sheet

__all__ = [
    "Curves",
    "curve_panels",
    "histogram_grid",
    "histogram_pair",
    "histogram_sections",
    "histogram_sheet",
    "moment_curve",
    "training_curves",
    "training_panel",
]
