"""The contract of an optimiser, the list of optimisers, and the schedule of step sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np

from ...base.arrays import Array
from ...errors import ConfigError
from ..network.network import Network

#: Last step size relative to the first.
LAST_RATE = 0.01

#: Weights: an array or a tensor.
Theta = TypeVar("Theta", contravariant=True)


class Optimiser(Protocol[Theta]):
    """Changes weights theta, a NumPy vector or a tensor, in place, with moments of the same type and device.

    On a GPU `move` is captured once and replayed, so its control flow must not depend on values; put such code into
    `update_basis`. `update` of step 0 is never captured.
    """

    def update(self, theta: Theta, gradient: Theta, step: int, size: float) -> None:
        """Make step number ``step`` (from 0) of size ``size``: `move` with its scalars, then `update_basis`."""
        ...

    def scalars(self, step: int, size: float) -> tuple[float, ...]:
        """Return the numbers of step ``step`` > 0 that `move` needs."""
        ...

    def move(self, theta: Theta, gradient: Theta, scalars: tuple[float, ...] | Theta) -> None:
        """Change ``theta`` and the moments in place; ``scalars`` may be a longer tensor on the device."""
        ...

    def update_basis(self, step: int) -> None:
        """Do the work after step number ``step`` that only some steps need."""
        ...

    def state(self) -> dict[str, object]:
        """Return the arrays on which the next step depends, by name; not copies."""
        ...


def _adam(network: Network, theta: Array) -> Optimiser[Array]:
    from .adam import Adam

    return Adam(theta)


def _soap(network: Network, theta: Array) -> Optimiser[Array]:
    from .soap import Soap
    from .soap_gpu import SoapGPU

    return Soap(network, theta) if isinstance(theta, np.ndarray) else SoapGPU(network, theta)


#: Constructors of the optimisers, from a network and its weights.
OPTIMISERS: dict[str, Callable[[Network, Any], Optimiser[Any]]] = {"soap": _soap, "adam": _adam}


def optimiser(name: str) -> Callable[[Network, Array], Optimiser[Array]]:
    """Return an entry of `OPTIMISERS`. Raises `ConfigError` for an unknown name."""
    if name not in OPTIMISERS:
        raise ConfigError(f"there is no optimiser {name!r}", f"there are: {', '.join(OPTIMISERS)}")
    return OPTIMISERS[name]


def rate(start: float, step: int, steps: int, decay: str = "cosine") -> float:
    """Size of step ``step`` of ``steps``: from ``start`` to `LAST_RATE` of it by a cosine, or constant for "none"."""
    if decay == "none":
        return start
    return start * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * step / steps)))
