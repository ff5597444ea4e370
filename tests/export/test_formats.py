"""Every format, read back by its own library, holds the very positions, coordinates and metadata of the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli.api.exporting import export
from ksdp_cli.errors import DataError
from ksdp_cli.store import Header, Run, create, layout, open_run

Stores = Callable[..., Run]
LIBRARIES = {".npz": "numpy", ".csv": "pandas", ".parquet": "pyarrow", ".nc": "h5netcdf", ".vtkhdf": "h5py"}
SUFFIXES = list(LIBRARIES)


def needs(suffix: str) -> None:
    pytest.importorskip(LIBRARIES[suffix], reason="the extra 'export' is not installed")


def stored(run: Run) -> np.ndarray:
    return np.array([[run.frame(case, k) for k in range(len(run.times))] for case in range(len(run.cases))])


def same_bits(a: Any, b: Any) -> bool:
    a, b = np.ascontiguousarray(a, np.float32), np.ascontiguousarray(b, np.float32)
    return a.shape == b.shape and np.array_equal(a.view(np.uint32), b.view(np.uint32))


def check_metadata(metadata: dict[str, Any], run: Run) -> None:
    assert metadata["config"] == run.config
    assert metadata["command"] == run.attrs["command"]
    assert metadata["parameter_units"] == run.units
    assert metadata["seed"] == 7


def test_npz(run: Stores, tmp_path: Path) -> None:
    made = run()
    export(made, tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as file:
        assert same_bits(file["position"], stored(made))
        assert file["time"].tolist() == made.times.tolist()
        assert file["axis"].tolist() == ["x", "y", "z"]
        assert file["A"].tolist() == [case["A"] for case in made.cases]
        check_metadata(json.loads(str(file["ksdp-metadata"])), made)


def rows_of(frame: Any, run: Run) -> None:
    """A table as pandas reads it, against the store."""
    assert list(frame.columns) == ["case", "A", "mu", "time", "particle", "x", "y", "z"]
    assert same_bits(frame[["x", "y", "z"]].to_numpy(), stored(run).reshape(-1, 3))
    wanted = [
        (case, run.cases[case]["A"], run.cases[case]["mu"], t, j)
        for case in range(len(run.cases))
        for t in run.times
        for j in range(run.J)
    ]
    found = frame[["case", "A", "mu", "time", "particle"]].itertuples(index=False, name=None)
    assert [tuple(row) for row in found] == wanted


def test_csv(run: Stores, tmp_path: Path) -> None:
    import pandas

    made = run()
    export(made, tmp_path / "x.csv")
    # float64 first: the digits must give the float32 back by rounding, whatever reads them
    rows_of(pandas.read_csv(tmp_path / "x.csv").astype(dict.fromkeys("xyz", np.float32)), made)


def test_parquet(run: Stores, tmp_path: Path) -> None:
    needs(".parquet")
    import pandas
    from pyarrow import parquet

    made = run()
    export(made, tmp_path / "x.parquet")
    frame = pandas.read_parquet(tmp_path / "x.parquet")
    assert frame["x"].dtype == np.float32
    rows_of(frame, made)
    check_metadata(json.loads(parquet.read_schema(tmp_path / "x.parquet").metadata[b"ksdp"]), made)


def test_netcdf_gives_the_dataset_of_the_store(run: Stores, tmp_path: Path) -> None:
    needs(".nc")
    import xarray

    made = run()
    export(made, tmp_path / "x.nc")
    with xarray.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as found:
        assert same_bits(found["position"].values, stored(made))
        ours = made.dataset()
        assert found["position"].dims == ours["position"].dims
        assert set(found.coords) == set(ours.coords) == {"A", "mu", "time", "axis"}
        for name in ours.coords:
            assert found[name].values.tolist() == ours[name].values.tolist()
        assert json.loads(found.attrs["config"]) == made.config
        assert found.attrs["command"] == made.attrs["command"]


def test_netcdf_follows_the_cf_conventions(run: Stores, plain: Run, tmp_path: Path) -> None:
    """Sections 2.5.1 (no missing value of a coordinate), 2.6.1, 3.1 (units of UDUNITS, 1 for a pure number), 5.2."""
    needs(".nc")
    import h5netcdf

    for number, made in enumerate((run(), plain)):
        export(made, tmp_path / f"{number}.nc")
        with h5netcdf.File(tmp_path / f"{number}.nc", "r") as file:
            assert str(file.attrs["Conventions"]).startswith("CF-1.")
            assert "coordinates" not in file.attrs
            names = list(made.cases[0])
            assert str(file["position"].attrs.get("coordinates", "")).split() == names
            for name in ("time", *names):
                assert "_FillValue" not in file[name].attrs
            for name in ("position", "time", *names):
                assert file[name].attrs["units"] == "1"
            assert "[length]" in file["position"].attrs["long_name"]
            if "A" in names:
                assert file["A"].attrs["long_name"] == "flow amplitude [length / time]"
                assert file["mu"].attrs["units"] == "1"
            assert "units" not in file["axis"].attrs


@pytest.mark.parametrize("suffix", LIBRARIES)
def test_positions_that_are_not_finite_are_not_exported(tmp_path: Path, suffix: str) -> None:
    needs(suffix)
    with create(tmp_path / "nan.zarr", Header("simulation", (0.0,), 4, 2, {}, 1)) as writer:
        writer.write(0, np.array([[[0, 1], [np.nan, 2], [3, np.inf], [4, 5]]], np.float32))
        writer.finish()
    with pytest.raises(DataError, match=r"2 particles.*case 0.*t = 0.*finite"):
        export(open_run(tmp_path / "nan.zarr"), tmp_path / f"x{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["nan.zarr"]


def points_of(reader: Any, step: int) -> list[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Points and point data of each partition at a step, as a pipeline of VTK asks for it."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline as Pipeline

    reader.UpdateInformation()
    reader.UpdateTimeStep(reader.GetOutputInformation(0).Get(Pipeline.TIME_STEPS(), step))
    whole = reader.GetOutputDataObject(0)
    count = whole.GetNumberOfPartitions() if whole.IsA("vtkPartitionedDataSet") else 0
    found = []
    for part in [whole.GetPartition(i) for i in range(count)] or [whole]:
        assert part.GetNumberOfVerts() == part.GetNumberOfPoints() == part.GetNumberOfCells()
        data = part.GetPointData()
        arrays = {data.GetArrayName(i): vtk_to_numpy(data.GetArray(i)) for i in range(data.GetNumberOfArrays())}
        found.append((vtk_to_numpy(part.GetPoints().GetData()), arrays))
    return found


def reader_of(path: Path) -> Any:
    needs(".vtkhdf")
    hdf = pytest.importorskip("vtkmodules.vtkIOHDF", reason="vtk is not installed")
    reader = hdf.vtkHDFReader()
    assert reader.CanReadFile(str(path))
    reader.SetFileName(str(path))
    return reader


def test_vtkhdf(run: Stores, tmp_path: Path) -> None:
    needs(".vtkhdf")
    import h5py

    made = run()
    export(made, tmp_path / "x.vtkhdf")
    reader = reader_of(tmp_path / "x.vtkhdf")
    for step in (0, 1, 2, 0):  # and back, as one does with a slider
        parts = points_of(reader, step)
        assert len(parts) == len(made.cases)
        for case, (points, data) in enumerate(parts):
            assert same_bits(points, made.frame(case, step))
            assert data["particle"].tolist() == list(range(made.J))
            assert set(data["A"]) == {made.cases[case]["A"]}
            assert set(data["case"]) == {case}
    assert reader.GetNumberOfSteps() == 3
    with h5py.File(tmp_path / "x.vtkhdf") as file:
        assert file["VTKHDF/Steps/Values"][:].tolist() == made.times.tolist()
        check_metadata(json.loads(file["VTKHDF"].attrs[layout.MARK]), made)


def test_vtkhdf_of_a_single_frame_in_2d(plain: Run, tmp_path: Path) -> None:
    needs(".vtkhdf")
    export(plain, tmp_path / "x.vtkhdf")
    ((points, data),) = points_of(reader_of(tmp_path / "x.vtkhdf"), 0)
    assert same_bits(points[:, :2], plain.frame())
    assert not points[:, 2].any()
    assert set(data) == {"case", "particle"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_single_frame_without_parameters(plain: Run, tmp_path: Path, suffix: str) -> None:
    needs(suffix)
    done = export(plain, tmp_path / f"x{suffix}")
    assert (done.J, done.dim, done.cases, done.parameters, done.times) == (7, 2, [0], {}, [0.5])
    assert done.bytes == (tmp_path / f"x{suffix}").stat().st_size


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_than_one_file_of_the_store(
    run: Stores, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positions that lie in several files arrive in order: each is a block, and the last one is shorter."""
    needs(suffix)
    monkeypatch.setattr(layout, "CHUNK", 8)
    monkeypatch.setattr(layout, "SHARD", 16)
    made = run()
    assert layout.shard_count(made.J) == 4
    done: list[int] = []
    export(made, tmp_path / f"x{suffix}", progress=lambda _, n, total: done.append(n))
    assert len(done) == 4 * 4 * 3
    assert done[-1] == 4 * 3 * made.J
    if suffix == ".npz":
        found = np.load(tmp_path / "x.npz")["position"]
    elif suffix == ".nc":
        import h5netcdf

        with h5netcdf.File(tmp_path / "x.nc") as file:
            found = file["position"][...]
    elif suffix == ".vtkhdf":
        reader = reader_of(tmp_path / "x.vtkhdf")
        found = np.stack([[points for points, _ in points_of(reader, step)] for step in range(3)], 1)
    else:
        import pandas

        table = pandas.read_csv(tmp_path / "x.csv") if suffix == ".csv" else pandas.read_parquet(tmp_path / "x.parquet")
        found = table[["x", "y", "z"]].to_numpy().reshape(4, 3, made.J, 3)
    assert same_bits(found, stored(made))


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".parquet"])
def test_equal_positions_give_equal_bytes(run: Stores, tmp_path: Path, suffix: str) -> None:
    needs(suffix)
    made = run()
    export(made, tmp_path / f"a{suffix}")
    export(made, tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
