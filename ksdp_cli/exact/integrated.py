"""The type of the result of `scipy.integrate.solve_ivp`, since SciPy has no types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: The solution (n,) at a time, or (n, m) at times (m,).
Solution = Callable[[float | NDArray[np.float64]], NDArray[np.float64]]


class Integrated(Protocol):
    """The solution ``y`` (n, m) at the times ``t`` (m,) of its steps, and with dense output ``sol`` between them."""

    t: NDArray[np.float64]
    y: NDArray[np.float64]
    sol: Solution
    success: bool
    status: int
    message: str
