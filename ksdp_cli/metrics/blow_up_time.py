"""When a cloud blows up, from a pair of refinements: how long it took to become half as wide again.

In the plane a blow-up gathers the critical mass 8 pi mu / chi in a point (Nagai; Senba and Suzuki): the radius R that
holds it goes to 0. Where the last stage is that of diffusion, R^2 falls as t_b - t; it falls somewhat faster than that,
by logarithms. With t_1 and t_2 the times at which R passes 2 r and r, the time that is left at t_2 is (t_2 - t_1) / 3
for R^2 linear in time, less than t_2 - t_1 as long as R falls no faster than linearly, and not negative. That is the
estimate, and its interval. In space there is no critical mass; the largest density grows like 1 / (t_b - t), and r^2
stands for its inverse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class BlowUpTime:
    """``t`` within [``low``, ``high``]; ``radius`` is the one that was passed last, resolved [length]."""

    t: float
    low: float
    high: float
    radius: float


def blow_up_time(times: ArrayLike, squares: ArrayLike, least: float) -> BlowUpTime | None:
    """From ``squares`` R^2 at ``times``, resolved down to ``least``^2; None where R did not fall from twice that."""
    t, s = np.asarray(times, np.float64), np.asarray(squares, np.float64)
    known = np.isfinite(s)
    t, s = t[known], s[known]
    level = least**2 * (1.0 + 1e-9)  # whatever a root and a square round to
    first, second = passed(t, s, 4.0 * level), passed(t, s, level)
    if first is None or second is None:
        return None
    rest = second - first
    return BlowUpTime(second + rest / 3.0, second, second + rest, least)


def passed(t: np.ndarray, s: np.ndarray, level: float) -> float | None:
    """When ``s`` at times ``t`` first falls to ``level``, linear between them; None where it begins below it, or never
    does."""
    below = np.flatnonzero(s <= level)
    if not below.size or below[0] == 0:
        return None
    k = int(below[0])
    return float(t[k - 1] + (t[k] - t[k - 1]) * (s[k - 1] - level) / (s[k - 1] - s[k]))
