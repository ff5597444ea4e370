"""Exact solvers against problems whose answer is known, against one another, and against their certificate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.optimize import linear_sum_assignment

from ksdp_cli.errors import NumericalError
from ksdp_cli.transitions import certified, sparse_dual
from ksdp_cli.transitions.base import matching_value
from ksdp_cli.transitions.certified import Certified
from ksdp_cli.transitions.pot import Emd

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


def test_the_certificate_holds_over_all_pairs(make_pair: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Weak duality, from the prices of the last round in plain NumPy: mean(u) + mean(v) bounds every matching."""
    seen: list[Any] = []
    original = sparse_dual.violations

    def watched(x: Any, y: Any, u: Any, v: Any, scale: float, most: int) -> Any:
        seen.append((u.copy(), v.copy(), scale))
        return original(x, y, u, v, scale, most)

    monkeypatch.setattr(certified, "violations", watched)
    x, y = make_pair(400)
    found = solve(Certified, x, y)
    u, v, scale = seen[-1]
    cost = ((x[:, None].astype(float) - y[None]) ** 2).sum(-1)
    slack = cost - (u[:, None] + v[None]) / scale
    assert slack.min() >= -0.75 / scale  # feasible up to rounding
    bound = (u.sum() / len(x) + v.sum() / len(x)) / scale - 0.75 / scale
    assert found.value[0] - bound <= found.gap[0] + 1e-15
    assert found.gap[0] < 1e-9 * cost.max()


def test_violations_finds_what_plain_numpy_finds(pairs: dict[str, Any]) -> None:
    x, y = (np.asarray(side, np.float64) for side in pairs["clump"](300))
    generator, scale = np.random.default_rng(0), 2.0**40
    u = (generator.standard_normal(300) * 0.1 * scale).astype(np.int64)
    v = (generator.standard_normal(300) * 0.1 * scale).astype(np.int64)
    codes, count = sparse_dual.violations(x, y, u, v, scale, 5)
    cost = np.round(((x[:, None] - y[None]) ** 2).sum(-1) * scale).astype(np.int64)
    reduced = cost - u[:, None] - v
    assert count == (reduced < 0).sum()
    for i in range(300):
        worst = np.sort(reduced[i][reduced[i] < 0])[:5]
        np.testing.assert_array_equal(np.sort(reduced[i, codes[codes // 300 == i] % 300]), worst)


def test_what_is_not_finite_is_refused() -> None:
    x = np.zeros((1, 5, 2))
    y = x.copy()
    y[0, 2, 1] = np.nan
    with pytest.raises(NumericalError, match="not finite"):
        Certified().solve(x, y)
