"""The grid of ``--store-field`` for the chemical of a run, chosen before the first frame."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..base.labels import evenly
from ..base.shapes import Cloud
from ..errors import ConfigError
from ..particles.problem import Problem
from ..store.field_grid import FieldGrid

#: Most values of a frame: 1 GiB.
MOST = 1 << 28
#: Margin for the spread of particles, in standard deviations of their Brownian path along an axis.
SPREAD = 3.0
#: Most particles, steps and cases whose path in the flow is traced.
TRACED, STEPS, CASES = 128, 200, 8


def grid_of(problem: Problem, cloud: Cloud) -> FieldGrid | None:
    """Return the grid of a run that starts from ``cloud`` (J, d); None if c is not stored.

    Its cube has the side of ``--field-side``, or is the periodic box of the chemistry, or contains the paths of the
    initial cloud in the flow alone with a margin of 3 sqrt(2 mu T). It is the same for all cases and frames. Raises
    `ConfigError` for a grid that is too large, and for a chemistry without c between the particles.
    """
    config = problem.config
    if not config.store_field:
        if config.field_side:
            raise ConfigError("--field-side needs --store-field", "give the points per axis, as --store-field 64")
        return None
    if not hasattr(problem.chemistry, "field"):
        raise ConfigError(f"chemistry {config.chemistry!r} gives no c between particles", "drop --store-field")
    gradient = config.store_gradient == "yes"
    if gradient and not hasattr(problem.chemistry, "field_gradient"):
        raise ConfigError(f"chemistry {config.chemistry!r} gives no gradient of c", "drop --store-gradient")
    if config.store_field**config.dim > MOST:
        most = math.floor(MOST ** (1.0 / config.dim) + 1e-9)
        raise ConfigError(f"store_field = {config.store_field} in {config.dim}D", f"use --store-field {most} at most")
    ends = way_of(problem, cloud)
    middle, width = ends.mean(1), float((ends[:, 1] - ends[:, 0]).max())
    middle[np.abs(middle) < 0.05 * width] = 0.0  # for clouds near the origin, centre the grid there
    box = max(config.chemistry_params.get("box", (0.0,)))
    if config.field_side:
        side = config.field_side
    elif box:
        side, middle = box, np.zeros(config.dim)
    else:
        wide = width + 2.0 * SPREAD * math.sqrt(2.0 * max(config.mu) * config.T)
        side = _rounded_up(max(wide, 8.0 * math.sqrt(max(config.delta2))))
    if not side > 0:
        raise ConfigError("all particles start at one point", "give the side of the grid, as --field-side 2")
    return FieldGrid(config.store_field, tuple((middle - side / 2).tolist()), side, gradient)


def way_of(problem: Problem, cloud: Cloud) -> NDArray[np.float64]:
    """Return the ends (d, 2) of the cloud at the start and of the paths of some particles in the flow alone."""
    config, ends = problem.config, np.array([(axis.min(), axis.max()) for axis in cloud.T], np.float64)
    some = cloud[:: -(-len(cloud) // TRACED)]
    dt = config.T / STEPS
    for case in evenly(problem.cases, CASES):
        x = some.astype(config.dtype)
        for step in range(STEPS):
            t = config.t0 + step * dt
            with np.errstate(all="ignore"):
                half = x + (dt / 2 * case.flow.velocity(x, t)).astype(x.dtype)
                x = x + (dt * case.flow.velocity(half, t + dt / 2)).astype(x.dtype)
            if not np.isfinite(x).all():
                break
            ends = np.stack([np.minimum(ends[:, 0], x.min(0)), np.maximum(ends[:, 1], x.max(0))], 1)
    return ends


def describe(grid: FieldGrid) -> str:
    """Describe a grid in one sentence."""
    ends = " x ".join(f"[{low:.3g}, {low + grid.side:.3g}]" for low in grid.low)
    what = "c and its gradient are" if grid.gradient else "c is"
    return f"{what} stored on {' x '.join(map(str, grid.shape))} points of {ends}; --field-side sets another side"


def _rounded_up(side: float) -> float:
    """Round up to two significant digits."""
    if side <= 0:
        return side
    unit = 10.0 ** (math.floor(math.log10(side)) - 1)
    return round(math.ceil(side / unit * (1 - 1e-9)) * unit, 12)
