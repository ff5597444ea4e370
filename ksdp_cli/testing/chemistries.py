"""The contract of a chemistry, `ksdp_cli.chemistry.base.Chemistry`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.shapes import Cloud
from ..chemistry.base import Facts, Grid, State, WithField
from ..initial.ball import Ball
from ..plugins import registry
from .contract import name_of, require, require_dims

#: Of the differences of c, small beside the delta of 0.4.
STEP = 0.02


def check_chemistry(chemistry: type[object]) -> None:
    """Check the class of a chemistry, with the defaults of its ``Params``, in each of its dimensions.

    ``start`` gives named arrays, none of them "x", and none at all without ``memory``; ``advance`` leaves its state as
    it is, repeats to the bit, and goes on to the bit in another instance; ``gradient`` has the shape and type of the
    positions, is finite, leaves the state, and is in proportion to its scale. ``field``, where there is one, has the
    shape of the grid, and ``gradient`` is its slope. ``report`` names the ``engine``.

    Raises `AssertionError`.
    """
    name, dims = name_of(chemistry), require_dims(chemistry)
    cls: Any = chemistry
    kernel = registry().find("kernel", cls.kernel).load()
    for dim in dims:
        facts = Facts(dim, 60, 10.0, 0.01, 1e-3, 0.4, kernel=kernel, kernel_args=(0.16,), engine="direct", threads=1)
        one, other = (cls(cls.Params(), facts) for _ in range(2))
        x = Ball().draw(60, dim, 1)
        state = one.start(x)
        arrays = all(isinstance(array, np.ndarray) for array in state.values()) and "x" not in state
        require(arrays, f"{name}.start gives {sorted(state)}, not arrays with names other than 'x'")
        require(bool(state) == cls.memory, f"{name}.memory is {cls.memory}, and its state has {sorted(state)}")
        before = {key: array.copy() for key, array in state.items()}
        new, again = one.advance(state, x, 1e-3), other.advance(before, x, 1e-3)
        require(_equal(state, before), f"{name}.advance changes the state that it is given")
        require(_equal(new, again), f"{name}.advance in another instance gives other bits")
        copies = {key: array.copy() for key, array in new.items()}
        slope, twice = one.gradient(new, x), one.gradient(new, x, 2.0)
        shape = f"{slope.dtype} {slope.shape}"
        require(
            slope.shape == x.shape and slope.dtype == x.dtype, f"{name}.gradient gives {shape} for float32 {x.shape}"
        )
        require(np.isfinite(slope).all(), f"{name}.gradient is not finite")
        require(np.allclose(twice, 2.0 * slope, rtol=1e-5), f"{name}.gradient is not in proportion to its scale")
        require(_equal(new, copies), f"{name}.gradient changes the state")
        if hasattr(one, "field"):
            _check_field(name, one, new, x)
        require("engine" in one.report(new), f"{name}.report does not name its 'engine'")


def _check_field(name: str, chemistry: WithField, state: State, x: Cloud) -> None:
    """c about one particle by central differences, in which its own part cancels."""
    h, axes = STEP, [np.array([float(at) - STEP, float(at), float(at) + STEP]) for at in x[0]]
    c = chemistry.field(state, x, Grid(axes))
    require(c.shape == (3,) * len(axes), f"{name}.field gives {c.shape} for a grid of 3 points an axis")
    require(np.isfinite(c).all(), f"{name}.field is not finite")
    slopes = []
    for axis in range(len(axes)):
        line = c[tuple(slice(None) if other == axis else 1 for other in range(len(axes)))]
        slopes.append((line[2] - line[0]) / (2 * h))
    exact = np.asarray(chemistry.gradient(state, x), np.float64)
    off = float(np.linalg.norm(np.array(slopes) - exact[0]))
    require(off < 0.05 * float(np.abs(exact).max()), f"{name}.gradient is not the slope of its field")


def _equal(a: State, b: State) -> bool:
    return set(a) == set(b) and all(np.array_equal(a[key], b[key]) for key in a)
