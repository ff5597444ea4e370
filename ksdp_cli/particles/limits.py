"""Limits of a problem before it runs: critical masses, the last time by law (6), and steps that resolve it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..base.shapes import Cloud
from ..provenance import short
from .collapse import kernel_function
from .critical import critical_mass, second_moment_slope
from .flow_steps import flow_limit
from .intervals import longest_step
from .preflight import KERNEL_FRACTION
from .problem import Case, Problem


@dataclass(frozen=True)
class Threshold:
    """Critical mass 8 pi mu / chi and T_max of one case.

    T_max is the time since the start at which E|X - mean|^2 reaches 0 by law (6). A number that does not exist is None;
    ``says`` gives the reason, or the meaning of the numbers.
    """

    case: Case
    critical: float | None
    T_max: float | None
    says: str


@dataclass(frozen=True)
class StepLimit:
    """The largest step ``dt`` [time] for one ``reason``; ``counts`` says whether it limits this run."""

    dt: float
    reason: str
    counts: bool = True


def thresholds(problem: Problem, cloud: Cloud) -> list[Threshold]:
    """Return the `Threshold` of each case. ``cloud`` (n, d) replaces the initial law if its second moment is
    unknown."""
    start = spread(problem, cloud)
    return [_threshold(problem, case, start) for case in problem.cases]


def spread(problem: Problem, cloud: Cloud) -> float:
    """E|X - mean|^2 of the initial law [length^2], exact if the law knows it, else that of ``cloud`` (n, d)."""
    law = problem.initial
    if not hasattr(law, "second_moment"):
        return float(cloud.var(0, dtype=np.float64).sum())
    square_of_centre = getattr(getattr(law, "params", None), "squared", None)
    return float(law.second_moment(problem.config.dim)) - (square_of_centre() if square_of_centre else 0.0)


def _threshold(problem: Problem, case: Case, start: float) -> Threshold:
    c = problem.config
    critical = critical_mass(problem, case)
    if case.chi <= 0:
        return Threshold(case, None, None, "no attraction, so no mass is critical")
    if c.dim == 3:
        return Threshold(case, None, None, "in space no mass is critical; the density decides")
    if critical is None:
        return Threshold(case, None, None, f"kernel {short(c.kernel)} may decay: 8 pi mu / chi is not its threshold")
    if case.mass <= critical:
        return Threshold(case, critical, None, "at most the critical mass: spreads for ever")
    if short(c.chemistry) != "elliptic":
        return Threshold(case, critical, None, "above 8 pi mu / chi a cloud may blow up or, for eps > 0, spread")
    if short(c.flow) != "none":
        return Threshold(
            case, critical, None, "above the critical mass; law (6) holds only without a flow, so no T_max"
        )
    T_max = -start / second_moment_slope(case)
    return Threshold(case, critical, T_max, "above the critical mass: blows up before T_max")


def step_limits(problem: Problem, pull: float) -> list[StepLimit]:
    """The limits of the step, the smallest first.

    ``pull`` times delta is the largest distance by which the first steps attracted a particle, scaled to the longest
    step. A flow moves particles by at most 0.1 of its length scale, or less where it puts E|X|^2 off (`flow_steps`).
    Attraction moves them by at most half a delta: at the start, and in any state, where its speed is at most chi M max
    r g(r^2).
    """
    c = problem.config
    dt = longest_step(c.snapshots, c.dt)
    limits = []
    of_flow = flow_limit(problem)
    if of_flow:
        limits.append(StepLimit(*of_flow))
    if pull > 0:
        empty = problem.chemistry.memory and c.c0 == "zero"  # attraction only begins to grow
        limits.append(
            StepLimit(KERNEL_FRACTION * dt / pull, "attraction at the start moves a particle by delta / 2", not empty)
        )
    if short(c.chemistry) == "elliptic":
        bounds = [(_collapse_step(problem, case), _may_collapse(problem, case)) for case in problem.cases]
        known = [(bound, counts) for bound, counts in bounds if bound is not None]
        if known:
            bound = min(known, key=lambda one: (not one[1], one[0]))
            limits.append(StepLimit(bound[0], "all mass within delta moves a particle by delta / 2", bound[1]))
    return sorted(limits, key=lambda limit: (not limit.counts, limit.dt))


def _may_collapse(problem: Problem, case: Case) -> bool:
    critical = critical_mass(problem, case)
    return critical is not None and case.mass > critical


def _collapse_step(problem: Problem, case: Case) -> float | None:
    """The step in which the whole mass, at the distance of largest force, moves a particle by delta / 2; or None."""
    delta = math.sqrt(case.kernel_args[0])
    speed = abs(case.chi) * case.mass * _steepest(problem.kernel, case.kernel_args, problem.config.dim)
    return KERNEL_FRACTION * delta / speed if delta and speed > 0 and math.isfinite(speed) else None


def _steepest(kernel: object, args: tuple[float, ...], dim: int) -> float:
    """max over r of r g(r^2), to a relative error below 1e-5, on a grid from 1e-3 to 1e3 delta."""
    if args[0] == 0.0:
        return math.inf
    r = math.sqrt(args[0]) * np.logspace(-3, 3, 6001)
    with np.errstate(all="ignore"):
        return float(np.nanmax(r * kernel_function(kernel, dim)(r * r, *args)))
