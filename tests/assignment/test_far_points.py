"""Exact solvers where costs differ by many orders: particles far from all others, clouds far from 0, extreme units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.assignment.pot import Bsp, Emd, squared_distances
from ksdp_cli.errors import NumericalError

SOLVERS = [Certified, Emd]


def truth(x: np.ndarray, y: np.ndarray) -> float:
    """SciPy's assignment on costs of differences, whose relative errors are those of float64."""
    cost = ((x[:, None] - y[None]) ** 2).sum(-1)
    return float(cost[linear_sum_assignment(cost)].mean())


def normal(n: int = 300, seed: int = 0, dim: int = 2) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.random.default_rng(seed).standard_normal((2, n, dim))
    return x, y


def proven(solver: Any, x: np.ndarray, y: np.ndarray) -> float:
    """The value, once its gap is small and its prices prove as much by what SciPy knows nothing of."""
    found = solver().solve(x[None], y[None])
    value = float(found.value[0])
    assert found.gap[0] <= 1e-7 * value
    if value:
        assert found.prices[0].mean() + found.prices[1].mean() == pytest.approx(value, rel=2e-7)
    return value


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("far", [1e3, 1e5, 1e7, 1e9, 1e15, 1e36, 1e100])
def test_far_particles_on_both_sides(solver: Any, far: float) -> None:
    x, y = normal()
    x[-1], y[-1] = (far, 0), (far, 1)
    assert proven(solver, x, y) == pytest.approx(truth(x, y), rel=1e-9)
    x[0], y[7] = (0, -far), (2, -far)  # and two more, at other places of the order
    x[5] = y[9] = (far, far)
    assert proven(solver, x, y) == pytest.approx(truth(x, y), rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_far_particles_of_one_cloud_and_crowds_far_apart(solver: Any) -> None:
    x, y = normal(seed=1, dim=3)
    x[3] = 1e9
    assert proven(solver, x, y) == pytest.approx(truth(x, y), rel=1e-9)
    x, y = normal(seed=2)
    x[:150] += 1e7
    y[100:250] += 1e7
    assert proven(solver, x, y) == pytest.approx(truth(x, y), rel=1e-9)
    y[250] += 1e7
    assert proven(solver, x, y) == pytest.approx(truth(x, y), rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_scales_of_twelve_orders_at_once(solver: Any) -> None:
    rng = np.random.default_rng(3)
    x, y = (normal(seed=i)[0] * 10.0 ** rng.uniform(-6, 6, (300, 1)) for i in (4, 5))
    assert proven(solver, x, y) == pytest.approx(truth(x, y), rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_cloud_in_another_order_is_at_no_distance(solver: Any) -> None:
    x, _ = normal(seed=6)
    x[0] = 1e9
    assert proven(solver, x, np.random.default_rng(0).permutation(x)) == 0.0


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shift", [1.0, 1e4, 1e8])
def test_a_translation_of_both_clouds_changes_nothing_beyond_its_rounding(solver: Any, shift: float) -> None:
    """Each entry is rounded to e = 2^-53 |x + c|, so that W2 changes by no more than 2 sqrt(d) e."""
    x, y = normal(seed=7)
    value, error = proven(solver, x, y), 2 * 2.0**0.5 * 2.0**-53 * (shift + 5)
    moved = proven(solver, x + shift, y + shift)
    assert abs(moved**0.5 - value**0.5) <= error + 1e-10 * value**0.5
    assert moved == pytest.approx(truth(x + shift, y + shift), rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("unit", [1e-150, 1e-30, 1e30, 1e150])
def test_units_change_nothing(solver: Any, unit: float) -> None:
    x, y = normal(seed=8)
    assert proven(solver, x * unit, y * unit) / unit / unit == pytest.approx(proven(solver, x, y), rel=1e-9)


def test_what_spans_more_than_float64_is_refused() -> None:
    x, y = normal(50)
    x[-1], y[-1] = (1e150, 0), (1e150, 1)
    with pytest.raises(NumericalError, match=r"1e\+150"):
        Certified().solve(x[None], y[None])


def test_the_bound_neither_knows_where_the_clouds_lie_nor_their_units() -> None:
    """A bound is a bound; within a factor of 2 of the optimum as it is at home."""
    x, y = normal(seed=9)
    least = truth(x, y)
    for unit, shift in ((1.0, 1e8), (1e-150, 0.0), (1e150, 0.0)):
        found = Bsp().solve((x * unit + shift)[None], (y * unit + shift)[None]).value[0] / unit / unit
        assert least * (1 - 1e-6) <= found <= 2 * least


def test_squared_distances_are_those_of_differences() -> None:
    x, y = normal(40, dim=3)
    np.testing.assert_allclose(squared_distances(x + 1e6, y + 1e6), ((x[:, None] - y) ** 2).sum(-1), rtol=1e-6)
