"""Distances with their noise floor, and moments."""

from __future__ import annotations

from .comparison import Comparison, compare_clouds
from .moments import Moments, moments
from .wasserstein import exact_w2_squared

__all__ = ["Comparison", "Moments", "compare_clouds", "exact_w2_squared", "moments"]
