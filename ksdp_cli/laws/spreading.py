"""The self-similar solution of the plane for eps > 0, k = 0: E|X|^2 is proportional to t and c(0, t) is constant."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ..exact.self_similar import SelfSimilar, self_similar
from ..particles.case_run import CaseRun
from ..particles.problem import Problem
from .base import Finding, random
from .chemical import eps_of, known
from .short_run import moved

AGE, PART, STEPS, J = 0.25, 0.5, 30, 4000


def holds(problem: Problem) -> bool:
    return known(problem) and problem.config.dim == 2 and problem.cases[0].mu > 0


def check(problem: Problem) -> Finding:
    """Compare E|X|^2 / (mu t) of 4000 particles with the exact one, when the solution is half as old again."""
    exact, run = ended(problem)
    squares, age = (run.state.x**2).sum(1), (1.0 + PART) * AGE
    name = f"E|X|^2 / (mu t), self-similar, chi M / mu = {exact.M / math.pi:.3g} pi"
    error = float(squares.std()) / age / math.sqrt(J)
    return random(name, float(squares.mean()) / age, exact.second_moment(1.0), error)


def ended(problem: Problem) -> tuple[SelfSimilar, CaseRun]:
    """The solution for mu = chi = 1, of the problem's mass where there is one, and its run."""
    case = problem.cases[0]
    pull = case.chi * case.mass / case.mu
    pull = pull if 0.1 < pull < 7.0 * math.pi else 4.0 * math.pi
    key = (problem.config.chemistry, problem.config.scheme, eps_of(problem), case.mu, pull, case.seed)
    return _ended(key, _Hidden(problem))


class _Hidden:
    """Equal to all other instances, so that the cache depends on the key alone."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hidden)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=2)
def _ended(key: tuple[Any, ...], hidden: _Hidden) -> tuple[SelfSimilar, CaseRun]:
    chemistry, _, eps, mu, pull, seed = key
    exact, T = self_similar(eps * mu, M=pull), PART * AGE / mu
    delta = min(0.1, 0.2 * math.sqrt(AGE / exact.a))  # of the core at the start
    options = {"chemistry": chemistry, "eps": eps, "chi": 1.0, "M": pull * mu, "seed": seed, "accuracy": 1e-3}
    options |= {"init": "self_similar", "pull": pull, "inertia": eps * mu, "age": AGE, "c0": "exact"}
    _, (run,) = moved(hidden.problem, J=J, delta2=delta**2, T=T, dt=T / STEPS, **options)
    return exact, run


def centre(run: CaseRun) -> float:
    """c at the origin."""
    return float(run.field([np.zeros(1)] * 2).item())
