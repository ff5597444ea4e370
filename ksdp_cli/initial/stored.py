"""A stored cloud as the initial one: the paper's warm-up idea, generated particles that a simulation goes on from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError


class StoredCloud:
    """The last committed frame of the first case of a store, simulated or sampled.

    Particle i of the cloud is row i of the frame, whatever the seed. Raises `ConfigError` when more particles are
    asked for than are stored.
    """

    def __init__(self, path: Any) -> None:
        from ..store import open_run

        self.path = str(path)
        self.run = open_run(path)
        self.dims: tuple[int, ...] = (self.run.dim,)
        self._frame: NDArray[np.float32] | None = None

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> NDArray[np.float32]:
        if start + n > self.run.J:
            raise ConfigError(
                f"{self.path} holds {self.run.J} particles, and {start + n} are asked for", f"use --J {self.run.J}"
            )
        if self._frame is None:
            self._frame = self.run.frame(0, len(self.run.times) - 1)
        return self._frame[start : start + n]
