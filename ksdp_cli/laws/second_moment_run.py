"""Equation (6) over a run in the plane, which checks steps, noise, forces and their factor together.

Attraction's part of d E|X|^2 is the same for every realisation. The rest is a martingale of variance
8 mu t E|X|^2 / J, as long as E|X|^2 hardly changes.
"""

from __future__ import annotations

import math

from ..exact.critical import slope
from ..particles.problem import Problem
from .base import Finding, parameters, random, unregularised
from .short_run import ends

T, DT, J, DELTA2 = 0.04, 4e-4, 4000, 1e-6


def holds(problem: Problem) -> bool:
    case = problem.cases[0]
    return problem.config.dim == 2 and unregularised(problem) and not parameters(problem) and case.mu > 0


def check(problem: Problem) -> Finding:
    """Compare the change of E|X|^2 of 4000 particles at M = 12 pi mu / chi, where attraction is 1.5 times diffusion."""
    mu = problem.cases[0].mu
    options = {"flow": "none", "chi": 1.0, "M": 12.0 * math.pi * mu, "T": T / mu, "dt": DT / mu}
    begin, end = ends(problem, J=J, delta2=DELTA2, **options)
    before, after = (float((x**2).sum(1).mean()) for x in (begin, end))
    exact = slope(mu=mu, chi=1.0, M=12.0 * math.pi * mu, J=J) * T / mu
    error = math.sqrt(8.0 * T * before / J)
    return random("E|X(t)|^2 - E|X(0)|^2 of a run, equation (6)", after - before, exact, error)
