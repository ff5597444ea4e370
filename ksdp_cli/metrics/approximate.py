"""Distances for clouds of any two sizes: sliced, and binned as in the paper's figure 7(b).

Neither is the exact one: the sliced distance is another metric, and binning adds to the noise floor (0.0055 against
0.0032 for two samples of 2000 particles with 20 cells a side). Compare each only with its own floor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, NumericalError, ResourceError
from ..shapes import Cloud
from .wasserstein import EMD_BYTES_PER_PAIR, available_memory, require_comparable


def sliced_w2_squared(x: Cloud, y: Cloud, projections: int = 64, seed: int = 0) -> float:
    """Mean over random directions of the exact W2^2 [length^2] of the projected laws, ``x`` (n, d), ``y`` (m, d).

    A translation by a gives |a|^2 / d on average over directions. O(projections n log n). Raises `DataError` for clouds
    that cannot be compared, `ConfigError` for no projections.
    """
    require_comparable(x, y)
    if projections < 1:
        raise ConfigError(f"projections = {projections}", "use at least 1")
    directions = np.random.default_rng(seed).standard_normal((projections, x.shape[1]))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    # both quantile functions are constant between consecutive multiples of 1/n and 1/m
    n, m = len(x), len(y)
    ends = np.unique(np.concatenate([np.arange(1, n + 1) * m, np.arange(1, m + 1) * n]))
    widths = np.diff(ends, prepend=0) / (n * m)
    i, j = (ends - 1) // m, (ends - 1) // n
    total = 0.0
    for direction in directions:
        gap = np.sort(x @ direction)[i] - np.sort(y @ direction)[j]
        total += float(widths @ gap**2)
    return total / projections


def binned_w2_squared(x: Cloud, y: Cloud, bins: int = 20) -> float:
    """Exact W2^2 [length^2] after every particle of ``x`` (n, d) and ``y`` (m, d) is moved to its cell's centre.

    Cells are ``bins`` a side of the box around both clouds, as in figure 7(b) with B = 20; the transport between the
    weighted cells is exact. The move is at most half a cell's diagonal: |W2 - binned W2| is at most one diagonal.
    Raises `DataError` for clouds that cannot be compared, `ConfigError` for no bins, `ResourceError` for memory.
    """
    require_comparable(x, y)
    if bins < 1:
        raise ConfigError(f"bins = {bins}", "use at least 1")
    low = np.minimum(x.min(0), y.min(0)).astype(np.float64)
    side = (np.maximum(x.max(0), y.max(0)).astype(np.float64) - low) / bins
    (a, p), (b, q) = _cells(x, low, side, bins), _cells(y, low, side, bins)
    need, have = EMD_BYTES_PER_PAIR * len(a) * len(b), available_memory()
    if need > have:
        raise ResourceError(
            f"{len(a)} x {len(b)} cells need {need / 2**30:.3g} GiB, and {have / 2**30:.3g} GiB are free", "lower bins"
        )
    import ot

    value, log = ot.emd2(p, q, ot.dist(a, b), numItermax=max(100_000, 200 * len(a)), log=True)
    if log["warning"] is not None:
        raise NumericalError(f"ot.emd2 did not reach the optimum: {log['warning']}", "lower bins")
    return float(value)


def _cells(
    x: Cloud, low: NDArray[np.float64], side: NDArray[np.float64], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres (k, d) and weights (k,) of the cells that hold particles."""
    wide = np.where(side > 0, side, 1.0)  # an axis without extent has one cell
    index = np.clip(((x - low) / wide).astype(np.int64), 0, bins - 1)
    cells, counts = np.unique(index, axis=0, return_counts=True)
    return low + (cells + 0.5) * side, counts / len(x)
