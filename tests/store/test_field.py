"""c on a grid in a store: round trip, commit marks, damage, and stores without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.store import create, open_run
from ksdp_cli.store.field_grid import FieldGrid
from ksdp_cli.store.layout import field_files

GRID = FieldGrid(5, (-1.0, 0.0, 1.0), 2.0)


def fields(k: int) -> np.ndarray:
    return np.random.default_rng(k).standard_normal((2, *GRID.shape), np.float32)


def filled(path: Path, header, frame, frames: int = 3) -> Path:
    made = header(grid=GRID)
    with create(path, made) as owner:
        for k in range(frames):
            for number, (cloud, c) in enumerate(zip(frame(k, made), fields(k), strict=True)):
                with owner.case(number) as case:
                    case.write(k, cloud, c)
            owner.commit()
        if frames == 3:
            owner.finish()
    return path


def test_what_is_written_is_read_with_its_coordinates_and_units(tmp_path: Path, header, frame) -> None:
    run = open_run(filled(tmp_path / "a.zarr", header, frame))
    assert run.field(1, 2).tobytes() == fields(2)[1].tobytes()
    c = run.dataset()["c"]
    assert c.dims == ("case", "time", "x", "y", "z")
    np.testing.assert_array_equal(c.values[1, 0], fields(0)[1])
    np.testing.assert_allclose(c["y"], [0.2, 0.6, 1.0, 1.4, 1.8])
    assert (c.attrs["units"], c["z"].attrs["units"]) == ("mass / length", "length")
    assert {"A", "mu", "time"} <= set(c.coords)


def test_a_frame_counts_once_its_field_is_there(tmp_path: Path, header, frame) -> None:
    made = header(grid=GRID)
    with create(tmp_path / "a.zarr", made) as owner, owner.case(0) as case:
        case.write_block(0, 0, frame(0, made)[0])
        with pytest.raises(ValueError, match="not whole"):
            case.commit(0)
        with pytest.raises(ValueError, match="field"):
            case.write_field(0, fields(0)[0, 0])
        case.write_field(0, fields(0)[0])
        case.commit(0)
        assert case.committed == 1


def test_later_frames_keep_the_fields_that_are_there(tmp_path: Path, header, frame) -> None:
    path = filled(tmp_path / "a.zarr", header, frame)
    with create(path, header(grid=GRID, times=(0.0, 0.1, 0.2, 0.3)), resume=True) as owner:
        assert owner.committed == 3
    assert open_run(path).field(1, 1).tobytes() == fields(1)[1].tobytes()


def test_a_damaged_field_is_an_error_with_its_place(tmp_path: Path, header, frame) -> None:
    path = filled(tmp_path / "a.zarr", header, frame)
    file = field_files(path, header(grid=GRID), 0, 1)["c"]
    other = field_files(path, header(grid=GRID), 0, 2)["c"].read_bytes()
    for content in (other, b"", other[: len(other) // 2]):
        file.write_bytes(content)
        with pytest.raises(DataError, match=r"time 0\.1"):
            open_run(path).field(0, 1)
    file.unlink()
    with pytest.raises(DataError, match=r"time 0\.1"):
        open_run(path).field(0, 1)


def test_a_store_without_c_says_how_to_get_it(tmp_path: Path, header, frame, store) -> None:
    run = open_run(store(tmp_path / "a.zarr", header()))
    assert run.grid is None
    assert "c" not in run.dataset()
    assert run.header.format == 2
    with pytest.raises(ConfigError, match="--store-field"):
        run.field()


def test_a_parameter_cannot_be_called_as_an_axis_of_the_grid(tmp_path: Path, header) -> None:
    with pytest.raises(ConfigError, match="'x'"):
        create(tmp_path / "a.zarr", header(grid=GRID, cases={"x": (1.0, 2.0)}))
