"""A stored cloud as the initial one: the paper's warm-up idea, generated particles that a simulation goes on from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError


class StoredCloud:
    """One frame (J, d) of the store at ``path``, read by ``read`` when it is first needed.

    Particle i of the cloud is row i of the frame, whatever the seed and the stream. Raises `ConfigError` when more
    particles are asked for than are stored.
    """

    def __init__(self, path: str, count: int, dim: int, read: Callable[[], NDArray[np.float32]]) -> None:
        self.path, self.count, self.dims, self._read = path, count, (dim,), read

    @cached_property
    def frame(self) -> NDArray[np.float32]:
        """All its rows (J, d)."""
        return self._read()

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> NDArray[np.float32]:
        if start + n > self.count:
            raise ConfigError(
                f"{self.path} holds {self.count} particles, and {start + n} are asked for", f"use --J {self.count}"
            )
        return self.frame[start : start + n]
