"""The data of a training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .units import IDENTITY, Units

#: Largest coordinate for which float32 holds sums of squares and their gradients.
LARGEST = 1e15


@dataclass(frozen=True)
class TrainingData:
    """``clouds`` (sets, J, d) float32 at physical parameters ``eta`` (sets, p) with ``names``.

    ``draw(n, stream)`` returns n fresh particles (n, d) of the initial law, equal for equal streams. If the runs
    started from a stored cloud, ``source`` (K, d) holds its particles, and particle i of a cloud started from row i.
    ``validation`` holds clouds (sets, J, d) of other runs and their parameters (sets, p). The network sees the initial
    cloud in ``source_units`` and the clouds in ``cloud_units``; the arrays here are not in them.

    Raises `DataError` for shapes that disagree, and for entries that are not finite or too large.
    """

    clouds: NDArray[np.float32]
    eta: NDArray[np.float64]
    names: tuple[str, ...]
    draw: Callable[[int, int], NDArray[np.float32]]
    source: NDArray[np.float32] | None = None
    validation: tuple[NDArray[np.float32], NDArray[np.float64]] | None = None
    source_units: Units = IDENTITY
    cloud_units: Units = IDENTITY

    def __post_init__(self) -> None:
        if self.clouds.ndim != 3 or self.eta.shape != (len(self.clouds), len(self.names)):
            raise DataError(f"clouds {self.clouds.shape} and eta {self.eta.shape} for {len(self.names)} parameters")
        bad = int((~np.isfinite(self.clouds).all(-1)).sum())
        if bad or not np.isfinite(self.eta).all():
            raise DataError(f"{bad} training particles or their parameters are not finite", "simulate again")
        largest = float(np.abs(self.clouds).max(initial=0.0))
        if largest > LARGEST:
            raise DataError(f"a training particle has the coordinate {largest:.3g}, whose square exceeds float32",
                            "remove it, or use other units")  # fmt: skip

    def standardise(self) -> TrainingData:
        """The same data as the network sees them."""
        before, after = self.source_units, self.cloud_units
        if before.trivial and after.trivial:
            return self
        other = self.validation
        return replace(
            self,
            clouds=np.stack([after.standardise(cloud) for cloud in self.clouds]),
            draw=lambda n, stream: before.standardise(self.draw(n, stream)),
            source=None if self.source is None else before.standardise(self.source),
            validation=None
            if other is None
            else (np.stack([after.standardise(cloud) for cloud in other[0]]), other[1]),
        )

    def sha256(self) -> str:
        """SHA-256 of all arrays and names."""
        sha = hashlib.sha256(repr((self.names, self.clouds.shape)).encode())
        sha.update(np.ascontiguousarray(self.clouds).data)
        sha.update(np.ascontiguousarray(self.eta).data)
        for more in (() if self.source is None else (self.source,)) + (self.validation or ()):
            sha.update(np.ascontiguousarray(more).data)
        return sha.hexdigest()
