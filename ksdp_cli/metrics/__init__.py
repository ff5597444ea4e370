"""Distances between clouds with their noise floor, and moments: functions from arrays to numbers.

>>> import numpy as np
>>> from ksdp_cli.metrics import exact_w2_squared, moments
>>> a, b = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 2.0], [0.0, 2.0]])
>>> exact_w2_squared(a, b)  # every point moves up by 2
4.0
>>> moments(a).second_moment
0.5
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazily
from .moments import Moments, moment_differences, moment_rows, moment_values, moments

if TYPE_CHECKING:
    from .base import Distance, Profile, Transport
    from .binned import binned_w2_squared
    from .bound import bound_w2_squared
    from .comparison import Comparison, compare_clouds
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

#: A run needs moments alone; the solvers behind the others load at their first use.
_HOMES = {
    "Approximation": ".panel",
    "Comparison": ".comparison",
    "Distance": ".base",
    "Profile": ".base",
    "Transport": ".base",
    "announce": ".plan",
    "approximation": ".panel",
    "binned_w2_squared": ".binned",
    "bound_w2_squared": ".bound",
    "compare_clouds": ".comparison",
    "exact_w2_squared": ".wasserstein",
    "radial_comparison": ".radial",
    "radial_distribution": ".radial",
    "sliced_w2_squared": ".sliced",
    "w2_memory": ".wasserstein",
}
__getattr__ = lazily(__name__, _HOMES)
