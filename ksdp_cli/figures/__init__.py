"""Pictures from arrays to a file (PNG, PDF or SVG by its suffix; films as GIF, WebP or MP4).

Drawing a picture imports matplotlib.
"""

from __future__ import annotations

from ._canvas import is_own_picture, keep_figures, require_suffix
from ._field import Field
from ._panels import COLOURS, count_text
from .curves import Curves, curve_panels, moment_curve, training_curves, training_panel
from .film import FILMS, film, require_ffmpeg
from .histograms import histogram_grid, histogram_pair, histogram_sections, histogram_sheet

__all__ = [
    "COLOURS",
    "FILMS",
    "Curves",
    "Field",
    "count_text",
    "curve_panels",
    "film",
    "histogram_grid",
    "histogram_pair",
    "histogram_sections",
    "histogram_sheet",
    "is_own_picture",
    "keep_figures",
    "moment_curve",
    "require_ffmpeg",
    "require_suffix",
    "training_curves",
    "training_panel",
]
