"""Solvers that prove nothing: they never make gamma worse, and what they return is a permutation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from ksdp_cli.assignment.base import matching_value
from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.assignment.interior_point import loose_assignment, loose_assignments
from ksdp_cli.assignment.interior_point_gpu import loose_assignments_gpu
from ksdp_cli.assignment.iterative import IterativeExact, IterativeLP
from ksdp_cli.assignment.pot import Bsp

ITERATIVE = [IterativeLP, IterativeExact]


@pytest.mark.parametrize("solver", ITERATIVE)
@pytest.mark.parametrize("n", [1, 2, 60])
def test_iterating_gives_a_permutation_that_is_never_worse(make_pair: Callable[..., Any], solver: Any, n: int) -> None:
    x, y = (side[None] for side in make_pair(n))
    start = np.random.default_rng(0).permutation(n)[None]
    found = solver(M=12, iterations=20, seed=3).solve(x, y, start)
    assert sorted(found.permutation[0]) == list(range(n))
    before = matching_value(x, y, start)[0]
    assert found.value[0] <= before * (1 + 1e-12)
    assert found.gap is None
    more = solver(M=12, iterations=20, seed=4).solve(x, y, found.permutation)
    assert more.value[0] <= found.value[0] * (1 + 1e-12)


@pytest.mark.parametrize("solver", ITERATIVE)
def test_one_sub_problem_as_large_as_the_whole_is_exact(make_pair: Callable[..., Any], solver: Any) -> None:
    x, y = (side[None] for side in make_pair(50, seed=2))
    found = solver(M=50, iterations=1).solve(x, y)
    assert found.value[0] == pytest.approx(Certified().solve(x, y).value[0], rel=1e-9, abs=1e-12)


def test_iterating_comes_near_the_optimum(pairs: dict[str, Any]) -> None:
    x, y = (side[None] for side in pairs["ball"](400))
    found = IterativeExact(iterations=1500, tolerance=1e-4).solve(x, y)
    assert found.value[0] <= 1.2 * Certified().solve(x, y).value[0]


def test_a_seed_repeats_and_the_start_is_left_alone(pairs: dict[str, Any]) -> None:
    x, y = (side[None] for side in pairs["ball"](100))
    start = np.arange(100)[None]
    one, two = (IterativeLP(M=20, iterations=5, seed=9).solve(x, y, start).permutation for _ in range(2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(start, np.arange(100)[None])


@pytest.mark.parametrize("m", [1, 2, 5, 40])
def test_the_interior_point_method_solves_sub_problems(m: int) -> None:
    generator = np.random.default_rng(m)
    for _ in range(5):
        cost = generator.random((m, m))
        np.testing.assert_array_equal(loose_assignment(cost), linear_sum_assignment(cost)[1])


def test_the_interior_point_method_where_every_answer_is_optimal() -> None:
    assert sorted(loose_assignment(np.ones((9, 9)))) == list(range(9))
    assert sorted(loose_assignment(np.zeros((4, 4)))) == list(range(4))


def test_bsp_bounds_the_optimum_from_above(make_pair: Callable[..., Any]) -> None:
    x, y = (side[None] for side in make_pair(200))
    found = Bsp(plans=8).solve(x, y)
    assert sorted(found.permutation[0]) == list(range(200))
    assert found.value[0] >= Certified().solve(x, y).value[0] * (1 - 1e-9)


def test_sub_problems_side_by_side_have_the_answers_of_one_by_one() -> None:
    cost = np.random.default_rng(0).random((20, 30, 30))
    cost[3] = 1.0  # every answer is optimal
    cost[4] = np.add.outer(np.arange(30.0), np.arange(30.0))
    alone = np.array([loose_assignment(one) for one in cost])
    np.testing.assert_array_equal(loose_assignments(cost), alone)


@pytest.mark.parametrize("m", [1, 2, 7, 30])
def test_the_gpu_s_interior_point_method_gives_the_same_answers(m: int) -> None:
    generator = np.random.default_rng(m)
    cost = generator.random((20, m, m))
    cost[3] = 1.0  # every answer is optimal
    cost[4] = np.add.outer(np.arange(float(m)), np.arange(float(m)))
    cost[5, : m // 2] = cost[5, 0]  # half of the rows coincide
    cost[6] *= 1e-200
    found = loose_assignments_gpu(torch.from_numpy(cost)).numpy()
    assert (np.sort(found, 1) == np.arange(m)).all()
    generic = [b for b in range(20) if b not in (3, 4, 5)]
    np.testing.assert_array_equal(found[generic], loose_assignments(cost[generic]))
    exact = [cost[b][linear_sum_assignment(cost[b])].sum() for b in range(20)]
    np.testing.assert_allclose(np.take_along_axis(cost, found[..., None], 2).sum((1, 2)), exact, rtol=1e-9)


def test_the_gpu_s_interior_point_method_looks_at_the_device_every_third_step_alone() -> None:
    """What makes the host wait: sizes by ``nonzero``, values by ``item``, copies; the steps are told by the solves."""
    from collections import Counter

    from torch.utils._python_dispatch import TorchDispatchMode

    class Calls(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.seen: Counter[str] = Counter()

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.seen[function.name().split("::")[1].split(".")[0]] += 1
            return function(*args, **(kwargs or {}))

    cost = torch.from_numpy(np.random.default_rng(0).random((40, 30, 30)))
    with Calls() as calls:
        loose_assignments_gpu(cost)
    steps, waits = calls.seen["_linalg_solve_ex"], calls.seen["nonzero"] + calls.seen["_local_scalar_dense"]
    assert steps > 5
    assert waits <= steps / 3 + 1
    assert not calls.seen["_to_copy"]


@pytest.mark.parametrize("n", [1, 2, 60])
def test_the_gpu_s_sweeps_give_permutations_that_are_never_worse(make_pair: Callable[..., Any], n: int) -> None:
    one, two = make_pair(n), make_pair(n, seed=5)
    x, y = (np.stack(sides) for sides in zip(one, two, strict=True))
    start = np.stack([np.random.default_rng(b).permutation(n) for b in range(2)])
    solver = IterativeLP(M=12, iterations=20, tolerance=1e-4, seed=3)
    found, _ = solver._sweeps(x, y, start, "cpu")
    assert (np.sort(found, 1) == np.arange(n)).all()
    assert (matching_value(x, y, found) <= matching_value(x, y, start) * (1 + 1e-12)).all()
    np.testing.assert_array_equal(found, solver._sweeps(x, y, start, "cpu")[0])


def test_the_gpu_s_sweeps_come_as_near_the_optimum_as_the_iteration(pairs: dict[str, Any]) -> None:
    x, y = (side[None] for side in pairs["ball"](400))
    solver, start = IterativeLP(iterations=400, tolerance=1e-4), np.arange(400)[None]
    swept = matching_value(x, y, solver._sweeps(x, y, start, "cpu")[0])[0]
    assert swept <= 1.1 * solver.solve(x, y, start).value[0]
