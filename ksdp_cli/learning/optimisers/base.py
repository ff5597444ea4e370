"""The contract of an optimiser, which optimisers there are, and how the size of their steps falls."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ...base.arrays import Array
from ...errors import ConfigError
from ..network.network import Network

#: The step size ends at this part of its start.
LAST_RATE = 0.01


class Optimiser(Protocol):
    """Moves weights theta, a vector of NumPy or a tensor, in place, and keeps moments of its own type and device.

    On a GPU the arithmetic of `move` is captured once and replayed, so that nothing in it may depend on a value; what
    does stays in `update_basis`. `update` of step 0 is never captured.
    """

    def update(self, theta: Array, gradient: Array, step: int, size: float) -> None:
        """Take step number ``step`` (from 0) of size ``size``: `move` with its scalars, then `update_basis`."""
        ...

    def scalars(self, step: int, size: float) -> tuple[float, ...]:
        """What `move` must know of step number ``step`` > 0."""
        ...

    def move(self, theta: Array, gradient: Array, scalars: Array) -> None:
        """Change ``theta`` and the moments; ``scalars`` may be a tensor on the device, with more entries at its end."""
        ...

    def update_basis(self, step: int) -> None:
        """What comes after step number ``step`` and need not follow each one."""
        ...

    def state(self) -> dict[str, object]:
        """All that the next step depends on, by name; not copies."""
        ...


def _adam(network: Network, theta: Array) -> Optimiser:
    from .adam import Adam

    return Adam(theta)


def _soap(network: Network, theta: Array) -> Optimiser:
    from .soap import Soap
    from .soap_gpu import SoapGPU

    return Soap(network, theta) if isinstance(theta, np.ndarray) else SoapGPU(network, theta)


#: Optimisers before their first step, for weights of a network.
OPTIMISERS: dict[str, Callable[[Network, Any], Optimiser]] = {"soap": _soap, "adam": _adam}


def optimiser(name: str) -> Callable[[Network, Array], Optimiser]:
    """An entry of `OPTIMISERS`. Raises `ConfigError` for an unknown name."""
    if name not in OPTIMISERS:
        raise ConfigError(f"there is no optimiser {name!r}", f"there are: {', '.join(OPTIMISERS)}")
    return OPTIMISERS[name]


def rate(start: float, step: int, steps: int, decay: str = "cosine") -> float:
    """Step size at ``step`` of ``steps``: always ``start`` where ``decay`` is "none"."""
    if decay == "none":
        return start
    return start * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * step / steps)))
