"""What goes wrong: nothing is left behind, nothing that is not ours is replaced."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ksdp_cli.api.exporting import export
from ksdp_cli.errors import ConfigError, DataError, ResourceError
from ksdp_cli.store import Run, layout

SUFFIXES = [".npz", ".csv", ".parquet", ".nc", ".vtkhdf"]
LIBRARIES = {".parquet": "pyarrow", ".nc": "h5netcdf", ".vtkhdf": "h5py"}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_output_that_exists(plain: Run, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip(LIBRARIES.get(suffix, "numpy"), reason="the extra 'export' is not installed")
    out = tmp_path / f"x{suffix}"
    out.write_text("a thesis\n")
    for overwrite in (False, True):
        with pytest.raises(DataError, match=r"exists"):
            export(plain, out, overwrite=overwrite)
        assert out.read_text() == "a thesis\n"
    out.unlink()
    export(plain, out)
    with pytest.raises(DataError, match="--overwrite"):
        export(plain, out)
    first = out.stat()
    export(plain, out, overwrite=True)
    assert out.stat().st_ino != first.st_ino
    assert names(tmp_path) == ["0.zarr", out.name]


def test_a_folder_in_the_way_is_left_alone(plain: Run, tmp_path: Path) -> None:
    (tmp_path / "x.npz").mkdir()
    with pytest.raises(DataError, match="ksdp export"):
        export(plain, tmp_path / "x.npz", overwrite=True)
    assert (tmp_path / "x.npz").is_dir()


@pytest.mark.parametrize("suffix", LIBRARIES)
def test_a_library_that_is_missing(plain: Run, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, LIBRARIES[suffix], None)
    with pytest.raises(ResourceError, match=rf"{LIBRARIES[suffix]}.*ksdp\[export\]"):
        export(plain, tmp_path / f"x{suffix}")
    assert names(tmp_path) == ["0.zarr"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_store_leaves_no_file(run: Callable[..., Run], tmp_path: Path, suffix: str) -> None:
    pytest.importorskip(LIBRARIES.get(suffix, "numpy"), reason="the extra 'export' is not installed")
    made = run()
    file = layout.chunk_file(made.path, "position", 3, 2, 0, 0)
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"case 3 .*time 0\.2"):
        export(made, tmp_path / f"x{suffix}")
    assert names(tmp_path) == ["0.zarr"]


def test_suffixes_and_inputs(plain: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'\.xls'.*\.npz.*\.nc.*\.parquet.*\.csv.*\.vtkhdf"):
        export(plain, tmp_path / "x.xls")
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ConfigError, match="ksdp sample"):
        export(tmp_path / "model.safetensors", tmp_path / "x.csv")
    with pytest.raises(DataError, match="store"):
        export(tmp_path / "nothing.zarr", tmp_path / "x.csv")


def test_a_parameter_with_the_name_of_an_axis(run: Callable[..., Run], tmp_path: Path) -> None:
    made = run(cases={"x": (1.0, 2.0)}, case_count=2, config={})
    with pytest.raises(ConfigError, match=r"'x'.*\.npz or \.nc"):
        export(made, tmp_path / "x.csv")
    export(made, tmp_path / "x.npz")
