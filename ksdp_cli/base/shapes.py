"""Names of array shapes.

A cloud is (J, d): J particles in d dimensions. A batch of clouds is (B, N, d); the frames of a run are
(case, particle, axis). Physical parameters eta are (p,) or (n, p). Positions are float32 unless stated.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Cloud: TypeAlias = NDArray[np.floating[Any]]
Batch: TypeAlias = NDArray[np.floating[Any]]
Frame: TypeAlias = NDArray[np.floating[Any]]
