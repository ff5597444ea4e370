"""The virial: the rate at which attraction reduces E|X|^2 at one instant, from the forces and from pair distances.

d/dt E|X|^2 = 2 d mu - chi M (1 - 1/J) E[w(r)] over pairs, with w = k r K_1(k r) / (2 pi) in the plane, which is
1 / (2 pi) at k = 0, equation (6), and (1 + k r) exp(-k r) / (4 pi r) in space.
"""

from __future__ import annotations

import math

import numpy as np

from ..particles.problem import Problem
from .base import NO_DELTA2, PARTICLES, Finding, ball, forces, parameters, unregularised


def holds(problem: Problem) -> bool:
    return unregularised(problem)


def check(problem: Problem) -> Finding:
    """Compare d/dt E|X|^2 by the forces of the kernel at a tiny delta, without flow, with the sum over pair
    distances."""
    from scipy.spatial.distance import pdist
    from scipy.special import k1

    case, dim, k = problem.cases[0], problem.config.dim, parameters(problem).get("k", 0.0)
    x = ball(dim)
    r = pdist(x)
    if dim == 3:
        w = (1.0 + k * r) * np.exp(-k * r) / (4.0 * math.pi * r)
    else:
        w = (k * r * k1(k * r) if k else np.ones_like(r)) / (2.0 * math.pi)
    virial = float((x * forces(problem, x, NO_DELTA2)).sum()) / PARTICLES
    pull = case.chi * case.mass / PARTICLES
    value = 2.0 * dim * case.mu + 2.0 * pull * virial
    exact = 2.0 * dim * case.mu - pull * (PARTICLES - 1) * float(w.mean())
    name = {2: "equation (6)", 3: "virial in space"}[dim] if not k else "virial with screening"
    return Finding(f"d/dt E|X|^2 at J = {PARTICLES}, {name}", value, exact, 1e-6 * abs(pull * PARTICLES))
