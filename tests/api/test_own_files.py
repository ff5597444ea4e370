"""Files of others: the same cloud out of every format, exact distances, and one line for what cannot be read."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

import ksdp_cli as ksdp
from ksdp_cli.api.exporting import export
from ksdp_cli.api.own_files import read_arrays, read_cloud
from ksdp_cli.errors import DataError


def written(folder: Path, x: np.ndarray, name: str) -> list[Path]:
    paths = [folder / f"{name}.{kind}" for kind in ("npy", "csv", "named.csv", "npz")]
    np.save(paths[0], x)
    np.savetxt(paths[1], x, delimiter=",", fmt="%.9g")
    np.savetxt(paths[2], x, delimiter=",", fmt="%.9g", header="x,y", comments="")
    np.savez(paths[3], position=x[None, None], time=np.zeros(1))
    return paths


def test_a_moved_cloud_is_at_its_distance_in_every_format(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    moved = x + np.array([3, 4], np.float32)
    for a, b in zip(written(tmp_path, x, "a"), written(tmp_path, moved, "b"), strict=True):
        assert np.array_equal(read_cloud(a).astype(np.float32), x)
        assert ksdp.compare(a, b, N=300, repeats=1).comparison.w2_squared == pytest.approx(25.0, abs=1e-4)


def test_an_export_is_read_back(tmp_path: Path) -> None:
    run = ksdp.simulate(J=60, T=2e-3, dt=1e-3, out=tmp_path / "s.zarr")
    np.savez(tmp_path / "s.npz", position=run.frame()[None, None], time=run.times)
    assert np.array_equal(read_cloud(tmp_path / "s.npz"), run.frame())


def test_an_exported_table_is_its_cloud_and_numbers_of_rows_are_no_axis(tmp_path: Path) -> None:
    run = ksdp.simulate(J=60, T=2e-3, dt=1e-3, M=[1, 2], out=tmp_path / "s.zarr")
    export(run, tmp_path / "s.csv", case=1)
    assert np.array_equal(read_cloud(tmp_path / "s.csv").astype(np.float32), run.frame(1))
    export(run, tmp_path / "two.csv")
    (tmp_path / "unnamed.csv").write_text("id,centroid-0,centroid-1\n0,1.0,2.0\n1,3.0,4.0\n")
    (tmp_path / "gap.csv").write_text("x,z\n1.0,2.0\n3.0,4.0\n")
    (tmp_path / "rows.csv").write_text("x,y\n")
    (tmp_path / "times.csv").write_text("Time,X,Y\n0,1.0,2.0\n1,3.0,4.0\n")
    (tmp_path / "tracks.csv").write_text("particle,FRAME,x,y\n7,0,1.0,2.0\n7,1,3.0,4.0\n")
    (tmp_path / "twice.csv").write_text("x,y,X\n0,1.0,2.0\n1,3.0,4.0\n")
    (tmp_path / "cells.csv").write_text("x,y,frame\n1.0,2.0,a\n3.0,4.0,b\n")
    (tmp_path / "warm.csv").write_text("x,y,t\n1.0,2.0,300\n3.0,4.0,310\n")
    (tmp_path / "mixed.csv").write_text("1,two\n3,4\n5,6\n")
    for name, told in (
        ("two", "more than one case"),
        ("unnamed", "columns id, centroid-0, centroid-1; name"),
        ("gap", "columns x, z; name"),
        ("rows", "no data"),
        ("mixed", "two"),
        ("times", "more than one time"),
        ("tracks", "more than one frame"),
        ("cells", "more than one frame"),
        ("warm", "more than one t,.* rename that column if it is no time"),
        ("twice", "several columns x: x, X"),
    ):
        with pytest.raises(DataError, match=told):
            read_cloud(tmp_path / f"{name}.csv")


@pytest.mark.parametrize(
    "text",
    ["x;y\n1,5;2\n3;4,25\n", "1,5;2\n3;4,25\n", "x\ty\n1.5\t2\n3\t4.25\n", "# x,y\n1.5,2\n3,4.25\n",
     "# made by Foo 1.2\n# x,y\n1.5,2\n# half\n3,4.25\n", "Name; short\tx\ty\na;b\t1.5\t2\n#2\t3\t4.25\n",
     "X,Y,T\n1.5,2,300\n3,4.25,310\n", "x,y,frame\n1.5,2,\n3,4.25,\n", "x;y;case\n1,5;2;a b\n3;4,25;a b\n",
     "t,x,y\nnan,1.5,2\nNaN,3,4.25\n", "Time,X,Y\n1,1.5,2\n1.0,3,4.25\n", "label,x,y\n#1,1.5,2\ncell #2,3,4.25\n",
     ",y,X\na,2,1.5\nb,4.25,3\n", '"Label","X","Area \xb5m","Y"\n"cell, 1",1.5,7,2\n"cell, 2",3,7,4.25\n'],
)  # fmt: skip
def test_a_table_of_another_program(text: str, tmp_path: Path) -> None:
    """Semicolons with decimal commas, tabs, columns that are no numbers, comments, and another encoding."""
    (tmp_path / "a.csv").write_text(text, encoding="latin-1")
    assert read_cloud(tmp_path / "a.csv").tolist() == [[1.5, 2.0], [3.0, 4.25]]


def test_a_parquet_table_has_its_columns_in_capitals_too(tmp_path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"Time": [0.0, 0.0], "X": [1.5, 3.0], "Y": [2.0, 4.25]}
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert read_cloud(tmp_path / "a.parquet").tolist() == [[1.5, 2.0], [3.0, 4.25]]
    parquet.write_table(pa.table(columns | {"Time": [0.0, 1.0]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="one time"):
        read_cloud(tmp_path / "b.parquet")
    for frames, count in ((["a", "a"], 1), ([np.nan, np.nan], 1), ([None, None], 1), (["a", "b"], 2), (["a", None], 2)):
        parquet.write_table(pa.table(columns | {"frame": frames}), tmp_path / "c.parquet")
        if count == 1:
            assert read_cloud(tmp_path / "c.parquet").tolist() == [[1.5, 2.0], [3.0, 4.25]]
        else:
            with pytest.raises(DataError, match="one frame"):
                read_cloud(tmp_path / "c.parquet")


def test_training_takes_an_npz(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    gaps = np.array([0.0, 0.5, 1.0])
    position = generator.normal(size=(3, 1, 400, 2)) + gaps[:, None, None, None]
    np.savez(tmp_path / "m.npz", position=position, time=np.zeros(1), gap=gaps)
    trained = ksdp.train(tmp_path / "m.npz", steps=20, N=100, out=tmp_path / "m.safetensors")
    cloud = ksdp.sample(trained.path, n=50, gap=0.25, out=tmp_path / "g.zarr")
    assert cloud.frame().shape == (50, 2)


def test_unreadable_files_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"no array")
    (tmp_path / "a.csv").write_text("x,y\n1,two\n")
    (tmp_path / "a.npz").write_bytes(b"PK")
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], object), allow_pickle=True)
    for name in ("a.npy", "a.csv", "a.npz", "o.npy"):
        with pytest.raises(DataError, match=name):
            read_cloud(tmp_path / name)
    np.save(tmp_path / "one.npy", np.zeros((5, 2)))
    with pytest.raises(DataError, match="position"):
        read_arrays(tmp_path / "one.npy")
    np.savez(tmp_path / "two.npz", position=np.zeros((2, 1, 5, 2)))
    with pytest.raises(DataError, match="not one cloud"):
        read_cloud(tmp_path / "two.npz")


@pytest.mark.parametrize("shape", [(10**12, 2), (10**400, 2), (-1, 2), (10**9, 2)])
def test_a_header_of_numbers_that_cannot_be_is_an_error(tmp_path: Path, shape: tuple[int, int]) -> None:
    """In an .npy, and in an .npz, which may be packed a thousand times; nothing is allocated for it."""
    head = repr({"descr": "<f4", "fortran_order": False, "shape": shape}).encode().ljust(1000) + b"\n"
    raw = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(80)
    (tmp_path / "a.npy").write_bytes(raw)
    for name, content in (("a.npz", raw), ("bomb.npz", raw + bytes(10**8))):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("position.npy", content)
    for name in ("a.npy", "a.npz", "bomb.npz"):
        with pytest.raises(DataError, match="cannot be read"):
            read_cloud(tmp_path / name)


def group(path: Path, x: np.ndarray, dims: tuple[str, ...], **coords: Any) -> Path:
    xarray.Dataset({"position": (dims, x)}, coords=coords).to_zarr(path, mode="w", consolidated=False)
    return path


def test_a_group_made_in_xarray_is_read_where_it_has_positions(tmp_path: Path) -> None:
    """One cloud with its axes in any order; a sweep with its parameter, to train on; and as an initial cloud."""
    x = np.random.default_rng(0).normal(size=(3, 1, 200, 2)).astype(np.float32)
    flat = group(tmp_path / "flat", x[0, 0], ("particle", "axis"))
    turned = group(tmp_path / "turned.zarr", x[0, 0].T.astype(float), ("axis", "particle"), axis=[0, 1])
    assert np.array_equal(read_cloud(turned), x[0, 0])
    assert ksdp.compare(flat, str(turned), metrics="w2").comparison.w2_squared == 0
    order = ("axis", "A", "particle", "time")
    swept = group(tmp_path / "swept.zarr", x.transpose(3, 0, 2, 1), order, A=[1.0, 2, 3], time=[0.0])
    arrays = read_arrays(swept)
    assert np.array_equal(arrays["position"], x)
    assert {name: values.tolist() for name, values in arrays.items() if name != "position"} == {
        "A": [1, 2, 3],
        "time": [0],
    }
    trained = ksdp.train(swept, steps=2, N=50, init=flat, out=tmp_path / "m.safetensors")
    np.testing.assert_array_equal(trained.trained.model.source, x[0, 0])
    run = ksdp.simulate(init=str(flat), J=200, T=0, out=tmp_path / "s.zarr")
    assert np.array_equal(run.frame(), x[0, 0])
    np.save(tmp_path / "x.npy", x[0, 0])
    same = ksdp.simulate(init=tmp_path / "x.npy", J=200, T=2e-3, dt=1e-3, out=tmp_path / "a.zarr").frame()
    other = ksdp.simulate(init=flat, J=200, T=2e-3, dt=1e-3, out=tmp_path / "b.zarr").frame()
    assert np.array_equal(same, other)


def test_a_group_of_others_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    path = group(tmp_path / "x.zarr", x, ("particle", "axis"))
    stated = path / "position" / "zarr.json"
    before = json.loads(stated.read_text())
    for shape, told in (([10**12, 2], "claims 8"), ([10**400, 2], "cannot be read"), ("x", "cannot be read")):
        stated.write_text(json.dumps(before | {"shape": shape}))
        with pytest.raises(DataError, match=told):
            read_cloud(path)
    stated.write_text(json.dumps(before))
    chunk = path / "position" / "c" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-40])
    with pytest.raises(DataError, match="cannot be read"):
        read_cloud(path)
    store = ksdp.simulate(J=50, T=0, out=tmp_path / "s.zarr").path
    metadata = json.loads((store / "zarr.json").read_text())
    del metadata["attributes"]["ksdp_format"]
    (store / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(DataError, match="zarr"):
        ksdp.compare(store, x)


def test_an_image_is_a_density_and_no_cloud(tmp_path: Path) -> None:
    (tmp_path / "cells.png").write_bytes(b"")
    with pytest.raises(DataError, match="--init density"):
        read_cloud(tmp_path / "cells.png")
