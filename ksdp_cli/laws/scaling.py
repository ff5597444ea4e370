"""Scaling: without screening, lengths times l and delta times l give forces over l^(d-1)."""

from __future__ import annotations

import numpy as np

from ..particles.problem import Problem
from .base import Finding, ball, forces, parameters

SCALE = 3.0


def holds(problem: Problem) -> bool:
    return not any(parameters(problem).values())


def check(problem: Problem) -> Finding:
    """The component of the scaled forces along the others, over its exact factor."""
    dim, delta2 = problem.config.dim, max(problem.cases[0].kernel_args[0], 1e-4)
    x = ball(dim)
    small, large = forces(problem, x, delta2), forces(problem, SCALE * x, SCALE**2 * delta2)
    value = float(np.vdot(small, large) / np.vdot(small, small)) * SCALE ** (dim - 1)
    return Finding(f"F(l x, l delta) l^{dim - 1} / F(x, delta)", value, 1.0, 1e-10)
