"""Scaling: without screening, multiplying all lengths and delta by l divides the forces by l^(d-1)."""

from __future__ import annotations

import numpy as np

from ..particles.problem import Problem
from .base import Finding, ball, elliptic, forces, parameters

SCALE = 3.0


def holds(problem: Problem) -> bool:
    return elliptic(problem) and not any(parameters(problem).values())


def check(problem: Problem) -> Finding:
    """Project the forces of the scaled cloud on those of the cloud and compare the factor with l^(1-d)."""
    dim, delta2 = problem.config.dim, max(problem.cases[0].kernel_args[0], 1e-4)
    x = ball(dim)
    small, large = forces(problem, x, delta2), forces(problem, SCALE * x, SCALE**2 * delta2)
    value = float(np.vdot(small, large) / np.vdot(small, small)) * SCALE ** (dim - 1)
    return Finding(f"F(l x, l delta) l^{dim - 1} / F(x, delta)", value, 1.0, 1e-10)
