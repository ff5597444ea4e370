"""Newton's third law: pair forces cancel, so attraction does not move the centre of mass."""

from __future__ import annotations

import numpy as np

from ..particles.problem import Problem
from .base import Finding, ball, elliptic, forces


def holds(problem: Problem) -> bool:
    return elliptic(problem)


def check(problem: Problem) -> Finding:
    """Compare |sum of the forces| with 0, relative to the sum of their norms."""
    force = forces(problem, ball(problem.config.dim), problem.cases[0].kernel_args[0])
    size = float(np.linalg.norm(force, axis=1).sum())
    value = float(np.linalg.norm(force.sum(0))) / max(size, 1e-300)
    return Finding("total force = 0, relative to the forces", value, 0.0, 1e-12)
