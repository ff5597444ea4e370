"""The contract of a flow."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from ..base.arrays import Array


class Flow(Protocol):
    """A divergence-free velocity field v(x, t) [length / time].

    Class attributes: ``dims``, its space dimensions; ``Params``, a pydantic model whose field descriptions state
    meaning and unit. The constructor takes values of ``Params`` and the dimension.
    """

    dims: ClassVar[tuple[int, ...]]
    Params: ClassVar[type[BaseModel]]

    def __init__(self, params: Any, dim: int) -> None: ...

    def velocity(self, x: Array, t: float) -> Array:
        """Return v at positions ``x`` (n, d) and time ``t``: an array (n, d) of the same library, dtype and device.

        ``t`` is a number, or a 0-d tensor in a captured GPU step: use ``namespace(x)``, not ``math``, on it.
        """
        ...
