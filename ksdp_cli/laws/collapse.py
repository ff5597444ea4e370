"""The exact solution that blows up in space for eps = 0: the mass inside R is 16 pi R^3 / (R^2 + 2 (T - t)) for mu =
chi = 1."""

from __future__ import annotations

import numpy as np

from ..exact.collapse import Collapse
from ..particles.problem import Problem
from .base import Finding, parameters, random, unregularised
from .short_run import moved

LIFE, PART, J, STEPS, R = 0.05, 0.5, 4000, 50, 0.4
#: Relative error of a correct run, root mean square over 20 seeds: 1.6 % of chance and 1.1 % of Euler's steps. That of
#: independent particles is 5.4 %, more than a binomial share has, since attraction amplifies the scatter of the start.
SPREAD = 0.02


def holds(problem: Problem) -> bool:
    plain = problem.config.dim == 3 and unregularised(problem) and not parameters(problem)
    return plain and problem.cases[0].mu > 0


def check(problem: Problem) -> Finding:
    """Compare the part of 4000 quiet particles within 0.4 at half the time to the blow-up with the exact mass there."""
    mu = problem.cases[0].mu
    exact = Collapse(LIFE / mu, mu=mu)
    T = PART * exact.T
    options = {"chi": 1.0, "M": exact.M, "delta2": 1e-5, "T": T, "dt": T / STEPS, "life": LIFE, "sampling": "quiet"}
    _, (run,) = moved(problem, J=J, init="collapse", engine="direct", **options)
    value = float(np.mean((run.state.x**2).sum(1) < R * R))
    part = float(exact.mass_within(R, T)) / exact.M
    return random(f"mass within {R} at half the time to a blow-up in space", value, part, SPREAD * part)
