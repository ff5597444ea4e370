"""The mass of the chemical, step by step: M_c <- ((eps / dt) M_c + M) / (eps / dt + k^2), to rounding."""

from __future__ import annotations

from ..particles.problem import Problem
from .base import Finding
from .chemical import MASS, Box, known

STEPS, K, MEMORY = 8, 1.5, 20.0


def holds(problem: Problem) -> bool:
    return known(problem)


def check(problem: Problem) -> Finding:
    """Compare the integral of c after 8 steps of fixed particles, over the exact one, with 1."""
    box, exact = Box(problem, K, MEMORY), 0.0
    for _ in range(STEPS):
        exact = (MEMORY * exact + MASS) / (MEMORY + K * K)
    mass = box.integral(box.c(box.steps(box.start(), STEPS)))
    return Finding("mass of the chemical, over that of the steps", mass / exact, 1.0, 1e-12)
