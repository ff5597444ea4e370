"""A store under kill -9, two writers, flipped bits, forged sizes and a full disk: an error or the truth."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numcodecs.zstd import Zstd

from ksdp_cli.base import disk
from ksdp_cli.errors import DataError, KsdpError, ResourceError
from ksdp_cli.store import Header, create, layout, open_run

#: What both the writers that are killed and the tests know: the store and its frames.
SHARED = """
import os, random, signal, sys, time
import numpy as np
from ksdp_cli.store import Header, create

def header_of(steps):
    times = tuple(0.1 * k for k in range(steps))
    return Header("simulation", times, 3000, 2, {"A": (1.0, 2.0)}, 2, config={"T": times[-1], "J": 3000})

def frame_of(k):
    return np.random.default_rng(k).standard_normal((2, 3000, 2), dtype=np.float32)

def fill(path, say=lambda committed: None, **options):
    with create(path, header_of(options.pop("steps")), **options) as writer:
        for k in range(writer.committed, len(writer.times)):
            writer.write(k, frame_of(k))
            say(k + 1)
        writer.annotate(seconds=1.0)
        writer.finish()

def work(path):
    acknowledged = os.open(path + ".ack", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    say = lambda committed: os.write(acknowledged, b"%d\\n" % committed)
    fill(path, say, steps=2, resume=True)
    fill(path, say, steps=3, resume=True)
    say(0)
    fill(path, say, steps=3, overwrite=True)
"""

#: One process that has imported zarr and forks a writer for every kill: an import of its own would cost each a second.
KILLER = (
    SHARED
    + """
import zarr, zarr.codecs, ksdp_cli.store.durable

def at_call(number):
    counter = [number]
    def counted(real):
        def call(*args, **kwargs):
            counter[0] -= 1
            if counter[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        return call
    for name in ("fsync", "replace", "rename", "link", "unlink", "rmdir", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))

folder, mode = sys.argv[1:]
chosen = random.Random(0)
survivors = 0
for number in range(8 if mode == "moment" else 400):
    step = 1 + 13 * number + chosen.randrange(13)
    child = os.fork()
    if child == 0:
        if mode == "call":
            at_call(step)
        work(f"{folder}/{number}.zarr")
        os._exit(0)
    if mode == "moment":
        time.sleep(chosen.uniform(0.01, 0.5))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), f"writer {number} failed by itself"
    if status == 0 and mode == "call":
        break
print(number)
"""
)

known: dict[str, Any] = {}
exec(SHARED, known)


def same_as_written(path: Path, at_least: int) -> None:
    run = open_run(path)
    assert len(run.times) >= at_least
    for k in range(len(run.times)):
        for case in range(2):
            assert np.array_equal(run.frame(case, k), known["frame_of"](k)[case]), (path, case, k)


@pytest.mark.parametrize("mode", ["moment", "call"])
def test_kill_9_leaves_every_acknowledged_frame_and_no_torn_one(tmp_path: Path, mode: str) -> None:
    """Killed at random moments, and at chosen system calls from the first to the last of a whole life of a store."""
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path), mode], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= (7 if mode == "moment" else 15)
    for log in sorted(tmp_path.glob("*.ack")):
        path = log.with_suffix("")
        lines = log.read_text().split()
        acknowledged = int(lines[-1]) if lines else 0
        if path.exists():
            same_as_written(path, acknowledged)
        elif acknowledged:
            with pytest.raises(DataError, match="--resume"):
                open_run(path)
        known["fill"](path, steps=3, resume=True)
        same_as_written(path, 3)
        assert open_run(path).complete
        log.unlink()
        assert not list(tmp_path.glob(f".{path.name}*")), "something is left beside it"
        assert not list(path.rglob("*.partial"))


@pytest.mark.parametrize("new_one", [True, False])
def test_a_kill_between_the_two_renames_of_a_replacement_is_undone(tmp_path: Path, new_one: bool) -> None:
    """The moment that the kills above seldom hit: the old store is aside and the new one not yet in its place."""
    path, old, new = (tmp_path / name for name in ("a.zarr", ".a.zarr.ksdp-old", ".a.zarr.ksdp-new"))
    known["fill"](path, steps=3)
    path.rename(old)
    if new_one:
        known["fill"](new, steps=3)
    with pytest.raises(DataError, match="--resume"):
        open_run(path)
    with pytest.raises(DataError, match="exists"):
        create(path, known["header_of"](3))
    same_as_written(path, 3)
    assert not old.exists()
    assert not new.exists()


def test_two_processes_do_not_write_one_store(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    program = SHARED + "\nwriter = create(sys.argv[1], header_of(2))\nprint('held', flush=True)\ntime.sleep(60)\n"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        try:
            for options in ({}, {"resume": True}, {"overwrite": True}):
                with pytest.raises(DataError, match=str(other.pid)):
                    create(path, known["header_of"](2), **options)
        finally:
            other.kill()
    known["fill"](path, steps=2, resume=True)
    assert open_run(path).complete


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
    with pytest.raises(DataError, match=r"c/1/0/0/0: case 1 .*'A': 2.0.*, time 0 "):
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


def test_an_error_of_ours_is_never_taken_for_the_disk(tmp_path: Path) -> None:
    with pytest.raises(KsdpError, match="process"), create(tmp_path / "a.zarr", known["header_of"](1)):
        create(tmp_path / "a.zarr", known["header_of"](1))
