"""What the spacing of floating-point numbers does to a cloud far from the origin: float32 near 1e6 has 1/16 between
two numbers, and a Brownian step of 0.01 is lost there.

Rounding to a spacing h adds h^2 / 12 to the variance 2 mu dt of every step; where the step is shorter than h, most of
it is lost instead. A store holds float32 whatever the run's precision is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..base.shapes import Cloud
from ..errors import ConfigError
from .intervals import longest_step
from .problem import Problem

#: Diffusion is doubted where rounding adds a part of it that is larger than this, which is a step of 6.5 spacings;
#: a length (delta, the width of the cloud) where it is less than so many spacings.
ADDED, LENGTHS = 0.002, 4.0
#: Diffusion and drift count where they move the cloud by this part of its width. The run is refused where this part of
#: the particles loses them, or where the store would round the cloud to so many spacings.
PART, FEW = 0.01, 10.0


def precision_warning(problem: Problem, cloud: Cloud) -> str | None:
    """A sentence where the numbers of ``cloud`` (J, d) are too coarse for the steps to come, but few of them.

    Raises `ConfigError` where they are so for one particle in a hundred, or the store could not hold the cloud.
    """
    c = problem.config
    x = np.asarray(cloud, np.float64)
    if not c.T or not np.isfinite(x).all():
        return None
    far = np.abs(x).max(1)
    width = math.sqrt(float(((x - x.mean(0)) ** 2).sum(1).mean()))
    step = longest_step(c.snapshots, c.dt)
    mu = min((case.mu for case in problem.cases if case.mu > 0), default=0.0)
    spread = math.hypot(width, math.sqrt(2 * c.dim * mu * c.T))
    if spread == 0.0 or not math.isfinite(spread):
        return None
    spacing = np.spacing(far.astype(c.dtype)).astype(np.float64)
    stored = np.spacing(far.astype(np.float32)).astype(np.float64)
    told = f"numbers of {c.dtype} near {far.max():.3g} are {spacing.max():.2g} apart"
    advice = "centre the cloud at the origin" + (", or use --dtype float64" if c.dtype == "float32" else "")
    if _common(stored) > spread / FEW:
        told = f"numbers of float32, which stores hold, are {stored.max():.2g} apart near {far.max():.3g}"
        raise ConfigError(f"{told}, and the cloud is {spread:.2g} wide", "centre the cloud at the origin")
    brownian = math.sqrt(2 * mu * step)
    if mu and math.sqrt(2 * mu * c.T) > PART * spread and spacing.max() ** 2 > 12 * ADDED * brownian**2:
        lost = float((spacing > brownian).mean())
        if lost > PART:
            raise ConfigError(f"{told}, and a Brownian step is {brownian:.2g} long: {lost:.0%} would lose it", advice)
        return f"{told}: rounding adds {spacing.max() ** 2 / (12 * brownian**2):.2g} of the diffusion there; {advice}"
    for case in problem.cases:
        delta, pull = math.sqrt(case.kernel_args[0]), abs(case.chi) * case.mass
        if pull and 0 < delta < LENGTHS * spacing.max():
            return f"{told}, and delta is {delta:.2g}; {advice}"
        if not mu and pull:
            moved = step * pull / (2 * math.pi * spread ** (c.dim - 1))
            if moved * math.sqrt(c.T / step) < LENGTHS * spacing.max():  # roundings add up as the root of their number
                return f"{told}, and attraction moves particles by {moved:.2g} in a step; {advice}"
    return None


def _common(spacing: np.ndarray[Any, Any]) -> float:
    """What the spacing is for one particle in a hundred, at least."""
    return float(np.quantile(spacing, 1 - PART))
