"""The critical mass of the plane, 8 pi mu / chi, from the forces: how many of J particles collapse.

Attraction reduces S = sum |X_i - mean X|^2 of k particles at the rate 2 chi M / J sum x F, and noise raises it at
4 mu (k - 1). They balance at k = J 8 pi mu / (chi M), the number that has exactly the critical mass.
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
    mass = 4.0 * case.mu * (PARTICLES - 1) / pull if pull else float("inf")
    expected = critical_mass(problem, case)
    assert expected is not None  # by `holds`
    return Finding("critical mass over 8 pi mu / chi", mass / expected, 1.0, 1e-6)
