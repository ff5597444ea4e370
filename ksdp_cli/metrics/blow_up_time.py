"""Blow-up time, estimated from the time in which the cloud last halved its radius.

In the plane a blow-up concentrates the critical mass 8 pi mu / chi in a point (Nagai; Senba and Suzuki), so the radius
R that holds it goes to 0. With diffusive scaling R^2 is proportional to t_b - t; logarithms make it fall somewhat
faster. Let R pass 2 r at time t_1 and r at time t_2. The time left at t_2 is (t_2 - t_1) / 3 for R^2 linear in time,
which is the estimate. It is between 0 and t_2 - t_1 if R falls no slower than linearly, which is the interval. In space
there is no critical mass; the largest density grows like 1 / (t_b - t), and R^2 stands for its inverse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class BlowUpTime:
    """The estimate ``t`` in the interval [``low``, ``high``]; ``radius`` [length] is r, the last that R has passed."""

    t: float
    low: float
    high: float
    radius: float


def blow_up_time(times: ArrayLike, squares: ArrayLike, least: float) -> BlowUpTime | None:
    """Estimate the blow-up time from ``squares`` R^2 (n,) at ``times`` (n,), with r = ``least`` [length].

    Returns None if R did not fall from above 2 r to r. Ignores squares that are not finite.
    """
    t, s = np.asarray(times, np.float64), np.asarray(squares, np.float64)
    finite = np.isfinite(s)
    t, s = t[finite], s[finite]
    level = least**2 * (1.0 + 1e-9)  # allows for the rounding of a root and a square
    first, second = passed(t, s, 4.0 * level), passed(t, s, level)
    if first is None or second is None:
        return None
    halving = second - first
    return BlowUpTime(second + halving / 3.0, second, second + halving, least)


def passed(t: np.ndarray, s: np.ndarray, level: float) -> float | None:
    """Time at which ``s`` (n,), given at times ``t`` (n,), first falls to ``level``, by linear interpolation.

    None if ``s`` starts at or below ``level``, or never falls to it.
    """
    below = np.flatnonzero(s <= level)
    if not below.size or below[0] == 0:
        return None
    k = int(below[0])
    return float(t[k - 1] + (t[k] - t[k - 1]) * (s[k - 1] - level) / (s[k - 1] - s[k]))
