"""The contract of a flow, `ksdp_cli.flows.base.Flow`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.arrays import Array
from ..base.shapes import Cloud
from ..flows.base import Flow
from .contract import name_of, require, require_dims, require_params

#: Step of the difference quotient, beside the radius, and what the divergence may be beside the largest derivative.
STEP, DIVERGENCE = 5e-4, 1e-6
TIMES = (0.0, 0.37)


def check_flow(flow: type[object], parameters: dict[str, float] | None = None, *, radius: float = 2.0) -> None:
    """Check a flow class in each of its dimensions, with ``parameters`` instead of the defaults where given.

    Checked, at 200 random points of the cube [-radius, radius]^d and the origin, at two times: ``dims`` and ``Params``
    (numbers with defaults and described units, no name that 'ksdp simulate' has itself); the velocity has the shape,
    type and kind of the positions, for NumPy and torch in float32 and float64; it is finite; it is that of each point
    alone, so that a cloud may be cut up; it leaves the positions as they were; NumPy and torch agree to 1e-4 (float32)
    and 1e-10 (float64) of the largest speed. The divergence, by central differences of fourth order in float64 with a
    step of 5e-4 radius, is at most 1e-6 of the largest derivative: right for structures larger than radius / 100.

    Raises `AssertionError`.
    """
    dims = require_dims(flow)
    values = require_params(flow, parameters)
    for dim in dims:
        make: Any = flow
        instance: Flow = make(values, dim)
        points = np.random.default_rng(0).uniform(-radius, radius, (201, dim))
        points[0] = 0.0
        for t in TIMES:
            _check_arrays(instance, name_of(flow), points, t)
            _check_divergence(instance, name_of(flow), points, t, STEP * radius)


def _check_arrays(flow: Flow, name: str, points: Cloud, t: float) -> None:
    import torch

    for dtype, tolerance in ((np.float32, 1e-4), (np.float64, 1e-10)):
        x: Cloud = points.astype(dtype)
        v = _velocity(flow, name, x, t, np.ndarray)
        require(np.array_equal(x, points.astype(dtype)), f"{name}.velocity changes the positions that it is given")
        require(np.isfinite(v).all(), f"{name}.velocity is not finite at x = {x[~np.isfinite(v).all(1)][:1]}")
        part = _velocity(flow, name, x[3:5].copy(), t, np.ndarray)
        speed = max(float(np.abs(v).max()), 1e-30)
        require(
            np.abs(part - v[3:5]).max() <= tolerance * speed,
            f"{name}.velocity of two points alone differs from theirs in a cloud: each point's velocity must depend on "
            "that point only",
        )
        other = _velocity(flow, name, torch.from_numpy(x.copy()), t, torch.Tensor).numpy()
        apart = float(np.abs(other - v).max()) / speed
        require(apart <= tolerance, f"{name}.velocity differs by {apart:.2g} between NumPy and torch in {x.dtype}")


def _velocity(flow: Flow, name: str, x: Array, t: float, kind: type) -> Array:
    """The velocity at ``x``, which must be of the same kind, shape and type."""
    try:
        v = flow.velocity(x, t)
    except Exception as error:
        raise AssertionError(
            f"{name}.velocity fails for a {kind.__name__} of shape {tuple(x.shape)} and {x.dtype}: "
            f"{type(error).__name__}: {error}"
        ) from error
    require(
        isinstance(v, kind),
        f"{name}.velocity turns a {kind.__name__} into a {type(v).__name__}: use namespace(x) for its functions",
    )
    require(v.shape == x.shape, f"{name}.velocity has shape {tuple(v.shape)} for positions of {tuple(x.shape)}")
    require(v.dtype == x.dtype, f"{name}.velocity is {v.dtype} for positions in {x.dtype}")
    return v


def divergence(flow: Flow, points: Cloud, t: float, h: float) -> tuple[Cloud, float]:
    """|div v| at ``points`` (n, d) in float64, by central differences of fourth order with step ``h``, less what
    rounding makes of it, and the largest derivative."""
    dim = points.shape[1]
    slopes = np.empty((len(points), dim, dim))  # of component i along axis j
    for axis in range(dim):
        at = np.zeros(dim)
        at[axis] = h
        far, near = (flow.velocity(points + k * at, t) - flow.velocity(points - k * at, t) for k in (2, 1))
        slopes[:, :, axis] = (8 * near - far) / (12 * h)
    rounding = 1e-12 * float(np.abs(flow.velocity(points, t)).max()) / h
    each = np.maximum(np.abs(np.trace(slopes, axis1=1, axis2=2)) - rounding, 0.0)
    return each, float(np.abs(slopes).max())


def _check_divergence(flow: Flow, name: str, points: Cloud, t: float, h: float) -> None:
    each, largest = divergence(flow, points, t, h)
    worst = int(each.argmax())
    require(
        each[worst] <= DIVERGENCE * largest,
        f"{name} is not divergence-free: div v = {each[worst]:.3g} at x = {points[worst]} and t = {t:g}, where "
        f"the largest derivative is {largest:.3g}",
    )
