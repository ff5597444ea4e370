"""The result of a law, and the forces that laws check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.params import Params
from ..base.shapes import Cloud
from ..initial.ball import Ball
from ..kernels.base import dims_of
from ..particles.engines.direct_cpu import DirectCPU
from ..particles.problem import Problem

#: Number of particles in a sum over pairs; a delta^2 so small that a kernel equals the unregularised one on them.
PARTICLES, NO_DELTA2 = 400, 1e-12
#: Tolerance of a random value in standard errors: a correct value fails once in 16 000 runs.
WITHIN = 4.0


@dataclass(frozen=True)
class Finding:
    """The result of one law: it holds if ``value`` and ``exact`` differ by at most ``tolerance``.

    ``error`` is the standard error of a value from random particles, else None.
    """

    law: str
    value: float
    exact: float
    tolerance: float
    error: float | None = None

    @property
    def verdict(self) -> str:
        """``holds`` or ``broken``; ``broken`` for a value that is not finite."""
        return "holds" if abs(self.value - self.exact) <= self.tolerance else "broken"


def random(law: str, value: float, exact: float, error: float) -> Finding:
    """The `Finding` of a value with a standard error: its tolerance is `WITHIN` of them."""
    return Finding(law, value, exact, WITHIN * error, error)


@lru_cache(maxsize=4)
def ball(dim: int) -> NDArray[np.float64]:
    """Particles (J, d) for the force sums, off the origin so that no term cancels by symmetry."""
    return Ball().draw(PARTICLES, dim, 11).astype(np.float64) + 0.25


def forces(problem: Problem, x: Cloud, delta2: float) -> Cloud:
    """F (J, d) of equation (8) by direct summation in float64, for the kernel of ``problem`` with this ``delta2``."""
    args = (delta2, *problem.cases[0].kernel_args[1:])
    return DirectCPU(problem.kernel, args, problem.config.dim, "float64")(x)


def parameters(problem: Problem) -> dict[str, float]:
    """The parameters of the kernel beside delta^2, in the first case."""
    model: Any = getattr(problem.kernel, "Params", Params)
    return dict(zip(model.model_fields, problem.cases[0].kernel_args[1:], strict=True))


def elliptic(problem: Problem) -> bool:
    """Whether the attraction is the pair sum of the kernel, eps = 0."""
    return not problem.chemistry.memory


def unregularised(problem: Problem) -> bool:
    """Whether the kernel must tend to the Green's function of k^2 - Laplacian as delta goes to 0.

    True for a kernel without parameters other than k, summed over pairs.
    """
    return elliptic(problem) and parameters(problem).keys() <= {"k"} and problem.config.dim in dims_of(problem.kernel)
