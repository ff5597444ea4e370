"""Stores of many swept parameters: one dimension of cases, a grid on request, and parts by their values."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray

import ksdp_cli as ksdp
from ksdp_cli.api.clouds import part_of
from ksdp_cli.errors import ConfigError
from ksdp_cli.store import Run

TINY = {"J": 20, "dt": 1e-3, "snapshots": [0, 1e-3], "M": 0}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four parameters, 2 x 2 x 2 x 3 cases, the values of one in falling order."""
    swept = {"mu": [2, 1], "chi": [1, 2], "A": [1, 10], "seed": [0, 1, 5]}
    return ksdp.simulate(flow="laminar2d", **swept, **TINY, out=tmp_path_factory.mktemp("many") / "s.zarr")


def test_xarray_opens_it_without_a_warning(run: Run) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened = xarray.open_zarr(run.path)
        assert opened.sizes["case"] == 24
        assert {name for name, one in opened.coords.items() if one.dims == ("case",)} == {"mu", "chi", "A", "seed"}
        assert opened["seed"].dtype == np.int64
        chosen = (opened.A == 10) & (opened.seed == 5)
        assert opened.sel(case=chosen.compute())["position"].load().sizes["case"] == 4


def test_a_full_grid_has_a_dimension_for_each_parameter(run: Run, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grid = run.dataset(grid=True)
        assert grid["position"].dims == ("mu", "chi", "A", "seed", "time", "particle", "axis")
        assert grid["mu"].values.tolist() == [1, 2]
        assert "diffusivity" in grid["mu"].attrs["long_name"]
        for values in run.cases:
            case, k = run.find(t=1e-3, **values)
            assert np.array_equal(grid["position"].sel(**values, time=1e-3), run.frame(case, k))
        grid.to_netcdf(tmp_path / "grid.nc", engine="h5netcdf")


def test_a_grid_of_one_parameter_or_of_none(tmp_path: Path) -> None:
    one = ksdp.simulate(mu=[2, 1], **TINY, out=tmp_path / "one.zarr")
    grid = one.dataset(grid=True)
    assert grid["position"].dims == ("mu", "time", "particle", "axis")
    assert np.array_equal(grid["position"].sel(mu=2).isel(time=1), one.frame(0, 1))
    alone = ksdp.simulate(**TINY, out=tmp_path / "none.zarr")
    assert alone.dataset(grid=True)["position"].dims == ("time", "particle", "axis")


def test_unstack_refuses_a_sweep_without_a_full_grid(tmp_path: Path) -> None:
    run = ksdp.simulate(mu=[1, 2], chi=[1, 2], zip="mu,chi", **TINY, out=tmp_path / "s.zarr")
    with pytest.raises(ConfigError, match=r"grid.* 2 .* 4 .*mu, chi"):
        run.dataset(grid=True)
    assert run.dataset().sizes["case"] == 2


def test_a_part_by_its_values(run: Run) -> None:
    part = part_of(f"{run.path}@A=10,mu=1,t=0.001")
    assert part is not None
    assert (len(part.cases), part.times.tolist()) == (6, [0.001])
    for case, values in enumerate(part.cases):
        whole = run.find(t=1e-3, **values)
        assert np.array_equal(part.frame(case), run.frame(*whole))
        assert part.address(case) == run.address(whole[0])
    assert part.progress() == [2] * 6
    assert part.simulation.cases() == [
        {name: values[name] for name in ("chi", "seed")}
        for values in part.cases  # as if it had been run alone
    ]
    assert part.dataset(grid=True).sizes == {"mu": 1, "chi": 2, "A": 1, "seed": 3, "time": 1, "particle": 20, "axis": 2}
    assert part_of(run.path) is None
    with pytest.raises(ConfigError, match="seed = 7"):
        part_of(f"{run.path}@seed=7")


def test_commands_take_parts(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place, other = f"{run.path}@A=10,mu=1,chi=2,seed=5", f"{run.path}@A=10,mu=1,chi=2,seed=1"
    found = ksdp.compare(place, other, t=1e-3, metrics="w2", floor="halves", N=8)
    assert found.parameters == {"mu": 1.0, "chi": 2.0, "A": 10.0, "seed": 5, "t": 1e-3}
    assert not any("same particles" in note for note in found.notes)
    assert ksdp.plot(place, other, out="p.png").files
    assert ksdp.export(place, "p.npz").parameters["seed"] == [5]
    assert ksdp.simulate(init=f"{place},t=0.001", J=20, T=1e-3, dt=1e-3, M=0, out="on.zarr").complete
    trained = ksdp.train(f"{run.path}@mu=1,chi=2,t=0.001", eta="A", steps=2, N=10, out="p.safetensors")
    assert trained.trained.model.eta_map.names == ("A",)
    assert trained.trained.model.provenance["simulation"]["mu"] == [1.0]
