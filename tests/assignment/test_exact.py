"""Exact solvers against problems whose answer is known, against one another, and against their certificate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.optimize import linear_sum_assignment

from ksdp_cli.assignment.base import matching_value
from ksdp_cli.assignment.certified.auction import violations
from ksdp_cli.assignment.certified.geometry import clouds, cost, empty_lists, renew_list
from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.assignment.pot import Emd
from ksdp_cli.errors import NumericalError

EXACT = [Certified, Emd]


def solve(solver: Any, x: np.ndarray, y: np.ndarray, start: np.ndarray | None = None) -> Any:
    found = solver(seed=1).solve(x[None], y[None], None if start is None else start[None])
    assert sorted(found.permutation[0]) == list(range(len(x)))
    assert found.permutation.dtype == np.int64
    np.testing.assert_allclose(found.value, matching_value(x[None], y[None], found.permutation), rtol=1e-12)
    return found


def scipy_value(x: np.ndarray, y: np.ndarray) -> float:
    cost = ((x[:, None].astype(float) - y[None]) ** 2).sum(-1)
    return float(cost[linear_sum_assignment(cost)].mean())


@pytest.mark.parametrize("solver", EXACT)
@pytest.mark.parametrize("dim", [2, 3])
def test_a_translation_costs_its_length_squared(solver: Any, dim: int) -> None:
    x = np.random.default_rng(0).standard_normal((400, dim))
    a = np.array([0.7, -0.2, 0.4][:dim])
    shuffled = np.random.default_rng(1).permutation(400)
    found = solve(solver, x, (x + a)[shuffled])
    assert found.value[0] == pytest.approx((a**2).sum(), rel=1e-9)


@pytest.mark.parametrize("solver", EXACT)
def test_on_a_line_the_answer_is_the_sorted_one(solver: Any) -> None:
    generator = np.random.default_rng(2)
    s, t = generator.exponential(size=300), generator.standard_normal(300)
    way = np.array([0.6, 0.8])
    found = solve(solver, s[:, None] * way, t[:, None] * way)
    assert found.value[0] == pytest.approx(((np.sort(s) - np.sort(t)) ** 2).mean(), rel=1e-9)


@pytest.mark.parametrize("solver", EXACT)
def test_gaussians_reach_the_formula_of_bures(solver: Any) -> None:
    """W2^2 = |m|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2); the empirical one is biased upwards by the floor."""
    generator, n = np.random.default_rng(3), 2000
    a, b = np.array([[1.0, 0.3], [0.3, 0.5]]), np.array([[0.2, -0.1], [-0.1, 1.5]])
    mean = np.array([2.0, -1.0])
    root = np.real(sqrtm(a))
    exact = float((mean**2).sum() + np.trace(a + b - 2 * np.real(sqrtm(root @ b @ root))))
    x = generator.multivariate_normal([0, 0], a, n)
    y = generator.multivariate_normal(mean, b, n)
    value = float(solve(solver, x, y).value[0])
    # the spread comes from the sample means: 2 |m| sqrt(var/n); four of them, and the floor of about 0.01
    spread = 4 * 2 * float(np.sqrt(mean @ (a + b) @ mean / n))
    assert abs(value - exact) < spread + 0.01


@pytest.mark.parametrize("n", [1, 2, 3, 7, 200])
def test_all_exact_solvers_agree(make_pair: Callable[..., Any], n: int) -> None:
    x, y = make_pair(n)
    values = [float(solve(solver, x, y).value[0]) for solver in EXACT] + [scipy_value(x, y)]
    np.testing.assert_allclose(values, values[-1], rtol=1e-9, atol=1e-9)


def test_certified_equals_emd_at_the_size_of_training(make_pair: Callable[..., Any]) -> None:
    x, y = make_pair(1000, seed=5)
    assert solve(Certified, x, y).value[0] == pytest.approx(solve(Emd, x, y).value[0], rel=1e-9, abs=1e-12)


def test_all_points_in_one_place_and_one_cloud_twice() -> None:
    x = np.full((50, 2), 0.3, np.float32)
    assert solve(Certified, x, x).value[0] == 0
    y = np.random.default_rng(0).random((50, 3)).astype(np.float32)
    assert solve(Certified, y, y[::-1]).value[0] == 0


@pytest.mark.parametrize("factor", [1e-12, 1e9])
def test_units_do_not_matter(factor: float, pairs: dict[str, Any]) -> None:
    x, y = (np.asarray(side, np.float64) for side in pairs["clump"](300))
    value = solve(Certified, x, y).value[0]
    assert solve(Certified, x * factor, y * factor).value[0] == pytest.approx(value * factor**2, rel=1e-9)


def test_a_batch_is_its_members_and_a_start_changes_nothing(pairs: dict[str, Any]) -> None:
    members = [pairs[kind](300) for kind in ("ball", "clump", "late")]
    x, y = (np.stack(side) for side in zip(*members, strict=True))
    found = Certified().solve(x, y)
    assert found.status == "certified"
    alone = [solve(Certified, *member).value[0] for member in members]
    np.testing.assert_allclose(found.value, alone, rtol=1e-12)
    start = np.stack([np.random.default_rng(b).permutation(300) for b in range(3)])
    np.testing.assert_allclose(Certified().solve(x, y, start).value, alone, rtol=1e-9)


def test_the_certificate_holds_over_all_pairs(make_pair: Callable[..., Any]) -> None:
    """Weak duality in plain NumPy: prices below the cost of every pair, whose mean bounds every matching."""
    x, y = make_pair(400)
    found = solve(Certified, x, y)
    (u,), (v,) = found.prices
    cost = ((x[:, None].astype(float) - y[None]) ** 2).sum(-1)
    rounding = 1e-14 * cost.max()
    assert (cost - u[:, None] - v).min() >= -found.gap[0] - rounding
    assert found.value[0] - (u.mean() + v.mean()) <= found.gap[0] + rounding
    assert found.gap[0] < 1e-12 * cost.max()


@pytest.mark.parametrize("n", [1, 2, 8, 9, 40, 300])
def test_given_prices_change_nothing_but_the_time(make_pair: Callable[..., Any], n: int) -> None:
    x, y = make_pair(n)
    found = solve(Certified, x, y)
    generator = np.random.default_rng(n)
    moved = x + np.float32(0.01) * generator.standard_normal(x.shape).astype(np.float32)
    value = scipy_value(moved, y)
    garbage = generator.permutation(n)[None]
    for start, prices in (
        (found.permutation, found.prices[1]),
        (garbage, found.prices[1]),
        (garbage, generator.standard_normal((1, n))),
        (garbage, np.full((1, n), np.nan)),
        (garbage, 1e30 * generator.standard_normal((1, n))),
        (garbage, 1e300 * generator.standard_normal((1, n))),
        (np.zeros((1, n), np.int64), found.prices[1]),
        (np.full((1, n), -7), found.prices[1]),
    ):
        warm = Certified().solve(moved[None], y[None], start, prices)
        assert sorted(warm.permutation[0]) == list(range(n))
        assert warm.value[0] == pytest.approx(value, rel=1e-9, abs=1e-12)


def units(n: int, pair: Any) -> tuple[Any, np.ndarray, float]:
    """Both clouds as the compiled loops see them, the integer costs (N, N) of all pairs, and their scale."""
    x, y = (np.pad(side.astype(float), ((0, 0), (0, 3 - side.shape[1]))) for side in pair(n))
    scale = 2.0**40
    return clouds(x, y, scale), np.round(((x[:, None] - y) ** 2).sum(-1) * scale), scale


def test_violations_counts_what_plain_numpy_counts(make_pair: Callable[..., Any]) -> None:
    c, costs, scale = units(300, make_pair)
    generator = np.random.default_rng(0)
    u, v = np.round(generator.standard_normal((2, 300)) * 0.1 * scale)
    matched = generator.permutation(300)
    reduced = costs - u[:, None] - v
    assert violations(c, u, v, matched) == (reduced < 0).sum() + (reduced[np.arange(300), matched] != 0).sum()


def test_a_column_matched_twice_is_a_violation() -> None:
    """Equal costs and no prices: every assignment of columns is tight, only its being a permutation is left."""
    c = clouds(np.zeros((4, 3)), np.zeros((4, 3)), 1.0)
    none = np.zeros(4)
    assert violations(c, none, none, np.array([2, 0, 3, 1])) == 0
    assert violations(c, none, none, np.array([2, 0, 2, 2])) == 2
    assert violations(c, none, none, np.array([2, 0, -1, 1])) == 1


@pytest.mark.parametrize("n", [65, 97, 128, 200])
def test_clumps_on_a_cube_are_certified(n: int) -> None:
    """Clumps 1e-9 wide that hold unequal numbers: wars of bids in steps far below the way between the clumps."""
    for seed in range(40):
        generator = np.random.default_rng(seed)
        x, y = (
            generator.standard_normal((n, 3)) * 10.0 ** -generator.uniform(5, 12) + generator.integers(0, 2, (n, 3))
            for _ in range(2)
        )
        assert solve(Certified, x, y).value[0] == pytest.approx(scipy_value(x, y), rel=1e-9)


def test_a_list_has_the_least_of_all_columns(make_pair: Callable[..., Any]) -> None:
    """On the first look and after prices have fallen, and its bound holds for all the others."""
    c, costs, scale = units(300, make_pair)
    generator, lists, v = np.random.default_rng(0), empty_lists(300), np.zeros(300)
    k = lists.columns.shape[1]
    for _ in range(3):
        v -= np.round(generator.random(300) * 0.05 * scale)
        top = np.array([v[b : b + 32].max() for b in range(0, 300, 32)])
        for i in range(300):
            renew_list(c, lists, v, top, i, np.empty(len(top)), np.empty(32 + k))
            reduced = costs[i] - v
            assert len(set(lists.columns[i])) == k
            np.testing.assert_array_equal(lists.costs[i], costs[i, lists.columns[i]])
            np.testing.assert_array_equal(np.sort(reduced[lists.columns[i]]), np.sort(reduced)[:k])
            assert lists.bound[i] == np.sort(reduced)[k - 1]
    assert cost(c, 3, 5) == costs[3, 5]


def test_what_is_not_finite_is_refused() -> None:
    x = np.zeros((1, 5, 2))
    y = x.copy()
    y[0, 2, 1] = np.nan
    with pytest.raises(NumericalError, match="not finite"):
        Certified().solve(x, y)


@pytest.mark.parametrize(("factor", "message"), [(1e200, "beyond"), (1e-152, "diameter")])
def test_what_float64_cannot_square_is_refused(factor: float, message: str) -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 1, 20, 2)) * factor
    with pytest.raises(NumericalError, match=message):
        Certified().solve(x, y)
    with pytest.raises(NumericalError, match="use other units"):
        Emd().solve(x, y)


def test_in_four_dimensions_the_simplex_stands_in_with_its_own_bound() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 2, 40, 4))
    found = Certified().solve(x, y)
    np.testing.assert_array_equal(found.permutation, Emd().solve(x, y).permutation)
    assert (found.gap <= 1e-7 * found.value).all()
