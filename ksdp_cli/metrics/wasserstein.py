"""Exact squared 2-Wasserstein distance between clouds of equal size, equation (12)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..errors import ConfigError, DataError, ResourceError
from ..shapes import Cloud

ESTIMATORS = ("certified", "emd")
#: Bytes a pair of particles, resident: POT holds the cost in float64, its arcs and flows, and the plan. Measured at
#: N = 1000 to 4000 (40.8 to 41.9); the certified solver keeps a few hundred bytes a particle.
EMD_BYTES_PER_PAIR, CERTIFIED_BYTES_PER_PARTICLE = 42, 4000


def exact_w2_squared(x: Cloud, y: Cloud, estimator: str = "certified") -> float:
    """W2^2 [length^2] between the empirical laws of ``x`` (N, d) and ``y`` (N, d), computed in float64.

    ``certified`` is the sparse solver with a dual certificate, O(N) memory, d <= 3; ``emd`` is POT's network simplex
    on the whole N x N cost matrix. They share no code, and both are exact. Raises `DataError` for clouds that cannot
    be compared, `ConfigError` for another estimator, `ResourceError` when the matrix of ``emd`` cannot fit.
    """
    require_comparable(x, y)
    if len(x) != len(y):
        raise DataError(f"clouds of {len(x)} and {len(y)} particles", "sub-sample both to one size")
    if estimator not in ESTIMATORS:
        raise ConfigError(f"there is no exact estimator {estimator!r}", f"there are: {', '.join(ESTIMATORS)}")
    batch = x[None].astype(np.float64), y[None].astype(np.float64)
    if estimator == "certified":
        if x.shape[1] > 3:
            raise DataError(f"the estimator 'certified' takes at most 3 dimensions, not {x.shape[1]}", "use 'emd'")
        from ..transitions.certified import Certified

        return float(Certified().solve(*batch).value[0])
    need, have = w2_memory(len(x), "emd"), available_memory()
    if need > have:
        raise ResourceError(
            f"the exact solver 'emd' needs {need / 2**30:.3g} GiB for N = {len(x)}; {have / 2**30:.3g} GiB are free",
            "lower --N or use --estimator certified",
        )
    from ..transitions.pot import Emd  # here, because POT takes seconds to import

    return float(Emd().solve(*batch).value[0])


def w2_memory(n: int, estimator: str = "certified") -> int:
    """Bytes that `exact_w2_squared` of ``n`` particles a side needs at its peak, beside the clouds themselves."""
    return EMD_BYTES_PER_PAIR * n * n if estimator == "emd" else CERTIFIED_BYTES_PER_PARTICLE * n


def available_memory() -> int:
    """Bytes that can be allocated without swapping: Linux's own estimate, else all physical memory."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def require_cloud(x: Cloud, name: str = "cloud") -> None:
    """Raise `DataError` unless ``x`` is (N, d), N and d at least 1, and finite; the message has the numbers."""
    if x.ndim != 2 or not x.size:
        raise DataError(f"the {name} has shape {x.shape}", "a cloud is (N, d) with N and d at least 1")
    finite = np.isfinite(x).all(1)
    if not finite.all():
        raise DataError(
            f"{int((~finite).sum())} of {len(x)} particles of the {name} are not finite, the first of them number "
            f"{int(finite.argmin())}"
        )


def require_comparable(x: Cloud, y: Cloud, names: tuple[str, str] = ("first cloud", "second cloud")) -> None:
    """Raise `DataError` for two clouds that no distance is defined between."""
    require_cloud(x, names[0])
    require_cloud(y, names[1])
    if x.shape[1] != y.shape[1]:
        raise DataError(
            f"the {names[0]} has {x.shape[1]} dimensions and the {names[1]} {y.shape[1]}",
            "compare clouds of one dimension",
        )
