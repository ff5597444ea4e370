"""A damaged store, forged sizes and a full disk: an error or the truth."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numcodecs.zstd import Zstd

from ksdp_cli.base import disk
from ksdp_cli.errors import DataError, ResourceError
from ksdp_cli.store import Header, create, layout, open_run


def small_store(path: Path, frames: int = 2) -> Path:
    header = Header("simulation", (0.0, 0.5), 40, 2, {"A": (1.0, 2.0)}, 2, {"A": "rate [1 / time]"}, {"J": 40})
    with create(path, header) as writer:
        for k in range(frames):
            writer.write(k, np.random.default_rng(k).standard_normal((2, 40, 2), dtype=np.float32))
        if frames == 2:
            writer.finish()
    return path


def everything(path: Path) -> tuple[Any, ...]:
    """All that a reader can learn from a store."""
    run = open_run(path)
    frames = [run.frame(case, k).tobytes() for case in range(len(run.cases)) for k in range(len(run.times))]
    said = run.times.tolist(), run.cases, run.config, run.units, run.J, run.dim, run.kind, run.complete, run.attrs
    return frames, said


def of_dataset(path: Path) -> tuple[Any, ...]:
    with open_run(path).dataset() as opened:
        loaded = opened.load()
    values = {str(name): one.values.tobytes() for name, one in loaded.variables.items() if name != "axis"}
    return values, loaded["axis"].values.tolist(), loaded["position"].dims


@pytest.mark.parametrize("frames", [1, 2])
def test_a_flipped_bit_anywhere_is_reported_or_changes_nothing(tmp_path: Path, frames: int) -> None:
    path = small_store(tmp_path / "a.zarr", frames)
    truth, opened = everything(path), of_dataset(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    draw, reported, trials = random.Random(0), 0, 0
    for file in files:
        whole = file.read_bytes()
        for _ in range(60 if file.parent == path else 10):  # the root metadata are long and say the most
            bit = draw.randrange(8 * len(whole))
            damaged = bytearray(whole)
            damaged[bit // 8] ^= 1 << bit % 8
            file.write_bytes(damaged)
            trials += 1
            try:
                assert everything(path) == truth, (file, bit)
            except DataError:
                reported += 1
            try:
                assert of_dataset(path) == opened, (file, bit)
            except AssertionError:
                raise
            except Exception:  # xarray and zarr raise what they will: anything but wrong data
                pass
        file.write_bytes(whole)
    assert trials >= 100
    assert reported >= 0.9 * trials
    assert everything(path) == truth


def test_a_file_that_is_missing_or_cut_is_reported_with_its_place(tmp_path: Path) -> None:
    path = small_store(tmp_path / "a.zarr")
    truth = everything(path)
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        whole = file.read_bytes()
        for content in (None, b"", whole[:-1], whole[: len(whole) // 2]):
            file.unlink(missing_ok=True)
            if content is not None:
                file.write_bytes(content)
            with pytest.raises(DataError):
                everything(path)
        file.write_bytes(whole)
    assert everything(path) == truth
    shard = layout.chunk_file(path, "position", 1, 0, 0, 0)
    shard.write_bytes(b"x" * shard.stat().st_size)
    with pytest.raises(DataError, match=r"c/1/0/0/0: case 1 \(A = 2\), time 0 "):
        open_run(path).frame(1, 0)


def test_frames_that_changed_places_are_reported(tmp_path: Path) -> None:
    path = small_store(tmp_path / "a.zarr")
    shutil.copy(layout.chunk_file(path, "position", 0, 1, 0, 0), layout.chunk_file(path, "position", 0, 0, 0, 0))
    with pytest.raises(DataError, match="digest"):
        open_run(path).frame(0, 0)


def resealed(path: Path, changes: dict[str, Any]) -> None:
    """Attributes changed by somebody who knows how the digests are made."""
    file = path / "zarr.json"
    metadata = json.loads(file.read_text())
    metadata["attributes"] |= changes
    header = Header.from_attributes(metadata["attributes"])
    metadata["attributes"][layout.STATIC_DIGEST] = layout.static_digest(path, header)
    metadata["attributes"][layout.ROOT_DIGEST] = layout.root_digest(metadata)
    file.write_text(json.dumps(metadata))


def test_forged_shapes_are_refused(tmp_path: Path) -> None:
    path = small_store(tmp_path / "a.zarr")
    resealed(path, {"particles": 10**12})
    with pytest.raises(DataError, match="position declares"):
        open_run(path)
    resealed(path, {"particles": 40})
    file = path / "position" / "zarr.json"
    metadata = json.loads(file.read_text())
    metadata["codecs"][0]["configuration"]["chunk_shape"] = [1, 1, 10**11, 2]
    file.write_text(json.dumps(metadata))
    resealed(path, {})
    with pytest.raises(DataError, match="position declares"):
        open_run(path)


def test_a_chunk_that_would_inflate_is_refused_before_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from google_crc32c import value as crc

    def never(*_: object) -> None:
        raise AssertionError("a chunk was decompressed")

    path = small_store(tmp_path / "a.zarr")
    bomb = Zstd(level=1, checksum=True).encode(bytes(64 << 20))
    assert len(bomb) < 10_000
    index = np.array([0, len(bomb)], "<u8").tobytes()
    layout.chunk_file(path, "position", 0, 0, 0, 0).write_bytes(bomb + index + crc(index).to_bytes(4, "little"))
    run = open_run(path)
    with monkeypatch.context() as patch:
        patch.setattr("zarr.codecs.zstd.ZstdCodec._decode_sync", never)
        with pytest.raises(DataError, match="67108864"):
            run.frame(0, 0)
    layout.chunk_file(path, "time", 1).write_bytes(bomb)
    with pytest.raises(DataError, match="67108864"):
        open_run(path)


def test_a_frame_is_on_the_disk_before_its_mark_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    put, sync_folder = disk.put, disk.sync_folder

    def noted_put(file: Path, content: Any) -> None:
        put(file, content)
        happened.append(str(file.relative_to(tmp_path / "a.zarr")))

    def noted_sync(folder: Path) -> None:
        sync_folder(folder)
        happened.append(str(folder.relative_to(tmp_path / "a.zarr")))

    header = Header("samples", (0.0,), 10, 2, {}, 1)
    with create(tmp_path / "a.zarr", header) as writer:
        monkeypatch.setattr(disk, "put", noted_put)
        monkeypatch.setattr(disk, "sync_folder", noted_sync)
        writer.write(0, np.zeros((1, 10, 2), np.float32))
    position = ["position/c/0/0/0", "position/c/0/0", "position/c/0", "position/c", "position"]
    digest = ["digest/c/0/0", "digest/c/0", "digest/c", "digest"]
    assert happened == ["position/c/0/0/0/0", *position, "digest/c/0/0/0", *digest, "time/c/0", "time/c", "time"]


def test_a_full_disk_is_a_resource_error_and_keeps_what_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = small_store(tmp_path / "a.zarr", frames=1)
    header = open_run(path).header
    with monkeypatch.context() as patch, create(path, header, resume=True) as writer:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ResourceError, match="No space left"):
            writer.write(1, np.zeros((2, 40, 2), np.float32))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ResourceError):
            create(tmp_path / "b.zarr", header)
    assert len(open_run(path).times) == 1
    with create(tmp_path / "b.zarr", header):
        assert not list(tmp_path.glob(".b.zarr.ksdp-new"))
