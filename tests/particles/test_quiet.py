"""``--sampling quiet``: Sobol points, opposite increments of neighbours; the same limit with less chance."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.ranks import require_ranks
from ksdp_cli.errors import ConfigError, Interrupted
from ksdp_cli.initial.ball import Ball
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.quiet import initial_positions, opposite, sobol
from ksdp_cli.particles.simulation import Simulation
from ksdp_cli.views.report.run import _initial

QUIET: dict[str, Any] = {"J": 1000, "T": 0.1, "dt": 5e-3, "M": "4pi", "sampling": "quiet"}


def test_each_of_2_to_the_n_parts_holds_one_sobol_point() -> None:
    for seed, stream in ((0, 0), (0, 1), (1, 0)):
        u = sobol(seed, stream, 1024, 4)
        assert u.min() > 0
        assert u.max() < 1
        for axis in u.T:
            assert np.array_equal(np.sort((axis * 1024).astype(int)), np.arange(1024))
        boxes = (u[:, 0] * 32).astype(int) * 32 + (u[:, 1] * 32).astype(int)
        assert np.array_equal(np.sort(boxes), np.arange(1024))
    assert np.array_equal(sobol(5, 0, 1000, 3), sobol(5, 0, 1024, 3)[:1000])
    assert not np.isin(sobol(0, 0, 100, 2)[:, 0], sobol(1, 0, 100, 2)[:, 0]).any()


@pytest.mark.parametrize(("J", "dim"), [(2000, 2), (2001, 3), (1, 2)])
def test_neighbours_get_opposite_increments(J: int, dim: int) -> None:
    """The first of a pair keeps its increment, the second takes minus that, and the two are near each other."""
    x = Ball().draw(J, dim, 1)
    numbers = np.repeat(np.arange(1.0, J + 1)[:, None], dim, 1)
    paired = opposite(numbers, x)[:, 0]
    second = np.flatnonzero(paired < 0)
    first = (-paired[second]).astype(int) - 1
    assert np.array_equal(np.delete(paired, second), np.delete(numbers[:, 0], second))
    assert len(np.unique(np.concatenate([first, second]))) == 2 * len(first) == J // 2 * 2
    if J > 1:  # random pairs of the disc have 0.9
        assert np.median(np.linalg.norm(x[first] - x[second], axis=1)) < 2 * J ** (-1 / dim)


def test_sums_keep_their_mean_and_lose_their_scatter() -> None:
    """E|X|^2 = 0.5 + 2 t (1 + 1 / J) exactly at M = 4 pi, of which 1000 independent particles miss 0.014 and these
    0.003 (root mean square): so eight of them are within 0.005 of it on the average, and within 0.014 each."""
    found = []
    for seed in range(8):
        simulation = Simulation(pose({**QUIET, "seed": seed}), "cpu")
        simulation.start()
        assert simulation.runs[0].state.x.mean(0) == pytest.approx([0, 0], abs=3e-3)
        simulation.run(lambda k, clouds: None, lambda done: None)
        found.append(float((simulation.runs[0].state.x.astype(np.float64) ** 2).sum(1).mean()))
    assert np.mean(found) == pytest.approx(0.7, abs=0.005)
    assert np.abs(np.array(found) - 0.7).max() < 0.014


@pytest.mark.parametrize("options", [{}, {"dt": "auto", "delta2": 4e-3, "M": "16pi"}], ids=["fixed", "auto"])
def test_an_interrupted_run_goes_on_to_the_same_bits(options: dict[str, Any], tmp_path: Path) -> None:
    run = QUIET | {"J": 301} | options
    whole, steps, out = ksdp.simulate(out=tmp_path / "whole.zarr", **run), itertools.count(), tmp_path / "parts.zarr"
    with pytest.raises(Interrupted):
        ksdp.simulate(out=out, resume=True, stop=lambda: 2 if next(steps) == 15 else None, **run)
    with pytest.raises(ConfigError, match="sampling: quiet -> random"):
        ksdp.simulate(out=out, resume=True, **run | {"sampling": "random"})
    assert np.array_equal(ksdp.simulate(out=out, resume=True, **run).frame(), whole.frame())


def test_cases_done_apart_have_the_bits_of_the_sweep_and_its_command_names_the_sampling(tmp_path: Path) -> None:
    """As workers do them, here the second before the first."""
    sweep = QUIET | {"J": 200, "seed": [0, 1]}
    whole = ksdp.simulate(out=tmp_path / "whole.zarr", **sweep)
    for case in (1, 0):
        parts = ksdp.simulate(out=tmp_path / "parts.zarr", case=case, **sweep)
    assert all(np.array_equal(whole.frame(case), parts.frame(case)) for case in range(2))
    assert not np.array_equal(whole.frame(0), whole.frame(1))
    assert "--sampling quiet" in whole.attrs["command"]


def test_a_particle_that_is_one_of_a_pair_has_a_brownian_path() -> None:
    """Ten increments of one particle add up to N(0, 2 mu t): within four standard errors over 300 seeds, on each axis
    and for mean, variance and kurtosis, which chance misses once in 2600 times."""
    moved = []
    for seed in range(300):
        problem = pose({"J": 16, "T": 0.1, "dt": 1e-2, "M": 0, "sampling": "quiet", "seed": seed})
        run = Simulation(problem, "cpu")
        run.start()
        start = run.runs[0].state.x[5].copy()
        run.run(lambda k, clouds: None, lambda done: None)
        moved.append((run.runs[0].state.x[5] - start) / np.sqrt(0.2))
    z = np.array(moved, np.float64)
    assert np.abs(z.mean(0)).max() < 4 * (1 / 300) ** 0.5
    assert np.abs((z**2).mean(0) - 1).max() < 4 * (2 / 300) ** 0.5
    assert np.abs((z**4).mean(0) / (z**2).mean(0) ** 2 - 3).max() < 4 * (24 / 300) ** 0.5


def test_rows_of_a_cloud_of_ones_own_are_taken_in_order(tmp_path: Path) -> None:
    given = ksdp.simulate(**QUIET | {"J": 300, "T": 0.0}, out=tmp_path / "given.zarr")
    run = ksdp.simulate(**QUIET | {"J": 300, "T": 0.0}, init=given.path, out=tmp_path / "run.zarr")
    assert np.array_equal(run.frame(), given.frame())


def test_every_law_that_ships_has_a_quiet_start(tmp_path: Path) -> None:
    """E|X|^2 of 4096 particles, of which independent ones miss 1 to 4 %."""
    grid = tmp_path / "a.npy"
    np.save(grid, np.arange(12.0).reshape(3, 4))
    laws: list[dict[str, Any]] = [{"init": name} for name in ("ball", "annulus", "gaussian", "mixture", "self_similar")]
    laws += [{"init": "collapse", "dim": 3}, {"init": "mixture", "dim": 3, "bumps": 4}, {"dim": 3, "radius": 2}]
    for law in [*laws, {"init": "density", "grid": str(grid)}]:
        problem = pose({**law, "J": 4096, "sampling": "quiet"})
        initial: Any = problem.initial
        x = initial_positions(problem, problem.cases[0]).astype(np.float64)
        assert (x**2).sum(1).mean() == pytest.approx(initial.second_moment(problem.config.dim), rel=4e-3), law


def test_the_initial_cloud_of_a_report_is_that_of_the_run(tmp_path: Path) -> None:
    run = ksdp.simulate(out=tmp_path / "a.zarr", **QUIET | {"J": 100, "snapshots": [0, 0.01], "T": None, "seed": 4})
    assert np.array_equal(_initial(run)[0][1], run.frame(0, 0))


def test_options_that_exclude_quiet_sampling_are_refused() -> None:
    class Law:
        dims = (2,)
        draw = Ball().draw

    problem = pose({**QUIET, "init": Law()})
    with pytest.raises(ConfigError, match="random particles"):
        initial_positions(problem, problem.cases[0])
    assert pose({**QUIET, "device": "auto"}).config.place == "cpu"
    for options in ({"merge": "delta"}, {"device": "cuda"}):
        with pytest.raises(ConfigError, match="--sampling quiet"):
            pose({**QUIET, **options})

    class Two:
        size = 2

    world: Any = Two()
    with pytest.raises(ConfigError, match="2 ranks"):
        require_ranks(world, pose(QUIET), False)
