"""The contract of a time scheme, `ksdp_cli.particles.schemes.base.Scheme`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contract import name_of, require

#: The rate of the linear problem, and how far the observed order may be below the stated one.
RATE, SLACK = -3.0, 0.15


def check_scheme(scheme: type[object]) -> None:
    """Check the class of a scheme, made without arguments.

    A step gives a new array of the shape and type of ``x``, leaves ``x`` and ``noise`` as they are, calls the drift
    ``evaluations`` times within [t, t + dt], and adds the noise once where there is no drift. The second moment of
    dX = -3 X dt + dW converges with ``order``.

    Raises `AssertionError`.
    """
    name = name_of(scheme)
    for attribute in ("order", "evaluations"):
        value = getattr(scheme, attribute, None)
        require(isinstance(value, int) and value >= 1, f"{name}.{attribute} is {value!r}, not a whole number from 1 on")
    cls: Any = scheme
    step = cls().step
    for dtype in (np.float32, np.float64):
        x, noise = np.linspace(-1, 1, 12, dtype=dtype).reshape(6, 2), np.full((6, 2), 0.25, dtype)
        before, times = x.copy(), list[float]()

        def drift(y: NDArray[np.floating], t: float, times: list[float] = times) -> NDArray[np.floating]:
            times.append(t)
            return np.zeros_like(y)

        new = step(x, 0.5, 0.125, drift, noise)
        require(isinstance(new, np.ndarray), f"{name}.step gives a {type(new).__name__} and no NumPy array")
        same = new.shape == x.shape and new.dtype == dtype
        require(same, f"{name}.step gives {new.dtype} {new.shape} for {dtype.__name__} {x.shape}")
        unchanged = np.array_equal(x, before) and (noise == 0.25).all() and not np.shares_memory(new, x)
        require(unchanged, f"{name}.step changes its arguments, or gives one back")
        require(len(times) == cls.evaluations, f"{name} calls the drift {len(times)} times, not {cls.evaluations}")
        inside = min(times) >= 0.5 and max(times) <= 0.625
        require(
            inside, f"{name} calls the drift at times from {min(times)} to {max(times)}, in a step from 0.5 to 0.625"
        )
        require(np.allclose(new, x + noise), f"{name}.step does not add the noise once where there is no drift")
    order = _observed_order(step)
    require(order > cls.order - SLACK, f"{name} converges with order {order:.2f}, not {cls.order}")


def _observed_order(step: Callable[..., NDArray[np.floating]]) -> float:
    """Of E X^2 at t = 0.5 from X_0 = 1; a step is linear in position and noise, so unit impulses give the law."""
    end, errors = 0.5, []
    growth = math.exp(2 * RATE * end)
    for steps in (64, 128):
        dt = end / steps
        x: NDArray[np.floating] = np.zeros(
            (steps + 1, 1)
        )  # row k: what one unit of noise in step k becomes; the last row: X_0
        x[steps] = 1.0
        for k in range(steps):
            impulse = np.zeros_like(x)
            impulse[k] = math.sqrt(dt)
            x = step(x, k * dt, dt, lambda y, _: RATE * y, impulse)
        errors.append(abs(float((x**2).sum()) - growth - (growth - 1) / (2 * RATE)))
    return math.log2(errors[0] / max(errors[1], 1e-300))
