"""Warnings about the spacing of floating-point numbers far from the origin.

Near 1e6 two float32 numbers differ by 1/16, so that a Brownian step of 0.01 is lost. Rounding to a spacing h adds
h^2 / 12 to the variance 2 mu dt of each step; most of a step shorter than h is lost instead. A store holds float32 for
any precision of the run.
"""

from __future__ import annotations

import math

import numpy as np

from ..base.shapes import Cloud
from ..config import SimulateConfig
from ..errors import ConfigError
from .intervals import longest_step
from .problem import Case, Problem

#: Warn if rounding adds more than this fraction to the diffusion, which is a step of 6.5 spacings, or if a length
#: (delta, the motion of a step) is below this number of spacings.
ADDED, LENGTHS = 0.002, 4.0
#: Diffusion matters if it moves the cloud by this fraction of its width, and a run is refused if this fraction of the
#: particles loses it. A run is also refused if the cloud is narrower than this number of the store's spacings.
PART, FEW = 0.01, 10.0


def precision_warning(problem: Problem, cloud: Cloud) -> str | None:
    """A warning if the spacing of numbers near ``cloud`` (J, d) is too coarse for the steps of some particles, or None.

    Raises `ConfigError` if it is too coarse for more than `PART` of the particles, or if a store cannot hold the cloud.
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
    spacing_in_store = float(np.quantile(np.spacing(far.astype(np.float32)), 1 - PART))
    if spacing_in_store > spread / FEW:
        message = f"{_stored_apart(spacing_in_store, float(far.max()))}, and the cloud is {spread:.2g} wide"
        raise ConfigError(message, _advice(c, wider=False))
    spacing, brownian = np.spacing(far.astype(c.dtype)), math.sqrt(2 * mu * longest_step(c.snapshots, c.dt))
    if _diffuses(c, mu, spread) and (part := float((spacing > brownian).mean())) > PART:
        message = f"{_apart(c, float(far.max()))}, and a Brownian step is {brownian:.2g} long: {part:.0%} would lose it"
        raise ConfigError(message, _advice(c))
    doubts = (coarse_steps(c, case, float(far.max()), spread) for case in problem.cases)
    return next((doubt for doubt in doubts if doubt), None)


def motion_warning(
    c: SimulateConfig, case: Case, far: float, width: float, t: float, shortest: float = math.inf
) -> str | None:
    """The warning of `precision_warning` for a moving cloud at time ``t``, or None.

    ``far`` is the largest coordinate, ``width`` the width of the cloud along an axis [length], and ``shortest`` the
    length of the shortest halved step [time].
    """
    if not (0 < width < math.inf and far < math.inf):
        return None
    spacing = float(np.spacing(np.float32(far)))
    if spacing > width / FEW:
        coarse = f"{_stored_apart(spacing, far)}, and the cloud is {width:.2g} wide"
        return f"by t = {t:.3g}{case.place} {coarse}; {_advice(c, wider=False)}"
    doubt = coarse_steps(c, case, far, width, shortest)
    return doubt and f"by t = {t:.3g}{case.place} {doubt}"


def coarse_steps(c: SimulateConfig, case: Case, far: float, spread: float, shortest: float = math.inf) -> str | None:
    """A warning if numbers near ``far`` are too coarse for the steps of a case with a cloud of width ``spread``, or
    None.

    The step is that of the configuration or, if it is less, ``shortest`` [time].
    """
    spacing = float(np.spacing(np.dtype(c.dtype).type(far)))
    step = min(longest_step(c.snapshots, c.dt), shortest)
    brownian = math.sqrt(2 * case.mu * step)
    if _diffuses(c, case.mu, spread) and spacing**2 > 12 * ADDED * brownian**2:
        diffusion = spacing**2 / (12 * brownian**2)
        return f"{_apart(c, far)}: rounding adds {diffusion:.2g} of the diffusion there; {_advice(c)}"
    delta, pull = math.sqrt(case.kernel_args[0]), abs(case.chi) * case.mass
    if pull and 0 < delta < LENGTHS * spacing:
        return f"{_apart(c, far)}, and delta is {delta:.2g}; {_advice(c)}"
    if not case.mu and pull:
        displacement = step * pull / (2 * math.pi * spread ** (c.dim - 1))
        if displacement * math.sqrt(c.T / step) < LENGTHS * spacing:  # n roundings add up to sqrt(n) of one
            return f"{_apart(c, far)}, and attraction moves particles by {displacement:.2g} in a step; {_advice(c)}"
    return None


def _diffuses(c: SimulateConfig, mu: float, spread: float) -> bool:
    """Whether diffusion matters during the run for a cloud of width ``spread``."""
    return mu > 0 and math.sqrt(2 * mu * c.T) > PART * spread


def _stored_apart(spacing: float, far: float) -> str:
    return f"numbers of float32, which stores hold, are {spacing:.2g} apart near {far:.3g}"


def _apart(c: SimulateConfig, far: float) -> str:
    return f"numbers of {c.dtype} near {far:.3g} are {float(np.spacing(np.dtype(c.dtype).type(far))):.2g} apart"


def _advice(c: SimulateConfig, wider: bool = True) -> str:
    """The remedies, with float64 among them if ``wider``."""
    ways = ["centre the cloud"] if c.origin == "moving" else ["centre the cloud", "use --origin moving"]
    return ", or ".join(ways + (["use --dtype float64"] if wider and c.dtype == "float32" else []))
