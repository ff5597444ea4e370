"""Incompressibility: div v = 0, so that the flow conserves mass."""

from __future__ import annotations

import numpy as np

from ..particles.problem import Problem
from ..provenance import short
from ..testing.flows import DIVERGENCE, STEP, divergence
from .base import Finding


def holds(problem: Problem) -> bool:
    return short(problem.config.flow) != "none"


def check(problem: Problem) -> Finding:
    """The largest |div v| at 200 points of the cube [-2, 2]^d, relative to the largest derivative there."""
    points = np.random.default_rng(0).uniform(-2.0, 2.0, (200, problem.config.dim))
    each, largest = divergence(problem.cases[0].flow, points, problem.config.t0, 2.0 * STEP)
    value = float(each.max()) / max(largest, 1e-300)
    return Finding("div v = 0, relative to the largest derivative", value, 0.0, DIVERGENCE)
