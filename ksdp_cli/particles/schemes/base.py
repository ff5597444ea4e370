"""The contract of a time scheme."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from ...base.arrays import Array

#: Drift b(x, t): from positions (J, d) and a time to an array (J, d).
Drift = Callable[[Array, float], Array]


class Scheme(Protocol):
    """Makes a step of dX = b(X, t) dt + sqrt(2 mu) dW. The constructor takes no arguments.

    ``order`` is the weak order for additive noise, ``evaluations`` the number of drift evaluations in a step. With a
    chemistry that has memory (`ksdp_cli.chemistry.base`), each evaluation starts from the state at the start of the
    step, and the state of the last evaluation is kept.
    """

    order: ClassVar[int]
    evaluations: ClassVar[int]

    def step(self, x: Array, t: float, dt: float, drift: Drift[Array], noise: Array) -> Array:
        """Return positions (J, d) at ``t + dt`` from ``x`` (J, d) at ``t``; ``noise`` (J, d) is sqrt(2 mu dt) xi."""
        ...
