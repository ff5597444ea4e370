"""The drift of equation (8) is what a plain double loop over the kernel's own Python function says, in float64."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ksdp_cli.chemistry.elliptic import Elliptic
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.coulomb import Coulomb
from ksdp_cli.kernels.eq7 import Eq7
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.case_run import facts
from ksdp_cli.particles.problem import Problem, pose
from ksdp_cli.particles.stepper import Stepper

KERNELS = [Blob, Eq7, Plummer, Gaussian, Coulomb]
FLOWS = {2: "laminar2d", 3: "kolmogorov"}


def stepper(problem: Problem, engine: str) -> Stepper:
    config, case = problem.config, problem.cases[0]
    known = replace(facts(problem, case), engine=engine, accuracy=1e-6)
    return Stepper(config, case, Elliptic(Elliptic.Params(), known), "cpu")


def attraction(kernel, x: np.ndarray, delta2: float) -> np.ndarray:
    """sum over i != j of g(r_ij^2) (X_i - X_j), shape (J, d)."""
    count, dim = x.shape
    g = getattr(kernel, f"g{dim}d")
    force = np.zeros_like(x)
    for j in range(count):
        for i in range(count):
            if i != j:
                away = x[i] - x[j]
                force[j] += g(float(away @ away), delta2) * away
    return force


@pytest.mark.parametrize("engine", ["direct", "tree"])
@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("kernel", KERNELS)
def test_drift_is_that_of_equation_8(kernel, dim: int, engine: str) -> None:
    chi, mass, delta2, A, count = 0.7, 30.0, 4e-3, 3.0, 70
    problem = pose(
        {"kernel": kernel, "dim": dim, "J": count, "chi": chi, "M": mass, "delta2": delta2, "dtype": "float64"}
        | {"flow": FLOWS[dim], "A": A}
    )
    x = problem.initial.draw(count, dim, 1).astype(np.float64)
    x[:10] *= math.sqrt(delta2)  # some pairs within delta
    flow = problem.cases[0].flow.velocity(x, 0.0)
    exact = chi * mass / count * attraction(kernel, x, delta2) + flow
    tolerance = 1e-12 if engine == "direct" else 1e-6
    assert np.linalg.norm(stepper(problem, engine).drift(x, 0.0) - exact) < tolerance * np.linalg.norm(exact - flow)
