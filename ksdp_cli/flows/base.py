"""The contract of a flow."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from ..base.arrays import Array


class Flow(Protocol):
    """A divergence-free velocity field v(x, t).

    Class attributes: ``dims``, the space dimensions it has; ``Params``, a pydantic model whose field descriptions
    carry meaning and unit. An instance is made with ``Params`` values by name and the dimension.
    """

    dims: ClassVar[tuple[int, ...]]
    Params: ClassVar[type[BaseModel]]

    def __init__(self, params: Any, dim: int) -> None: ...

    def velocity(self, x: Array, t: float) -> Array:
        """v at positions ``x`` (n, d) and time ``t``, an array (n, d) of the same kind, type and device."""
        ...
