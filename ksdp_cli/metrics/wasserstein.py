"""Exact squared 2-Wasserstein distance between clouds of equal size, equation (12), and its dual potentials.

A potential is the derivative of the distance with respect to the weight of each particle, its influence function.
`estimates` computes intervals from it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assignment.certified import AXES
from ..base.memory import available_memory
from ..base.shapes import Cloud
from ..errors import ConfigError, DataError, ResourceError
from .base import Transport

ESTIMATORS = ("certified", "emd")
#: Resident bytes for each pair of particles: POT holds the cost in float64, its arcs and flows, and the plan; measured
#: at N = 1000 to 4000 (40.8 to 41.9). And an upper bound for each particle of the certified solver.
EMD_BYTES_PER_PAIR, CERTIFIED_BYTES_PER_PARTICLE = 42, 4000
#: Seconds of one core for each pair of particles, to announce long computations: benchmarks/million_distances.py.
SECONDS_PER_PAIR = {"certified": 1.4e-8, "emd": 1.9e-7}


def exact_w2_squared(x: Cloud, y: Cloud, estimator: str = "certified") -> float:
    """W2^2 [length^2] between the empirical laws of ``x`` (N, d) and ``y`` (N, d), computed in float64.

    ``certified`` is the sparse solver with a dual certificate, O(N) memory, d <= 3; ``emd`` is POT's network simplex on
    the whole N x N cost matrix. Both are exact and share no code. Raises `DataError` for clouds that cannot be
    compared, `ConfigError` for an unknown estimator, and `ResourceError` if the matrix of ``emd`` does not fit in
    memory.
    """
    return exact_transport(x, y, estimator).value


def exact_transport(x: Cloud, y: Cloud, estimator: str = "certified") -> Transport:
    """As `exact_w2_squared`, with dual potentials; raises the same errors."""
    require_comparable(x, y)
    if len(x) != len(y):
        raise DataError(f"clouds of {len(x)} and {len(y)} particles", "sub-sample both to one size")
    require_exact(len(x), x.shape[1], estimator)
    solver: Any
    if estimator == "certified":
        from ..assignment.certified.solver import Certified as solver
    else:
        from ..assignment.pot import Emd as solver  # here, because POT takes seconds to import

    optimum = solver().solve(x[None].astype(np.float64), y[None].astype(np.float64))
    return Transport(float(optimum.value[0]), (optimum.prices[0][0], optimum.prices[1][0]))


def require_exact(n: int, dim: int, estimator: str) -> None:
    """Raise `ConfigError`, `DataError` or `ResourceError` if ``estimator`` cannot solve ``n`` particles a side."""
    if estimator not in ESTIMATORS:
        raise ConfigError(f"there is no exact estimator {estimator!r}", f"there are: {', '.join(ESTIMATORS)}")
    if estimator == "certified" and dim > AXES:
        raise DataError(f"the estimator 'certified' supports {AXES} dimensions, not {dim}", "use 'emd'")
    need, have = w2_memory(n, estimator), available_memory()
    if need > have:
        other = " or use --estimator certified" if estimator == "emd" else ""
        raise ResourceError(
            f"the exact solver {estimator!r} needs {need / 2**30:.3g} GiB for N = {n}; {have / 2**30:.3g} GiB are free",
            f"use a smaller --N{other}",
        )


def w2_memory(n: int, estimator: str = "certified") -> int:
    """Peak memory in bytes of `exact_w2_squared` for ``n`` particles a side, without the clouds."""
    return EMD_BYTES_PER_PAIR * n * n if estimator == "emd" else CERTIFIED_BYTES_PER_PARTICLE * n


def power_of_two(values: NDArray[np.float64]) -> float:
    """The power of two above all |``values``|, 1 for zeros. Division by it is exact, and no square overflows."""
    return float(2.0 ** np.frexp(np.abs(values).max(initial=0.0))[1])


def require_cloud(x: Cloud, name: str = "cloud") -> None:
    """Raise `DataError` unless ``x`` has shape (N, d) with N and d at least 1, and is finite."""
    if x.ndim != 2 or not x.size:
        raise DataError(f"the {name} has shape {x.shape}", "give an array (N, d) with N and d at least 1")
    finite = np.isfinite(x).all(1)
    if not finite.all():
        raise DataError(
            f"{int((~finite).sum())} of {len(x)} particles of the {name} are not finite; the first has number "
            f"{int(finite.argmin())}"
        )


def require_comparable(x: Cloud, y: Cloud, names: tuple[str, str] = ("first cloud", "second cloud")) -> None:
    """Raise `DataError` unless a distance between the clouds is defined."""
    require_cloud(x, names[0])
    require_cloud(y, names[1])
    if x.shape[1] != y.shape[1]:
        raise DataError(
            f"the {names[0]} has {x.shape[1]} dimensions and the {names[1]} {y.shape[1]}",
            "compare clouds of equal dimension",
        )


def require_references(cloud: Cloud, reference: Cloud, second: Cloud | None) -> None:
    """Raise `DataError` unless the clouds are comparable and the two references differ."""
    require_comparable(cloud, reference, ("cloud", "reference"))
    if second is not None:
        require_comparable(cloud, second, ("cloud", "second reference"))
        if np.array_equal(reference, second):
            raise DataError("the second reference equals the first", "simulate it with another --seed")
