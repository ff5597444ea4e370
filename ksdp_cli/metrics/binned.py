"""The binned distance of the paper's figure 7(b): the exact distance between histograms on a grid.

Binning raises the noise floor: 0.0055 instead of 0.0032 for two samples of 2000 particles with 20 cells a side. Compare
the distance only with its own floor.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..assignment.pot import squared_distances
from ..base.memory import available_memory
from ..base.shapes import Cloud
from ..base.threads import core_count
from ..errors import ConfigError, NumericalError, ResourceError
from .base import Distance, Transport
from .wasserstein import EMD_BYTES_PER_PAIR, require_comparable

BINS = 20
#: Seconds of one transport for each pair of cells: benchmarks/million_distances.py.
SECONDS = 8e-7


class Binned(Distance):
    """Exact W2^2 after each particle has moved to the centre of its cell, of 20 cells a side of the common box."""

    title = "binned W2"

    @property
    def label(self) -> str:
        return f"binned, B = {BINS}"

    @cached_property
    def around(self) -> NDArray[np.float64]:
        """The common box (2, d) of all clouds: lower and upper corner."""
        return box(*self.clouds)

    def cost(self, n: int, solves: int) -> tuple[float, float]:
        # a ball fills half of its box
        cells = min(max(len(one) for one in self.clouds), BINS ** self.cloud.shape[1] // 2)
        return SECONDS * cells**2 * (solves + 1) / min(solves, core_count()), EMD_BYTES_PER_PAIR * cells**2

    def transport(self, x: Cloud, y: Cloud) -> Transport:
        return binned_transport(x, y, self.around)

    def between_all(self) -> float | None:
        """As in the paper's figure, which compares 10^6 generated particles with 10^4 simulated ones."""
        differ = len(self.cloud) != len(self.reference)
        return binned_w2_squared(self.cloud, self.reference) if differ else None


def binned_w2_squared(x: Cloud, y: Cloud, bins: int = BINS) -> float:
    """Exact W2^2 [length^2] after each particle of ``x`` (n, d) and ``y`` (m, d) has moved to the centre of its cell.

    The box around both clouds has ``bins`` cells a side, as in figure 7(b) with B = 20; the transport between the
    weighted cells is exact. A particle moves by at most half a cell's diagonal, so |W2 - binned W2| is at most one
    diagonal. Raises `DataError` for clouds that cannot be compared, `ConfigError` for bins < 1, and `ResourceError` if
    memory is insufficient.
    """
    require_comparable(x, y)
    return binned_transport(x, y, box(x, y), bins).value


def binned_transport(x: Cloud, y: Cloud, around: NDArray[np.float64], bins: int = BINS) -> Transport:
    """`binned_w2_squared` on a grid over the box ``around`` (2, d); a particle has the potential of its cell."""
    if bins < 1:
        raise ConfigError(f"bins = {bins}", "use at least 1")
    side = (around[1] - around[0]) / bins
    (a, p, of_x), (b, q, of_y) = (_cells(one, around[0], side, bins) for one in (x, y))
    need, have = EMD_BYTES_PER_PAIR * len(a) * len(b), available_memory()
    if need > have:
        raise ResourceError(
            f"{len(a)} x {len(b)} cells need {need / 2**30:.3g} GiB, but {have / 2**30:.3g} GiB are free",
            "use fewer bins",
        )
    import ot

    cost = squared_distances(a, b)
    largest = cost.max() or 1.0  # POT stops at an absolute size of reduced costs
    value, log = ot.emd2(p, q, cost / largest, numItermax=max(100_000, 200 * len(a)), log=True)
    if log["warning"] is not None:
        raise NumericalError(f"ot.emd2 did not reach the optimum: {log['warning']}", "use fewer bins")
    return Transport(float(value) * largest, (log["u"][of_x] * largest, log["v"][of_y] * largest))


def box(*clouds: Cloud) -> NDArray[np.float64]:
    """Lower and upper corner (2, d) of the smallest box around all ``clouds``."""
    low, high = (np.array([f(cloud, axis=0) for cloud in clouds], np.float64) for f in (np.min, np.max))
    return np.stack([low.min(0), high.max(0)])


def _cells(
    x: Cloud, low: NDArray[np.float64], side: NDArray[np.float64], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return centres (k, d) relative to ``low`` and weights (k,) of the occupied cells, and the cell (n,) of each
    particle."""
    wide = np.where(side > 0, side, 1.0)  # an axis without extent has one cell
    index = np.clip(((x - low) / wide).astype(np.int64), 0, bins - 1)
    shape = (bins,) * x.shape[1]
    codes, of_particle, counts = np.unique(np.ravel_multi_index(tuple(index.T), shape), False, True, True)
    cells = np.stack(np.unravel_index(codes, shape), 1)
    return (cells + 0.5) * side, counts / len(x), of_particle
