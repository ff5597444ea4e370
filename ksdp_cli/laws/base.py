"""What a law says, and the forces that it says it of."""

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

#: Particles whose pairs are summed, and a delta^2 at which a kernel is the unregularised one, in the unit ball.
PARTICLES, NO_DELTA2 = 400, 1e-12
#: Standard errors within which a value of random particles must lie: a right one fails once in 16 000 runs.
WITHIN = 4.0


@dataclass(frozen=True)
class Finding:
    """A law with its ``value`` and the ``exact`` one, which differ by at most ``tolerance``; ``error`` is the standard
    error where the value is that of random particles, and the tolerance `WITHIN` of them."""

    law: str
    value: float
    exact: float
    tolerance: float
    error: float | None = None

    @property
    def verdict(self) -> str:
        """``holds`` or ``broken``; a value that is not finite is broken."""
        return "holds" if abs(self.value - self.exact) <= self.tolerance else "broken"


def random(law: str, value: float, exact: float, error: float) -> Finding:
    """The finding of a value with a standard error."""
    return Finding(law, value, exact, WITHIN * error, error)


@lru_cache(maxsize=4)
def ball(dim: int) -> NDArray[np.float64]:
    """The particles (J, d) that forces are summed of, away from the origin so that nothing cancels by symmetry."""
    return Ball().draw(PARTICLES, dim, 11).astype(np.float64) + 0.25


def forces(problem: Problem, x: Cloud, delta2: float) -> Cloud:
    """F of equation (8) (J, d) for the kernel of ``problem`` with another delta^2, in float64."""
    args = (delta2, *problem.cases[0].kernel_args[1:])
    return DirectCPU(problem.kernel, args, problem.config.dim, "float64")(x)


def parameters(problem: Problem) -> dict[str, float]:
    """The kernel's own parameters, of the first case."""
    model: Any = getattr(problem.kernel, "Params", Params)
    return dict(zip(model.model_fields, problem.cases[0].kernel_args[1:], strict=True))


def unregularised(problem: Problem) -> bool:
    """Whether the kernel must tend to the Green's function of k^2 - Laplacian as delta goes to 0: it has no parameter
    of its own beside k."""
    return parameters(problem).keys() <= {"k"} and problem.config.dim in dims_of(problem.kernel)
