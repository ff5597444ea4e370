"""One Brownian path for all steps: halves of an increment are those of a Brownian motion, whatever was drawn before."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ksdp_cli.base import rng
from ksdp_cli.particles.bridge import Bridge
from ksdp_cli.particles.case_run import CaseRun
from ksdp_cli.particles.problem import pose

J, MU, H = 20_000, 0.7, 0.01


def bridge(step: int = 3, dtype: type = np.float64) -> Bridge:
    problem = pose({"J": J, "mu": MU, "dt": H, "halvings": 6, "seed": 5, "dtype": np.dtype(dtype).name})
    return CaseRun(problem, problem.cases[0], "cpu").stepper.bridge(dtype, step, H)


def test_halves_sum_to_the_whole_at_every_level() -> None:
    whole = bridge().increment(0, 0)
    for level in (1, 2, 5):
        path = bridge()
        total = sum(path.increment(level, index) for index in range(1 << level))
        np.testing.assert_allclose(total, whole, rtol=0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_refinement_changes_no_coarse_increment(dtype: type) -> None:
    """The whole is bit for bit the increment of a run with fixed steps, and halves are those they were."""
    problem = pose({"J": J, "mu": MU, "dt": H, "seed": 5, "dtype": np.dtype(dtype).name})
    fixed = CaseRun(problem, problem.cases[0], "cpu").stepper.noise(np.dtype(dtype), 3, H)
    path = bridge(dtype=dtype)
    half = path.increment(1, 1).copy()
    path.increment(6, 63)
    assert np.array_equal(path.increment(0, 0).astype(dtype), fixed)
    assert np.array_equal(path.increment(1, 1), half)


def test_the_finest_path_does_not_depend_on_the_order() -> None:
    forward, other = bridge(), bridge()
    order = np.random.default_rng(0).permutation(32)
    found = {int(index): other.increment(5, int(index)).copy() for index in order}
    other.increment(2, 3)
    for index in range(32):
        assert np.array_equal(forward.increment(5, index), found[index])


def test_variance_and_independence() -> None:
    """Increments of level 3 over sqrt(2 mu h / 8): the 8 x 2 of a particle are independent standard normals.

    J |S - 1|^2 over the distinct entries of their second moments S is chi^2 with 136 degrees of freedom where diagonal
    entries count half: beyond 200 with probability 3e-4.
    """
    path = bridge()
    z = np.concatenate([path.increment(3, i) for i in range(8)], 1) / math.sqrt(2 * MU * H / 8)
    difference = z.T @ z / J - np.eye(16)
    squares = np.tril(difference**2, -1).sum() + (np.diag(difference) ** 2).sum() / 2
    assert J * squares < 200
    assert np.abs(z.mean(0)).max() * math.sqrt(J) < 4.5  # of 16 normals: 1e-4
    assert abs((z**4).mean() - 3) < 5 * math.sqrt(96 / z.size)


def test_addresses_do_not_meet() -> None:
    """Nodes, steps and the path itself have numbers of their own."""
    keys = {rng.bridge_key(7, node) for node in range(1, 5000)} | {7}
    assert len(keys) == 5000
    one, other = bridge(3), bridge(4)
    assert not np.array_equal(one.increment(1, 0), other.increment(1, 0))
    bound = 5 / math.sqrt(2 * J)
    parts = [bridge(s).increment(level, 0).ravel() for s in (3, 4) for level in (1, 4)]
    here = np.corrcoef(parts)
    assert abs(here[0, 2]) < bound
    assert abs(here[1, 3]) < bound
    assert here[0, 1] == pytest.approx(math.sqrt(1 / 8), abs=bound)  # the first 1/16 is 1/8 of the first half


def test_no_such_interval() -> None:
    with pytest.raises(ValueError, match="4 of 4"):
        bridge().increment(2, 4)
