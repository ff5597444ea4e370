"""The contract of a time scheme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from ...base.arrays import Array

#: b(x, t) at positions (J, d), shape (J, d).
Drift = Callable[[Any, float], Any]


class Scheme(Protocol):
    """A step of dX = b(X, t) dt + sqrt(2 mu) dW; made without arguments.

    ``order`` is the weak order for additive noise, ``evaluations`` the number of drifts of a step. Where the drift has
    a memory (`ksdp_cli.chemistry.base`), each evaluation starts from the memory at the start of the step, and that of
    the last one stays.
    """

    order: ClassVar[int]
    evaluations: ClassVar[int]

    def step(self, x: Array, t: float, dt: float, drift: Drift, noise: Array) -> Array:
        """New positions at ``t + dt`` from ``x`` (J, d) at ``t``; ``noise`` (J, d) is sqrt(2 mu dt) xi."""
        ...
