"""What is known of a problem before it runs: critical masses, the time law (6) leaves, and steps that resolve it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..base.shapes import Cloud
from ..exact.second_moment import KERNELS
from ..provenance import short
from .collapse import kernel_function
from .intervals import longest_step
from .preflight import FLOW_FRACTION, KERNEL_FRACTION, flow_rate
from .problem import Case, Problem


@dataclass(frozen=True)
class Threshold:
    """Of one case: its mass, the critical one 8 pi mu / chi, and T_max since the start, by which law (6) has taken
    E|X - mean|^2 to 0. None where there is no such number; ``says`` tells why, or what the numbers mean.
    """

    case: Case
    critical: float | None
    T_max: float | None
    says: str


@dataclass(frozen=True)
class StepLimit:
    """A step that one thing allows: ``dt`` [time], and ``counts`` where it limits this run."""

    dt: float
    reason: str
    counts: bool = True


def thresholds(problem: Problem, cloud: Cloud) -> list[Threshold]:
    """One a case. ``cloud`` (n, d) stands for the initial law where that does not say its second moment."""
    start = spread(problem, cloud)
    return [_threshold(problem, case, start) for case in problem.cases]


def spread(problem: Problem, cloud: Cloud) -> float:
    """E|X - mean|^2 of the initial law [length^2], exact where the law says it, else that of ``cloud``."""
    law = problem.initial
    if not hasattr(law, "second_moment"):
        return float(cloud.var(0, dtype=np.float64).sum())
    squared = getattr(getattr(law, "params", None), "squared", None)
    return float(law.second_moment(problem.config.dim)) - (squared() if squared else 0.0)


def critical_mass(problem: Problem, case: Case) -> float | None:
    """8 pi mu / chi [mass] in the plane, for kernels that are its Green's function; None elsewhere."""
    attracts = case.chi > 0 and short(problem.config.kernel) in KERNELS
    return 8 * math.pi * case.mu / case.chi if attracts and problem.config.dim == 2 else None


def _threshold(problem: Problem, case: Case, start: float) -> Threshold:
    c = problem.config
    critical = critical_mass(problem, case)
    if case.chi <= 0:
        return Threshold(case, None, None, "nothing attracts: no mass is critical")
    if c.dim == 3:
        return Threshold(case, None, None, "in space no mass alone decides: what counts is how dense it is")
    if critical is None:
        return Threshold(case, None, None, f"kernel {short(c.kernel)} may decay: 8 pi mu / chi is not its threshold")
    if case.mass <= critical:
        return Threshold(case, critical, None, "no more than the critical mass: spreads for ever")
    if short(c.chemistry) != "elliptic":
        return Threshold(case, critical, None, "beyond 8 pi mu / chi a cloud may blow up or, for eps > 0, spread")
    if short(c.flow) != "none":
        return Threshold(case, critical, None, "beyond the critical mass; law (6) is without a flow, so no T_max")
    T_max = start / (case.chi * case.mass / (2 * math.pi) - 4 * case.mu)
    return Threshold(case, critical, T_max, "beyond the critical mass: blows up before T_max")


def step_limits(problem: Problem, pull: float) -> list[StepLimit]:
    """What limits the step, the least first; ``pull`` times delta is how far the first steps were seen to attract a
    particle in the longest step of the configuration.

    Of the flow (schemes of order 1): 0.1 of its length scale. Of the attraction: half a delta, at the start; and
    whatever the cloud may do, since no particle is attracted faster than chi M max r g(r^2).
    """
    c = problem.config
    dt = longest_step(c.snapshots, c.dt)
    found = []
    if problem.scheme.order == 1:
        probe = problem.initial.draw(min(c.J, 4096), c.dim, problem.cases[0].seed).astype(np.float64)
        rate = max(flow_rate(case, probe, c.t0) for case in problem.cases)
        if rate > 0:
            found.append(StepLimit(FLOW_FRACTION / rate, "the flow carries a particle over 0.1 of its length scale"))
    if pull > 0:
        begun = problem.chemistry.memory and c.c0 == "zero"  # there is hardly any chemical yet
        found.append(
            StepLimit(KERNEL_FRACTION * dt / pull, "attraction at the start moves a particle by delta / 2", not begun)
        )
    if short(c.chemistry) == "elliptic":
        bounds = [(_collapsed(problem, case), _may_collapse(problem, case)) for case in problem.cases]
        known = [(bound, counts) for bound, counts in bounds if bound is not None]
        if known:
            bound = min(known, key=lambda one: (not one[1], one[0]))
            found.append(StepLimit(bound[0], "all mass within delta moves a particle by delta / 2", bound[1]))
    return sorted(found, key=lambda limit: (not limit.counts, limit.dt))


def _may_collapse(problem: Problem, case: Case) -> bool:
    critical = critical_mass(problem, case)
    return critical is not None and case.mass > critical


def _collapsed(problem: Problem, case: Case) -> float | None:
    """The step in which the whole mass, gathered at the worst distance, moves a particle by delta / 2."""
    delta = math.sqrt(case.kernel_args[0])
    speed = abs(case.chi) * case.mass * _steepest(problem.kernel, case.kernel_args, problem.config.dim)
    return KERNEL_FRACTION * delta / speed if delta and speed > 0 and math.isfinite(speed) else None


def _steepest(kernel: object, args: tuple[float, ...], dim: int) -> float:
    """max over r of r g(r^2), on a grid from 1e-3 to 1e3 delta that misses it by less than 1e-5 of itself."""
    if args[0] == 0.0:
        return math.inf
    r = math.sqrt(args[0]) * np.logspace(-3, 3, 6001)
    with np.errstate(all="ignore"):
        return float(np.nanmax(r * kernel_function(kernel, dim)(r * r, *args)))
