"""The self-similar solution of the plane for eps > 0, k = 0: E|X|^2 is proportional to t and c(0, t) is constant."""

from __future__ import annotations

import math
import threading

import numpy as np

from ..exact.self_similar import SelfSimilar, self_similar
from ..particles.case_run import CaseRun
from ..particles.problem import Problem
from .base import Finding, random
from .chemical import eps_of, known
from .short_run import moved

AGE, PART, STEPS, J = 0.25, 0.5, 30, 4000
#: Of each thread: the ``problem`` checked last, and its solution and run, ``ended``.
_LAST = threading.local()


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
    """The solution for chi = 1, of the problem's mass where there is one, and its run, which `standing` uses too."""
    if getattr(_LAST, "problem", None) is not problem:
        _LAST.ended = _run(problem)
        _LAST.problem = problem
    ended: tuple[SelfSimilar, CaseRun] = _LAST.ended
    return ended


def _run(problem: Problem) -> tuple[SelfSimilar, CaseRun]:
    case = problem.cases[0]
    pull, eps = case.chi * case.mass / case.mu, eps_of(problem)
    pull = pull if 0.1 < pull < 7.0 * math.pi else 4.0 * math.pi
    exact = self_similar(eps * case.mu, M=pull)
    delta = min(0.1, 0.2 * math.sqrt(AGE / exact.a))  # of the core at the start
    T = PART * AGE / case.mu
    options = {"chemistry": problem.config.chemistry, "eps": eps, "chi": 1.0, "M": pull * case.mu}
    options |= {"init": "self_similar", "pull": pull, "inertia": eps * case.mu, "age": AGE, "c0": "exact"}
    options |= {"seed": case.seed, "accuracy": 1e-3, "delta2": delta**2, "T": T, "dt": T / STEPS}
    _, (run,) = moved(problem, J=J, **options)
    return exact, run


def centre(run: CaseRun) -> float:
    """c at the origin."""
    return float(run.field([np.zeros(1)] * 2).item())
