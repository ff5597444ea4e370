"""The critical mass of the plane, 8 pi mu / chi: which k of J particles fall together, by their forces alone.

Attraction takes 2 chi M / J sum x F from S = sum |X_i - mean X|^2 of k particles, and noise gives 4 mu (k - 1): they
balance at k = J 8 pi mu / (chi M), a cluster of exactly that mass.
"""

from __future__ import annotations

from ..particles.critical import critical_mass
from ..particles.problem import Problem
from .base import NO_DELTA2, PARTICLES, Finding, ball, forces


def holds(problem: Problem) -> bool:
    case = problem.cases[0]
    return problem.config.dim == 2 and case.mu > 0 and critical_mass(problem, case) is not None


def check(problem: Problem) -> Finding:
    """Compare the mass at which the forces balance diffusion with the one that ``--plan`` and ``--merge`` go by."""
    case, x = problem.cases[0], ball(2)
    pull = -2.0 * case.chi / PARTICLES * float((x * forces(problem, x, NO_DELTA2)).sum())  # of a unit mass
    found = 4.0 * case.mu * (PARTICLES - 1) / pull if pull else float("inf")
    known = critical_mass(problem, case)
    assert known is not None  # by `holds`
    return Finding("critical mass over 8 pi mu / chi", found / known, 1.0, 1e-6)
