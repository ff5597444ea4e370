"""The mass of the chemical in time: eps dM_c/dt = M - k^2 M_c, so that M_c = M (1 - exp(-k^2 t / eps)) / k^2."""

from __future__ import annotations

import itertools
import math

from ..particles.problem import Problem
from .base import Finding
from .chemical import MASS, Box, known

STEPS, K, MEMORY = 8, 1.5, 20.0


def holds(problem: Problem) -> bool:
    return known(problem)


def check(problem: Problem) -> Finding:
    """Extrapolate the integral of c from 8, 16 and 32 steps to dt = 0, and compare it with the exact mass."""
    masses = []
    for finer in (1, 2, 4):
        box = Box(problem, K, MEMORY * finer)
        masses.append(box.integral(box.c(box.steps(box.start(), STEPS * finer))))
    once = [2.0 * fine - coarse for coarse, fine in itertools.pairwise(masses)]
    value = (4.0 * once[1] - once[0]) / 3.0
    exact = MASS * (1.0 - math.exp(-K * K * STEPS / MEMORY)) / K**2
    return Finding("mass of the chemical in time, dt -> 0, over exact", value / exact, 1.0, 1e-3)
