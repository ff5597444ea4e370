"""Two heavy particles in the plane without noise: r^2 falls at the rate chi M / pi, and their centre does not move."""

from __future__ import annotations

import math

import numpy as np

from ..initial.points import Points
from ..particles.problem import Problem
from . import second_moment_run
from .base import Finding
from .short_run import moved

STEPS, PART = 200, 0.4


def holds(problem: Problem) -> bool:
    return second_moment_run.holds(problem)


def check(problem: Problem) -> Finding:
    """Compare r^2 of two particles after 0.4 of the time to their collision, relative to the start, with 0.6."""
    mass = problem.cases[0].mass or 1.0
    T = PART * 4.0 * math.pi / mass
    two = Points(np.array([[-1.0, 0.5], [1.0, 0.5]], np.float32))
    options = {"mu": 1e-300, "chi": 1.0, "M": mass, "delta2": 1e-9, "T": T, "dt": T / STEPS}
    _, (run,) = moved(problem, J=2, init=two, engine="direct", **options)
    value = float(((run.state.x[0] - run.state.x[1]) ** 2).sum()) / 4.0
    return Finding("r^2 of two particles without noise, over the first", value, 1.0 - PART, 5e-3)
