"""The contract of an initial cloud: particle i of a seed is the same point however the cloud is cut up."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray


class InitialCloud(Protocol):
    """A law of initial particles in dimension ``dims``."""

    dims: ClassVar[tuple[int, ...]]

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> NDArray[np.float32]:
        """Particles ``start`` to ``start + n`` of the cloud of (``seed``, ``stream``): (n, dim) float32."""
        ...
