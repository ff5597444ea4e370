"""The contract of a kernel: one scalar function of r^2 for each dimension."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from pydantic import BaseModel


class Kernel(Protocol):
    """A regularised attraction. The drift of particle j is chi M / J sum_i g(|X_i - X_j|^2) (X_i - X_j).

    ``g2d`` and ``g3d`` are static methods ``g(r2, delta2, *parameters)`` that return K_delta'(r) / r > 0 for
    attraction; ``parameters`` are the fields of ``Params`` in order. A kernel supports the dimensions for which it
    defines a method. Every engine (SIMD loop, tree, GPU) compiles this one source, so the body may contain only
    assignments, one return, arithmetic, comparisons, ``a if c else b``, the functions sqrt, exp, log, erf, fabs and the
    constant pi of ``math``, and calls of module-level functions of the same kind. Engines call it with r2 > 0.
    """

    Params: ClassVar[type[BaseModel]]

    g2d: ClassVar[Any]
    g3d: ClassVar[Any]


def dims_of(kernel: object) -> tuple[int, ...]:
    """Space dimensions in which a kernel class is defined."""
    return tuple(d for d in (2, 3) if hasattr(kernel, f"g{d}d"))
