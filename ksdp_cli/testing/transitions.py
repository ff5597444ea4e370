"""The contract of a transition solver, `ksdp_cli.assignment.base.TransitionSolver`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assignment.base import Matching, TransitionSolver, matching_value
from ..base.shapes import Batch
from ..initial.ball import Ball
from .contract import name_of, require

SETS, POINTS = 3, 64
#: Relative error of a stated value, and of an exact optimum.
TOLERANCE = 1e-9


def check_transition_solver(solver: object) -> None:
    """Check the class of a transition solver, made with ``seed`` as its only argument.

    On batches of 3 data sets of 64 points and of 1, in 2D and 3D, float32 and float64, without a start and from a
    random one: the answer is a `Matching` of permutations in int64; ``value`` is their mean squared distance to 1e-9;
    ``status`` is a word; ``gap``, if any, is not negative and bounds value minus the optimum (SciPy's
    linear_sum_assignment); with ``exact`` set the value is the optimum to 1e-9; the inputs are left as they were.

    Raises `AssertionError`, and the solver's own errors.
    """
    name = name_of(solver)
    require(isinstance(getattr(solver, "exact", None), bool), f"{name}.exact must say True or False")
    devices = getattr(solver, "devices", None)
    require(
        isinstance(devices, tuple) and devices and set(devices) <= {"cpu", "cuda"},
        f"{name}.devices is {devices!r}: it must be a tuple of 'cpu', 'cuda' or both",
    )
    try:
        instance: Any = solver(seed=1) if isinstance(solver, type) else solver
    except TypeError as error:
        raise AssertionError(f"{name}(seed=1) fails: {error}; every option needs a default, and seed is one") from None
    for dim in (2, 3):
        for dtype in (np.float32, np.float64):
            for points in (POINTS, 1):
                x: Batch = _clouds(points, dim, 0).astype(dtype)
                y: Batch = _clouds(points, dim, 1).astype(dtype)
                start = np.stack([np.random.default_rng(b).permutation(points) for b in range(SETS)])
                for first in (None, start):
                    _check_answer(instance, name, x, y, first)


def _clouds(points: int, dim: int, seed: int) -> NDArray[np.float32]:
    """Data sets of the ball; the last ones are contracted, so that costs span several scales."""
    sets = [Ball().draw(points, dim, seed, stream=b) for b in range(SETS)]
    return np.stack([cloud * np.float32(0.1**b) for b, cloud in enumerate(sets)])


def _check_answer(
    solver: TransitionSolver,
    name: str,
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    start: NDArray[np.int64] | None,
) -> None:
    from scipy.optimize import linear_sum_assignment

    inputs = [array for array in (x, y, start) if array is not None]
    before = [array.copy() for array in inputs]
    matching = solver.solve(x, y, start)
    same = (np.array_equal(a, b) for a, b in zip(inputs, before, strict=True))
    require(all(same), f"{name}.solve changes the arrays that it is given")
    require(isinstance(matching, Matching), f"{name}.solve gives {type(matching).__name__} and no Matching")
    permutation, value = np.asarray(matching.permutation), np.asarray(matching.value)
    case = f"for x of shape {x.shape}"
    require(
        permutation.shape == x.shape[:2] and permutation.dtype == np.int64,
        f"{name}: permutation is {permutation.dtype} of shape {permutation.shape} {case}; it must be int64 (B, N)",
    )
    require((np.sort(permutation, axis=1) == np.arange(x.shape[1])).all(), f"{name}: some row is no permutation {case}")
    true = matching_value(x, y, permutation)
    require(value.shape == true.shape, f"{name}: value has shape {value.shape} {case}; it must be (B,)")
    require(
        np.allclose(value, true, rtol=TOLERANCE, atol=0),
        f"{name}: value is {value} {case}, and the mean squared distance of the matching is {true}",
    )
    status = matching.status
    require(isinstance(status, str) and status, f"{name}: status is {status!r}; it must be a word")
    squared = ((x[:, :, None].astype(np.float64) - y[:, None]) ** 2).sum(-1)
    best = np.array([cost[linear_sum_assignment(cost)].mean() for cost in squared])
    require(
        not solver.exact or np.allclose(true, best, rtol=TOLERANCE, atol=0),
        f"{name} says that it is exact, and its value is {true} where the optimum is {best} {case}",
    )
    if matching.gap is not None:
        gap = np.asarray(matching.gap)
        require(gap.shape == true.shape and (gap >= 0).all(), f"{name}: gap is {gap} {case}; it must be (B,), none < 0")
        require(
            (true - best <= gap + TOLERANCE * best).all(),
            f"{name}: gap is {gap} {case}, and the true one {true - best}",
        )
