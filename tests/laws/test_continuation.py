"""A cloud that goes on from a store: independent increments, so that E|x|^2 grows by 2 d mu T in every run.

Without drift E|x|^2 of the uniform ball is d / (d + 2) + 2 d mu t whatever the number of runs; a path that is replayed
adds its covariance, 2 d mu T more for each pair of runs.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.plugin import Params

#: Standard errors that a right result exceeds with probability 2e-6.
SIGMAS = 4.75
J = 4000


def second_moment(run: Any, case: int = 0) -> float:
    return float((run.frame(case).astype(float) ** 2).sum(1).mean())


def bound(dim: int, t: float) -> float:
    """`SIGMAS` standard errors of the mean of |x|^2 over J points, of which none is spread more than a normal."""
    variance = 1 / dim + 2 * t
    return SIGMAS * variance * math.sqrt(2 * dim / J)


@pytest.mark.parametrize(
    "options",
    [{}, {"scheme": "heun"}, {"engine": "tree"}, {"dim": 3}, {"dtype": "float64"}],
    ids=["euler", "heun", "tree", "3d", "float64"],
)
def test_a_chain_of_runs_diffuses_as_one(tmp_path: Path, options: dict[str, Any]) -> None:
    """Three runs of T = 0.1 with one seed; statistical bound 2e-6 each."""
    dim, init = options.get("dim", 2), "ball"
    common = {"M": 0, "J": J, "T": 0.1, "dt": 0.02, "seed": 3} | options
    for number in (1, 2, 3):
        run = ksdp.simulate(init=init, out=tmp_path / f"{number}.zarr", **common)
        init = str(run.path)
        law = dim / (dim + 2) + 2 * dim * 0.1 * number
        assert abs(second_moment(run) - law) < bound(dim, 0.1 * number)
        assert run.times.tolist() == [pytest.approx(0.1 * number, abs=1e-14)]
    assert run.attrs["origin"]["generation"] == 2


def test_the_cases_of_a_sweep_from_a_store_are_independent_of_it_and_of_each_other(tmp_path: Path) -> None:
    """Correlations of the increments of J particles, of standard deviation J^-1/2: statistical bound 2e-6 each."""
    common = {"M": 0, "J": J, "T": 0.1, "dt": 0.05}
    first = ksdp.simulate(mu=[1, 2], out=tmp_path / "a.zarr", **common)
    start = ksdp.simulate(mu=[1, 2], T=0, out=tmp_path / "s.zarr", **{k: v for k, v in common.items() if k != "T"})
    moves = [first.frame(i)[:, 0] - start.frame(i)[:, 0] for i in (0, 1)]
    for i, mu in enumerate((1, 2)):
        name = f"{first.path}@mu={mu}"
        second = ksdp.simulate(init=name, mu=[1, 2], out=tmp_path / f"b{i}.zarr", **common)
        moves += [second.frame(case)[:, 0] - first.frame(i)[:, 0] for case in (0, 1)]
    correlations = np.corrcoef(moves) - np.eye(len(moves))
    assert np.abs(correlations).max() < SIGMAS / math.sqrt(J)


class Again:
    """A law that reads its particles itself, and looks at no seed."""

    dims: ClassVar[tuple[int, ...]] = (2,)

    def __init__(self, cloud: np.ndarray) -> None:
        self.cloud = cloud

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> np.ndarray:
        return self.cloud[start : start + n]


def test_particles_that_left_ksdp_and_came_back_diffuse_on(tmp_path: Path) -> None:
    common = {"M": 0, "J": J, "T": 0.1, "dt": 0.02}
    first = ksdp.simulate(out=tmp_path / "a.zarr", **common)
    second = ksdp.simulate(init=Again(first.frame()), out=tmp_path / "b.zarr", **common)
    assert abs(second_moment(second) - 1.3) < bound(2, 0.2)
    stored = ksdp.simulate(init=first, out=tmp_path / "c.zarr", **common)
    assert np.array_equal(second.frame(), stored.frame())  # the same particles, however they came


def test_resuming_a_continuation_keeps_its_bits(tmp_path: Path) -> None:
    ksdp.simulate(M=0, J=50, T=0.01, dt=1e-3, out=tmp_path / "a.zarr")
    common = {"init": str(tmp_path / "a.zarr"), "J": 50, "dt": 1e-3, "resume": True}
    ksdp.simulate(T=0.01, out=tmp_path / "b.zarr", **common)
    longer = ksdp.simulate(T=0.02, out=tmp_path / "b.zarr", **common)
    whole = ksdp.simulate(T=0.02, out=tmp_path / "c.zarr", **common)
    assert longer.times.tolist() == [0.02, 0.03]
    assert np.array_equal(longer.frame(), whole.frame())


def test_another_store_under_the_name_of_the_first_is_another_run(tmp_path: Path) -> None:
    start, common = tmp_path / "a.zarr", {"J": 50, "dt": 1e-3, "T": 1e-3}
    ksdp.simulate(out=start, **common)
    ksdp.simulate(init=start, out=tmp_path / "b.zarr", **common)
    ksdp.simulate(out=start, overwrite=True, seed=1, **common)
    with pytest.raises(ksdp.KsdpError, match=r"origin.sha256"):
        ksdp.simulate(init=start, out=tmp_path / "b.zarr", resume=True, **common)


class Clock:
    """A flow that carries everything along with the speed t."""

    dims = (2,)

    class Params(Params):
        pass

    def __init__(self, params: Any, dim: int) -> None:
        pass

    def velocity(self, x: Any, t: float) -> Any:
        return 0 * x + t


def test_a_flow_sees_the_true_time(tmp_path: Path) -> None:
    """Heun integrates the speed t exactly: 0.2^2 / 2 - 0.1^2 / 2 in the second run."""
    common = {"flow": Clock, "M": 0, "mu": 0, "J": 10, "T": 0.1, "dt": 0.01, "scheme": "heun", "dtype": "float64"}
    first = ksdp.simulate(out=tmp_path / "a.zarr", **common)
    second = ksdp.simulate(init=first, out=tmp_path / "b.zarr", **common)
    moved = (second.frame() - first.frame()).mean()
    assert moved == pytest.approx(0.015, rel=1e-5)
    given = ksdp.simulate(t0=1.0, snapshots=[0, 0.1], out=tmp_path / "c.zarr", **common)
    assert given.times.tolist() == [1.0, 1.1]
    assert (given.frame(0, 1) - given.frame(0, 0)).mean() == pytest.approx((1.1**2 - 1) / 2, rel=1e-5)
