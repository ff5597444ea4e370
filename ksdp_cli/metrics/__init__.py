"""Distances between clouds with their noise floor, and moments: functions from arrays to numbers.

>>> import numpy as np
>>> a, b = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 2.0], [0.0, 2.0]])
>>> exact_w2_squared(a, b)  # every point moves up by 2
4.0
>>> moments(a).second_moment
0.5
"""

from __future__ import annotations

from .base import Distance, Profile, Transport
from .binned import binned_w2_squared
from .bound import bound_w2_squared
from .comparison import Comparison, compare_clouds
from .moments import (
    Moments,
    moment_differences,
    moment_rows,
    moment_values,
    moments,
)
from .panel import Approximation, approximation
from .plan import announce
from .radial import radial_comparison, radial_distribution
from .sliced import sliced_w2_squared
from .wasserstein import exact_w2_squared, w2_memory

__all__ = [
    "Approximation",
    "Comparison",
    "Distance",
    "Moments",
    "Profile",
    "Transport",
    "announce",
    "approximation",
    "binned_w2_squared",
    "bound_w2_squared",
    "compare_clouds",
    "exact_w2_squared",
    "moment_differences",
    "moment_rows",
    "moment_values",
    "moments",
    "radial_comparison",
    "radial_distribution",
    "sliced_w2_squared",
    "w2_memory",
]
