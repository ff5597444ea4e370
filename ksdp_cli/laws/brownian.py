"""Diffusion: without flow and attraction E|X(t) - X(0)|^2 = 2 d mu t."""

from __future__ import annotations

import math

from ..particles.problem import Problem
from .base import Finding, random
from .short_run import ends

STEPS, DT, J = 10, 1e-3, 4000


def holds(problem: Problem) -> bool:
    return problem.cases[0].mu > 0


def check(problem: Problem) -> Finding:
    """Compare the mean over 4000 particles and ten steps with 2 d mu t, as a ratio."""
    mu, dim = problem.cases[0].mu, problem.config.dim
    begin, end = ends(problem, flow="none", chi=0.0, J=J, dt=DT, T=STEPS * DT)
    value = float(((end - begin) ** 2).sum(1).mean()) / (2.0 * dim * mu * STEPS * DT)
    return random("E|X(t) - X(0)|^2 / (2 d mu t)", value, 1.0, math.sqrt(2.0 / (dim * J)))
