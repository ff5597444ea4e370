"""What the spacing of floating-point numbers does to a cloud far from the origin: float32 near 1e6 has 1/16 between
two numbers, and a Brownian step of 0.01 is lost there.

Rounding to a spacing h adds h^2 / 12 to the variance 2 mu dt of every step; where the step is shorter than h, most of
it is lost instead. A store holds float32 whatever the run's precision is.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..config import SimulateConfig
from ..errors import ConfigError
from .intervals import longest_step
from .problem import Case, Problem

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
    if c.origin == "moving":
        x = x - x.mean(0)
    if not c.T or not np.isfinite(x).all():
        return None
    far = np.abs(x).max(1)
    width = math.sqrt(float(((x - x.mean(0)) ** 2).sum(1).mean()))
    mu = min((case.mu for case in problem.cases if case.mu > 0), default=0.0)
    spread = math.hypot(width, math.sqrt(2 * c.dim * mu * c.T))
    if spread == 0.0 or not math.isfinite(spread):
        return None
    stored = _common(np.spacing(far.astype(np.float32)))
    if stored > spread / FEW:
        told = f"numbers of float32, which stores hold, are {stored:.2g} apart near {far.max():.3g}"
        raise ConfigError(f"{told}, and the cloud is {spread:.2g} wide", _advice(c, wider=False))
    spacing, brownian = np.spacing(far.astype(c.dtype)), math.sqrt(2 * mu * longest_step(c.snapshots, c.dt))
    if _diffuses(c, mu, spread) and (lost := float((spacing > brownian).mean())) > PART:
        told = f"{_apart(c, float(far.max()))}, and a Brownian step is {brownian:.2g} long: {lost:.0%} would lose it"
        raise ConfigError(told, _advice(c))
    doubts = (coarse_steps(c, case, float(far.max()), spread) for case in problem.cases)
    return next((doubt for doubt in doubts if doubt), None)


def motion_warning(
    c: SimulateConfig, case: Case, far: float, width: float, t: float, shortest: float = math.inf
) -> str | None:
    """The like at ``t``, in motion: coordinates have come to ``far``, the cloud is ``width`` wide along an axis, and
    steps have been halved down to ``shortest`` [time]."""
    if not (0 < width < math.inf and far < math.inf):
        return None
    stored = float(np.spacing(np.float32(far)))
    if stored > width / FEW:
        told = f"numbers of float32, which stores hold, are {stored:.2g} apart near {far:.3g}"
        return f"by t = {t:.3g}{case.place} {told}, and the cloud is {width:.2g} wide; {_advice(c, wider=False)}"
    doubt = coarse_steps(c, case, far, width, shortest)
    return doubt and f"by t = {t:.3g}{case.place} {doubt}"


def coarse_steps(c: SimulateConfig, case: Case, far: float, spread: float, shortest: float = math.inf) -> str | None:
    """A sentence where numbers near ``far`` are too coarse for the steps of a case whose cloud is ``spread`` wide.

    Steps are those of the configuration, or ``shortest`` [time] where they have been halved to less.
    """
    spacing = float(np.spacing(np.dtype(c.dtype).type(far)))
    step = min(longest_step(c.snapshots, c.dt), shortest)
    brownian = math.sqrt(2 * case.mu * step)
    if _diffuses(c, case.mu, spread) and spacing**2 > 12 * ADDED * brownian**2:
        added = spacing**2 / (12 * brownian**2)
        return f"{_apart(c, far)}: rounding adds {added:.2g} of the diffusion there; {_advice(c)}"
    delta, pull = math.sqrt(case.kernel_args[0]), abs(case.chi) * case.mass
    if pull and 0 < delta < LENGTHS * spacing:
        return f"{_apart(c, far)}, and delta is {delta:.2g}; {_advice(c)}"
    if not case.mu and pull:
        moved = step * pull / (2 * math.pi * spread ** (c.dim - 1))
        if moved * math.sqrt(c.T / step) < LENGTHS * spacing:  # roundings add up as the root of their number
            return f"{_apart(c, far)}, and attraction moves particles by {moved:.2g} in a step; {_advice(c)}"
    return None


def _diffuses(c: SimulateConfig, mu: float, spread: float) -> bool:
    """Whether diffusion counts at all for a cloud that is ``spread`` wide."""
    return mu > 0 and math.sqrt(2 * mu * c.T) > PART * spread


def _apart(c: SimulateConfig, far: float) -> str:
    return f"numbers of {c.dtype} near {far:.3g} are {float(np.spacing(np.dtype(c.dtype).type(far))):.2g} apart"


def _advice(c: SimulateConfig, wider: bool = True) -> str:
    """What helps; ``wider`` says whether float64 does."""
    ways = ["centre the cloud"] if c.origin == "moving" else ["centre the cloud", "use --origin moving"]
    return ", or ".join(ways + (["use --dtype float64"] if wider and c.dtype == "float32" else []))


def _common(spacing: NDArray[np.floating]) -> float:
    """What the spacing is for one particle in a hundred, at least."""
    return float(np.quantile(spacing, 1 - PART))
