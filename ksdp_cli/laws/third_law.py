"""Newton's third law: the forces of all pairs cancel, so that attraction leaves the centre of mass where it is."""

from __future__ import annotations

import numpy as np

from ..particles.problem import Problem
from .base import Finding, ball, forces


def holds(problem: Problem) -> bool:
    return True


def check(problem: Problem) -> Finding:
    """The total force beside the sum of the sizes of the forces."""
    force = forces(problem, ball(problem.config.dim), problem.cases[0].kernel_args[0])
    size = float(np.linalg.norm(force, axis=1).sum())
    value = float(np.linalg.norm(force.sum(0))) / max(size, 1e-300)
    return Finding("total force = 0, beside the forces", value, 0.0, 1e-12)
