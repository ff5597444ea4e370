"""Without attraction c is a sum of known Gaussians: particles that spread from one, and a chemical that begins at 0.

With particles of variance s_j^2 an axis at step j, c at the origin after n steps of eps / dt = m is the integral over q
of sum_j M exp(-q^2 s_j^2 / 2) / (m (1 + (q^2 + k^2) / m)^(n - j)) / (2 pi)^d.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import t as student

from ..particles.problem import Problem
from .base import Finding
from .chemical import MASS, eps_of, known
from .short_run import moved

STEPS, PART, WIDTH, K, J, SEEDS, DELTA2 = 8, 0.2, 0.5, 0.5, 200, 24, 0.36


def holds(problem: Problem) -> bool:
    return known(problem) and problem.cases[0].mu > 0


def check(problem: Problem) -> Finding:
    """Compare c at the origin, the mean of 24 clouds of 200 particles, over the exact value, with 1."""
    case, dim = problem.cases[0], problem.config.dim
    eps = eps_of(problem)
    T = PART * min(eps, 1.0 / case.mu)
    options = {"chemistry": problem.config.chemistry, "eps": eps, "k": K, "delta2": DELTA2, "init": "gaussian"}
    options |= {"width": WIDTH, "chi": 0.0, "M": MASS, "T": T, "dt": T / STEPS, "accuracy": 1e-2}
    _, runs = moved(problem, J=J, seed=tuple(range(SEEDS)), **options)
    values = np.array([run.field([np.zeros(1)] * dim).item() for run in runs]) / _exact(dim, eps, case.mu, T)
    error = float(values.std(ddof=1)) / math.sqrt(SEEDS)
    tolerance = float(student.ppf(1 - 0.5 / 16_000, SEEDS - 1)) * error
    return Finding("c(0, t) without attraction, over exact", float(values.mean()), 1.0, tolerance, error)


def _exact(dim: int, eps: float, mu: float, T: float) -> float:
    q = np.linspace(0.0, 20.0 / WIDTH, 4001)
    memory = eps * STEPS / T
    total = np.zeros_like(q)
    for step in range(STEPS):
        variance = WIDTH**2 + 2.0 * mu * T * step / STEPS + 0.5 * DELTA2  # the last is the particles' blob
        total += np.exp(-0.5 * q * q * variance) / (1.0 + (q * q + K * K) / memory) ** (STEPS - step) / memory
    around = q / (2.0 * math.pi) if dim == 2 else q * q / (2.0 * math.pi**2)
    return MASS * float(np.trapezoid(total * around, q))
