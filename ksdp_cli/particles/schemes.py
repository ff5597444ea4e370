"""Time steps for equation (8): dX = b(X, t) dt + sqrt(2 mu) dW with additive noise.

Each takes positions x (J, d), time t, step dt, the drift b(x, t) and the Brownian increment sqrt(2 mu dt) xi, and
returns the new positions. ``evaluations`` is the number of drifts a step costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Drift = Callable[[Any, float], Any]


def euler(x: Any, t: float, dt: float, drift: Drift, noise: Any) -> Any:
    """Euler-Maruyama, the paper's scheme: one drift a step, weak order 1."""
    return x + dt * drift(x, t) + noise


def heun(x: Any, t: float, dt: float, drift: Drift, noise: Any) -> Any:
    """Stochastic Heun: two drifts a step, weak order 2 for additive noise.

    Kloeden and Platen, Numerical Solution of Stochastic Differential Equations (1992), section 15.1.
    """
    first = drift(x, t)
    ahead = x + dt * first + noise
    return x + (0.5 * dt) * (first + drift(ahead, t + dt)) + noise


SCHEMES: dict[str, Callable[..., Any]] = {"euler": euler, "heun": heun}
EVALUATIONS = {"euler": 1, "heun": 2}
