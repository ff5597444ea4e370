"""Files as people have them, and files that nobody should have to wait for."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

import ksdp_cli as ksdp
from ksdp_cli.base import files
from ksdp_cli.base.files import local, printable, target
from ksdp_cli.config import read_toml
from ksdp_cli.errors import ConfigError, DataError

SMALL = {"J": 20, "T": 1e-3, "dt": 1e-3}
TEXT = 'flow = "laminar2d"\r\nJ = 50\r\nA = [1, 10]\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_configuration_as_any_editor_saves_it(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes(TEXT.encode(encoding))
    assert read_toml(tmp_path / "c.toml") == {"flow": "laminar2d", "J": 50, "A": [1, 10]}
    big_endian = "\ufeff".encode("utf-16-be") + TEXT.encode("utf-16-be")
    (tmp_path / "d.toml").write_bytes(big_endian)
    assert read_toml(tmp_path / "d.toml")["J"] == 50


WRONG = {
    "deep": (b"a = " + b"[" * 100_000, "nested too deeply|not valid TOML"),
    "long number": (b"J = " + b"9" * 5000, "c.toml"),
    "too long": (b"#" * (files.LARGEST_TOML + 1), "more than 1048576 bytes"),
    "binary": (bytes(range(256)), "not valid TOML"),
    "half of utf-16": ("J = 5".encode("utf-16")[:-1], "not valid TOML"),
}


@pytest.mark.parametrize("case", WRONG)
def test_files_that_are_no_configuration_are_refused_at_once(case: str, tmp_path: Path) -> None:
    content, told = WRONG[case]
    (tmp_path / "c.toml").write_bytes(content)
    began = time.process_time()
    with pytest.raises(ConfigError, match=told):
        read_toml(tmp_path / "c.toml")
    assert time.process_time() - began < 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_pipes_and_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a shell's <(command) gives is read; a pipe that nobody writes, or a device without an end, is not."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(TEXT.encode(),))
    writer.start()
    assert read_toml(pipe)["J"] == 50
    writer.join()
    monkeypatch.setattr(files, "PATIENCE", 0.2)
    with pytest.raises(ConfigError, match=r"pipe.* 0 bytes"):
        read_toml(pipe)
    with pytest.raises(ConfigError, match="regular file"):
        read_toml(Path("/dev/zero"))
    from ksdp_cli.learning.model import Model

    with pytest.raises(DataError, match="regular file"):
        Model.load(pipe)
    (tmp_path / "s.zarr").mkdir()
    os.mkfifo(tmp_path / "s.zarr" / "zarr.json")
    with pytest.raises(DataError, match=r"s\.zarr is not a"):
        ksdp.open_run(tmp_path / "s.zarr")


def test_tilde_and_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    run = ksdp.simulate(out="~/a.zarr", **SMALL)
    assert (tmp_path / "home" / "a.zarr").is_dir()
    for same in ("~/a.zarr", f"file://{tmp_path}/home/a.zarr", f"file:{tmp_path}/home/a.zarr"):
        assert ksdp.open_run(same).frame().tolist() == run.frame().tolist()
    for url in ("s3://bucket/a.zarr", Path("gs://bucket/a.zarr"), "https://host/a.zarr"):
        with pytest.raises(ConfigError, match="URL"):
            ksdp.simulate(out=url, **SMALL)
        with pytest.raises(ConfigError, match="URL"):
            ksdp.open_run(url)
    assert os.listdir(tmp_path) == ["home"]
    assert local("file://localhost/a%20b") == Path("/a b")
    assert local("C:/x") == Path("C:/x")  # a drive is no scheme


@pytest.mark.parametrize("name", ["", "/", ".", "a\0b", "~nobody-of-this-name/x"])
def test_outputs_that_name_no_file(name: str) -> None:
    with pytest.raises(ConfigError):
        target(name)


def test_dots_through_a_folder_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ksdp.simulate(out="./nox/../y.zarr", **SMALL).complete
    assert os.listdir(tmp_path) == ["y.zarr"]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain, é, 粒子, 👩‍🔬", "plain, é, 粒子, 👩‍🔬"),
        ("\x1b[31mRED\x1b]0;title\x07", r"\x1b[31mRED\x1b]0;title\x07"),
        ("two\nlines\0", r"two\x0alines\x00"),
        ("\ud800 and \udcff", r"\ud800 and \xff"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
    ],
)
def test_control_characters_are_escaped(text: str, seen: str) -> None:
    assert printable(text) == seen


def test_a_group_of_somebody_elses_says_what_it_lacks(tmp_path: Path) -> None:
    import numpy as np
    import xarray

    made = xarray.Dataset({"position": (("particle", "axis"), np.zeros((5, 2)))})
    made.to_zarr(tmp_path / "mine.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(DataError, match="simulate --init"):
        ksdp.open_run(tmp_path / "mine.zarr")
    made.rename(position="x").to_zarr(tmp_path / "other.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(DataError, match="no 'position'"):
        ksdp.open_run(tmp_path / "other.zarr")
