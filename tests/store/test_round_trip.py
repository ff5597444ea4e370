"""What goes into a store comes out of it, through ksdp and through xarray alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray

from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.store import create, layout, open_run


def test_frames_header_and_notes_come_back(tmp_path: Path, header, frame, store) -> None:
    about = header()
    with create(tmp_path / "a.zarr", about) as writer:
        for k in range(3):
            writer.write(k, frame(k, about))
        writer.annotate(seconds=np.float64(1.5), error=float("nan"), engine=[{"name": "tree", "order": np.int64(4)}])
        writer.finish()
    run = open_run(tmp_path / "a.zarr")
    assert (run.kind, run.J, run.dim, run.complete) == ("simulation", 50, 3, True)
    assert run.config == about.config
    assert run.cases == [{"A": 1.0, "mu": 1.0}, {"A": 10.0, "mu": 2.0}]
    assert run.times.dtype == np.float64
    assert run.times.tolist() == [0.0, 0.1, 0.2]
    assert run.attrs["seed"] == 7
    assert (run.attrs["seconds"], run.attrs["error"]) == (1.5, None)
    assert run.attrs["engine"] == [{"name": "tree", "order": 4}]
    for k in range(3):
        for case in range(2):
            assert np.array_equal(run.frame(case, k), frame(k, about)[case])


def test_a_frame_of_many_files_in_blocks_and_rows(tmp_path: Path, header, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "CHUNK", 8)
    monkeypatch.setattr(layout, "SHARD", 16)
    about = header(particles=50, cases={}, case_count=1, times=(0.5,), kind="samples")
    cloud = np.random.default_rng(0).standard_normal((50, 3), dtype=np.float32)
    with create(tmp_path / "a.zarr", about) as owner, owner.case(0) as case:
        assert owner.shard == 16
        for start in (32, 0, 16):
            case.write_block(0, start, cloud[start : start + (18 if start == 32 else 16)])
        case.commit(0)
        owner.finish()
    run = open_run(tmp_path / "a.zarr")
    assert run.cases == [{}]
    assert np.array_equal(run.frame(), cloud)
    for index in (slice(3, 40), slice(None, None, -7), slice(20, 20), [49, 0, 17, 17, -1], np.array([5])):
        assert np.array_equal(run.rows(0, 0, index), cloud[index])
    with pytest.raises(IndexError):
        run.rows(0, 0, [50])


def test_a_frame_of_nan_is_data(tmp_path: Path, header) -> None:
    about = header(times=(0.0,))
    with create(tmp_path / "a.zarr", about) as writer:
        writer.write(0, np.full((2, 50, 3), np.nan, np.float32))
        writer.finish()
    assert np.isnan(open_run(tmp_path / "a.zarr").frame(1, 0)).all()


def test_xarray_opens_a_complete_store_as_it_stands(tmp_path: Path, header, frame, store) -> None:
    about = header()
    path = store(tmp_path / "a.zarr", about)
    with xarray.open_zarr(path) as opened:
        position = opened["position"]
        assert position.dims == ("case", "time", "particle", "axis")
        assert position.dtype == np.float32
        assert position.attrs == {"long_name": "particle position", "units": "length"}
        assert set(position.coords) == {"time", "axis", "A", "mu"}
        assert opened["time"].attrs["units"] == "time"
        assert opened["A"].attrs == {"long_name": "flow amplitude", "units": "length / time"}
        assert opened["mu"].attrs == {"long_name": "diffusivity"}
        assert opened["axis"].values.tolist() == ["x", "y", "z"]
        assert opened.attrs["config"] == about.config
        y = position.isel(case=1).sel(time=0.1, axis="y").values
    assert np.array_equal(y, frame(1, about)[1, :, 1])


def test_an_incomplete_store_shows_its_committed_frames(tmp_path: Path, header, frame, store) -> None:
    about = header()
    path = store(tmp_path / "a.zarr", about, frames=2)
    run = open_run(path)
    assert (run.complete, run.times.tolist()) == (False, [0.0, 0.1])
    assert run.dataset().sizes["time"] == 2
    assert np.array_equal(run.dataset()["position"].values[:, 1], frame(1, about))
    with xarray.open_zarr(path, consolidated=False) as opened:
        assert np.isnan(opened["time"].values).tolist() == [False, False, True]
    with pytest.raises(ConfigError, match="snapshot 2"):
        run.frame(0, 2)


def test_find_selects_by_parameters_and_time(tmp_path: Path, header, store) -> None:
    run = open_run(store(tmp_path / "a.zarr", header()))
    assert run.find(t=0.1 + 1e-12, A=10) == (1, 1)
    assert run.find(mu=1) == (0, 2)
    for t, asked in ((0.1, {"A": 5}), (0.15, {"A": 1}), (None, {}), (None, {"B": 1})):
        with pytest.raises(ConfigError) as caught:
            run.find(t=t, **asked)
        assert "it has" in (caught.value.hint or "")
    with pytest.raises(ConfigError, match="snapshot"):
        open_run(store(tmp_path / "b.zarr", header(), frames=0)).find(A=1)


@pytest.mark.parametrize("text", ["nothing", "folder", "file", "json"])
def test_folders_that_are_no_store_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.zarr"
    if text != "nothing":
        path.write_text("x") if text == "file" else path.mkdir()
    if text == "json":
        (path / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    with pytest.raises(DataError) as caught:
        open_run(path)
    missing = text == "nothing"
    assert ("there is no store" if missing else f"{path.name} is not a ksdp store") in str(caught.value)
    assert ("no array" if text == "json" else "check the path") in caught.value.hint


def test_calls_out_of_order_are_refused(tmp_path: Path, header, frame) -> None:
    about = header()
    with create(tmp_path / "a.zarr", about) as owner:
        with owner.case(1) as case:
            with pytest.raises(ValueError, match="frame"):
                case.commit(0)
            case.write_block(1, 0, frame(1, about)[1])
            with pytest.raises(ValueError, match="not whole"):
                case.commit(0)
            with pytest.raises(ValueError, match="does not fit"):
                case.write_block(0, 0, np.zeros((51, 3)))
            with pytest.raises(ValueError, match="whole shards"):
                case.write_block(0, 0, np.zeros((49, 3)))
        with pytest.raises(ValueError, match="0 of 3"):
            owner.finish()
        with pytest.raises(ValueError, match="times"):
            owner.annotate(times=[1])
        with pytest.raises(ValueError, match="case 2 of 2"):
            owner.case(2)
        owner.write(0, frame(0, about))
        with owner.case(0) as case, pytest.raises(ValueError, match="1 are committed"):
            case.write(0, frame(0, about)[0])


@pytest.mark.parametrize("name", ["time", "position", "a/b"])
def test_a_parameter_cannot_take_the_name_of_an_array(tmp_path: Path, header, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be called"):
        create(tmp_path / "a.zarr", header(cases={name: (1.0, 2.0)}))
    assert not list(tmp_path.iterdir())
