"""The chemical in other programs' formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ksdp_cli.api.exporting import export
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.store import Header, Run, create, open_run
from ksdp_cli.store.field_grid import FieldGrid
from ksdp_cli.store.layout import field_files

TIMES = (0.0, 0.5)


def made(folder: Path, dim: int) -> Run:
    grid = FieldGrid(4, (-1.0, 0.0, 1.0)[:dim], 2.0, gradient=True)
    header = Header("simulation", TIMES, 6, dim, {"A": (1.0, 10.0)}, 2, {"A": "amplitude [1]"}, {"J": 6}, grid=grid)
    with create(folder / "a.zarr", header) as owner:
        for k in range(2):
            rng = np.random.default_rng(k)
            shapes = ((2, 6, dim), (2, *grid.shape), (2, dim, *grid.shape))
            for number, one in enumerate(zip(*(rng.normal(size=shape) for shape in shapes), strict=True)):
                with owner.case(number) as case:
                    case.write(k, *one)
        owner.finish()
    return open_run(folder / "a.zarr")


@pytest.mark.parametrize("dim", [2, 3])
def test_netcdf_and_npz_hold_c_beside_the_positions(dim: int, tmp_path: Path) -> None:
    run = made(tmp_path, dim)
    export(run, tmp_path / "a.npz", t=0.5)
    with np.load(tmp_path / "a.npz") as file:
        assert file["c"].tobytes() == np.stack([run.field(case, 1) for case in (0, 1)]).tobytes()
        assert file["grad_c"].tobytes() == np.stack([run.gradient(case, 1) for case in (0, 1)]).tobytes()
        np.testing.assert_array_equal(file["x"], run.grid.axes()[0])
    pytest.importorskip("h5netcdf")
    xarray = pytest.importorskip("xarray")
    export(run, tmp_path / "a.nc")
    with xarray.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as file:
        np.testing.assert_array_equal(file["c"].values[1, 1], run.field(1, 1))
        np.testing.assert_array_equal(file["grad_c"].values[1, 1], run.gradient(1, 1))
        np.testing.assert_array_equal(file["y"], run.grid.axes()[1])
        assert file["c"].dims == ("case", "time", *"xyz"[:dim])
        assert file["c"].attrs["units"] == "1"  # as of all quantities there, with the true one in the long name
        assert "mass" in file["c"].attrs["long_name"]
        assert file["position"].shape == (2, 2, 6, dim)


@pytest.mark.parametrize("dim", [2, 3])
def test_an_image_in_vtk_has_the_values_at_their_points_and_times(dim: int, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    hdf = pytest.importorskip("vtkmodules.vtkIOHDF", reason="vtk is not installed")
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline as Pipeline

    run = made(tmp_path, dim)
    export(run, tmp_path / "c.vtkhdf", field=True)
    reader = hdf.vtkHDFReader()
    reader.SetFileName(str(tmp_path / "c.vtkhdf"))
    reader.UpdateInformation()
    assert reader.GetOutputInformation(0).Get(Pipeline.TIME_STEPS()) == TIMES
    for k, t in enumerate(TIMES):
        reader.GetOutputInformation(0).Set(Pipeline.UPDATE_TIME_STEP(), t)
        reader.Update()
        image = reader.GetOutputDataObject(0)
        assert image.IsA("vtkImageData")
        for case, name in enumerate(("c, A = 1", "c, A = 10")):
            values = image.GetPointData().GetArray(name)
            for index in ((0, 0, 0), (3, 1, 0), (1, 2, 3))[:dim]:
                at = [axis[i] for axis, i in zip(run.grid.axes(), index, strict=False)]
                number = image.FindPoint(at + [0.0] * (3 - dim))
                assert values.GetValue(number) == run.field(case, k)[index[:dim]]
                vector = image.GetPointData().GetArray("grad_" + name).GetTuple(number)
                assert vector[:dim] == tuple(run.gradient(case, k)[:, *index[:dim]])


def test_what_cannot_be_exported_is_refused(tmp_path: Path, plain: Run, run: Callable[..., Run]) -> None:
    pytest.importorskip("h5py")
    with pytest.raises(ConfigError, match="--store-field"):
        export(plain, tmp_path / "c.vtkhdf", field=True)
    assert not (tmp_path / "c.vtkhdf").exists()
    stored = made(tmp_path, 2)
    with pytest.raises(ConfigError, match="image of c"):
        export(stored, tmp_path / "c.csv", field=True)
    field_files(stored.path, stored.header, 1, 1)["c"].write_bytes(b"")
    for name in ("d.nc", "d.npz"):
        with pytest.raises(DataError, match="unreadable"):
            export(stored, tmp_path / name)
        assert not (tmp_path / name).exists()
