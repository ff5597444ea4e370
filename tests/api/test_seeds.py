"""Seeds as a swept parameter: the bits of each case are those of its seed alone, and seeds are whole numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.sweeping import run_case
from ksdp_cli.api.training import load_data
from ksdp_cli.base.grids import streams
from ksdp_cli.base.parsing import integers
from ksdp_cli.config import TrainConfig
from ksdp_cli.errors import ConfigError
from ksdp_cli.store import Run

OPTIONS: dict[str, Any] = {"flow": "laminar2d", "J": 60, "dt": 1e-3, "T": 2e-3}


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ksdp.simulate(**OPTIONS, A=[1, 10], seed="0:2:3", out=tmp_path_factory.mktemp("grid") / "s.zarr")


def test_a_case_has_the_bits_of_its_seed_alone(tmp_path: Path, grid: Run) -> None:
    for seed in range(3):
        alone = ksdp.simulate(**OPTIONS, A=[1, 10], seed=seed, out=tmp_path / f"{seed}.zarr")
        for case, amplitude in enumerate((1, 10)):
            assert np.array_equal(grid.frame(*grid.find(A=amplitude, seed=seed)), alone.frame(case))
    one = ksdp.simulate(**OPTIONS, A=1, seed=[2, 5], out=tmp_path / "seeds.zarr", workers=2)
    assert np.array_equal(one.frame(1), ksdp.simulate(**OPTIONS, A=1, seed=5, out=tmp_path / "5.zarr").frame())
    assert np.array_equal(one.frame(0), grid.frame(*grid.find(A=1, seed=2)))


def test_parameters_in_step_with_the_seed_have_the_bits_of_a_run_alone(tmp_path: Path) -> None:
    rows = {"A": [1, 10, 100], "mu": [1, 2, 3], "seed": [4, 5, 6]}
    run = ksdp.simulate(**OPTIONS, **rows, zip="A,mu,seed", out=tmp_path / "s.zarr")
    assert run.cases == [{"mu": m, "A": a, "seed": s} for a, m, s in zip(*rows.values(), strict=True)]
    alone = ksdp.simulate(**OPTIONS, A=10, mu=2, seed=5, out=tmp_path / "a.zarr")
    assert np.array_equal(run.frame(*run.find(seed=5)), alone.frame())
    assert "zip" in run.config
    assert "zip" not in alone.config  # as it was before there was one


def test_no_two_cases_share_an_address() -> None:
    seeds = np.random.default_rng(0).integers(0, 5, 1000).tolist()
    assert len(set(zip(seeds, streams(seeds), strict=True))) == 1000


def test_a_sweep_of_seeds_goes_on(tmp_path: Path, grid: Run) -> None:
    path = tmp_path / "s.zarr"
    ksdp.simulate(**OPTIONS, A=[1, 10], seed="0:2:3", out=path, case=4)
    run = ksdp.simulate(**OPTIONS, A=[1, 10], seed="0:2:3", out=path, resume=True)
    assert run.complete
    assert all(np.array_equal(run.frame(case), grid.frame(case)) for case in range(6))
    with pytest.raises(ConfigError, match="another run"):
        ksdp.simulate(**OPTIONS, A=[1, 10], seed="0:3:4", out=path, resume=True)


def test_large_seeds_are_exact(tmp_path: Path) -> None:
    seeds = [2**62, 2**62 + 1]
    run = ksdp.simulate(**OPTIONS, A=1, seed=seeds, out=tmp_path / "s.zarr")
    assert [case["seed"] for case in ksdp.open_run(run.path).cases] == seeds
    assert run.dataset()["seed"].values.tolist() == seeds
    with pytest.raises(ConfigError, match="seed = 5"):
        run.find(seed=5)


def test_the_command_writes_seeds_as_a_range(tmp_path: Path) -> None:
    run = ksdp.simulate(**OPTIONS, A=1, seed=range(2, 12, 3), out=tmp_path / "s.zarr")
    assert "--seed 2:11:4 " in run.attrs["command"]
    assert integers("2:11:4") == (2, 5, 8, 11)


def test_a_training_pools_the_seeds(grid: Run) -> None:
    data, _, _ = load_data(grid, TrainConfig())
    assert (data.names, data.clouds.shape) == (("A",), (2, 180, 2))
    assert np.array_equal(data.clouds[1, 60:120], grid.frame(*grid.find(A=10, seed=1)))
    with pytest.raises(ConfigError, match="'seed'"):
        load_data(grid, TrainConfig(eta=("seed",)))


def test_a_pooled_particle_keeps_its_row_of_a_stored_cloud(tmp_path: Path, grid: Run) -> None:
    start = f"{grid.path}@A=1,seed=2"
    run = ksdp.simulate(J=60, dt=1e-3, T=2e-3, M=0, mu=[0, 1], seed=[7, 8], init=start, out=tmp_path / "s.zarr")
    data, _, _ = load_data(run, TrainConfig())
    assert data.source is not None
    assert np.array_equal(data.clouds[0], data.source)  # mu = 0 and M = 0: nothing moves


def test_a_worker_that_lives_on_takes_the_particles_of_the_store_at_hand(tmp_path: Path) -> None:
    """Two sweeps of one configuration, whose initial store has changed in between: a worker keeps no old particles."""
    source, options = tmp_path / "source.zarr", {"J": 60, "dt": 1e-3, "T": 2e-3, "mu": [1, 2]}
    for seed in (0, 1):
        ksdp.simulate(**OPTIONS, A=1, seed=seed, out=source, overwrite=True)
        whole = ksdp.simulate(**options, init=source, out=tmp_path / f"whole-{seed}.zarr")
        part = ksdp.simulate(**options, init=source, out=tmp_path / f"{seed}.zarr", case=0)
        run_case(str(part.path), 1, "cpu", 1)
        done = ksdp.simulate(**options, init=source, out=part.path, resume=True)
        assert np.array_equal(done.frame(1), whole.frame(1))
        assert done.complete
        assert len(done.attrs["engine"]) == 2  # what the cases have to say of their runs is kept
