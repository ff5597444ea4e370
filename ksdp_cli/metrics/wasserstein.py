"""Exact squared 2-Wasserstein distance between clouds of equal size, equation (12)."""

from __future__ import annotations

import os

import numpy as np

from ..errors import DataError, ResourceError
from ..shapes import Cloud


def exact_w2_squared(x: Cloud, y: Cloud, estimator: str = "certified") -> float:
    """W2^2 [length^2] between the empirical laws of ``x`` (N, d) and ``y`` (N, d).

    ``certified`` is the sparse solver with a dual certificate, ``emd`` POT's network simplex on the whole N x N cost
    matrix: independent of one another, both exact. Raises `DataError` for clouds that cannot be compared,
    `ResourceError` when the matrix of ``emd`` cannot fit.
    """
    require_comparable(x, y)
    if len(x) != len(y):
        raise DataError(f"clouds of {len(x)} and {len(y)} particles", "sub-sample both to one size")
    if estimator == "certified":
        from ..transitions.certified import Certified

        return float(Certified().solve(x[None], y[None]).value[0])
    need = 3 * 8 * len(x) ** 2
    have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if need > have:
        raise ResourceError(
            f"the exact solver 'emd' needs {need / 2**30:.3g} GiB for N = {len(x)}, of {have / 2**30:.3g} GiB",
            "lower --N or use --estimator certified",
        )
    from ..transitions.pot import Emd

    return float(Emd().solve(x[None], y[None]).value[0])


def require_comparable(x: Cloud, y: Cloud) -> None:
    """Raise `DataError` for empty clouds, other dimensions, or rows that are not finite, with the numbers."""
    for name, cloud in (("first", x), ("second", y)):
        if cloud.ndim != 2 or not cloud.size:
            raise DataError(f"the {name} cloud has shape {cloud.shape}", "a cloud is (N, d) with N and d at least 1")
        bad = int((~np.isfinite(cloud).all(1)).sum())
        if bad:
            raise DataError(f"{bad} of {len(cloud)} particles of the {name} cloud are not finite")
    if x.shape[1] != y.shape[1]:
        raise DataError(f"the clouds have {x.shape[1]} and {y.shape[1]} dimensions", "compare clouds of one dimension")
