"""The critical mass of a case, and the slope of law (6) for it."""

from __future__ import annotations

from ..exact.critical import CRITICAL, slope
from ..exact.second_moment import KERNELS
from ..provenance import short
from .problem import Case, Problem


def critical_mass(problem: Problem, case: Case) -> float | None:
    """8 pi mu / chi [mass] in the plane, for an attracting case whose kernel is the Green's function beyond delta.

    None in space, where no mass is critical, for other kernels, and for chi <= 0.
    """
    if problem.config.dim != 2 or case.chi <= 0 or short(problem.config.kernel) not in KERNELS:
        return None
    return CRITICAL * case.mu / case.chi


def second_moment_slope(case: Case) -> float:
    """d E|X|^2 / dt by law (6) in the mean-field limit [length^2 / time]."""
    return slope(mu=case.mu, chi=case.chi, M=case.mass)
