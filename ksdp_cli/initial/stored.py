"""A stored cloud as the initial cloud: the paper's warm-up, a simulation that starts from generated particles."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..errors import ConfigError


def digest(cloud: NDArray[np.floating]) -> str:
    """SHA-256 (hexadecimal) of positions (n, d), independent of the file that holds them.

    It hashes them as float32, or as float64 if float32 would round them.
    """
    kind = "<f8" if cloud.dtype == np.float64 and (cloud != cloud.astype(np.float32)).any() else "<f4"
    return hashlib.sha256(np.ascontiguousarray(cloud, kind).data).hexdigest()


class StoredCloud:
    """One frame (J, d) of the store at ``path``; ``read`` loads it at first use.

    ``t`` is its time and ``generation`` the number of runs before. Particle i of the cloud is row i of the frame, for
    any seed and stream. `draw` raises `ConfigError` for more particles than the frame has.
    """

    def __init__(
        self,
        path: str,
        count: int,
        dim: int,
        read: Callable[[], Cloud],
        t: float = 0.0,
        generation: int = 1,
    ) -> None:
        self.path, self.count, self.dims, self._read = path, count, (dim,), read
        self.t, self.generation = t, generation

    @cached_property
    def frame(self) -> Cloud:
        """All rows (J, d)."""
        return self._read()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the particles."""
        return digest(self.frame)

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Cloud:
        if start + n > self.count:
            raise ConfigError(
                f"{self.path} holds {self.count} particles, fewer than {start + n}", f"use --J {self.count} or less"
            )
        return self.frame[start : start + n]
