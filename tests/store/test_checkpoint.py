"""Checkpoints come back bit for bit, or the one before them does, or an error."""

from __future__ import annotations

import errno
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ksdp_cli.api.checkpoints import Checkpoints
from ksdp_cli.base import checkpoint
from ksdp_cli.errors import DataError, ResourceError

HEADER = {"k": 3, "step": 17, "engines": [{"order": 6}]}
ARRAYS = {
    "x": np.random.default_rng(0).standard_normal((2, 7, 3)),
    "f": np.arange(12, dtype=np.float32).reshape(3, 4).T,
    "none": np.zeros((0, 3), np.int64),
    "one": np.array(5),
}


def same(arrays: dict[str, np.ndarray]) -> bool:
    return arrays.keys() == ARRAYS.keys() and all(
        arrays[n].dtype == a.dtype and arrays[n].shape == a.shape and np.array_equal(arrays[n], a)
        for n, a in ARRAYS.items()
    )


def test_round_trip_and_the_previous_one(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    assert not checkpoint.exists(path)
    for step in (1, 2):
        checkpoint.save(path, HEADER | {"step": step}, ARRAYS)
    header, arrays = checkpoint.load(path)
    assert header == HEADER | {"step": 2, "source": str(path)}
    assert same(arrays)
    arrays["x"][0] = 0  # writable, apart from the file
    path.unlink()  # as a crash between the two renames leaves it
    header, arrays = checkpoint.load(path)
    assert (header["step"], header["source"]) == (1, f"{path}.previous")
    assert same(arrays)
    assert checkpoint.exists(path)
    checkpoint.remove(path)
    assert not list(tmp_path.iterdir())


def test_every_flipped_bit_and_every_cut_falls_back(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    checkpoint.save(path, HEADER | {"step": 1}, ARRAYS)
    checkpoint.save(path, HEADER | {"step": 2}, ARRAYS)
    whole = path.read_bytes()
    draw = random.Random(0)
    for _ in range(300):
        bit = draw.randrange(8 * len(whole))
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        header, arrays = checkpoint.load(path)
        assert header["step"] == 1
        assert same(arrays)
    for length in (0, 7, 15, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert checkpoint.load(path)[0]["step"] == 1
    path.write_bytes(whole + b"x")
    assert checkpoint.load(path)[0]["step"] == 1


def test_both_damaged_or_none(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    with pytest.raises(DataError, match="no checkpoint"):
        checkpoint.load(path)
    path.write_bytes(b"junk")
    with pytest.raises(DataError, match="is damaged") as caught:
        checkpoint.load(path)
    assert "--resume" in (caught.value.hint or "")


def test_a_forged_size_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    import hashlib
    import json

    path = tmp_path / "run.checkpoint"
    for about in (
        {"dtype": "<f8", "shape": [1 << 50], "offset": 0},
        {"dtype": "<f8", "shape": [-1], "offset": 0},
        {"dtype": "<f8", "shape": [1], "offset": -8},
        {"dtype": "|O", "shape": [1], "offset": 0},
    ):
        head = json.dumps({"header": {}, "arrays": {"x": about}}).encode()
        body = checkpoint.MAGIC + len(head).to_bytes(8, "little") + head + bytes(64)
        path.write_bytes(body + hashlib.sha256(body).digest())
        with pytest.raises(DataError, match="does not fit"):
            checkpoint.load(path)
    body = checkpoint.MAGIC + (1 << 60).to_bytes(8, "little") + bytes(64)
    path.write_bytes(body + hashlib.sha256(body).digest())
    with pytest.raises(DataError, match="header claims"):
        checkpoint.load(path)


def test_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not numeric"):
        checkpoint.save(tmp_path / "c", {}, {"x": np.array([object()])})
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_checkpoints_that_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "run.checkpoint"
    checkpoint.save(path, HEADER, ARRAYS)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ResourceError, match="No space"):
            checkpoint.save(path, {"step": 99}, ARRAYS)
    assert os.listdir(tmp_path) == ["run.checkpoint"]
    assert checkpoint.load(path)[0]["step"] == 17


def test_cases_that_save_at_one_moment_make_the_folder_once(tmp_path: Path) -> None:
    """Workers whose cases end together, 100 times: none finds the folder in its way."""
    start = threading.Barrier(4)

    def save(store: Path, case: int) -> None:
        start.wait()
        Checkpoints(store).save(case, {"k": 0}, {"x": np.zeros(1)})

    with ThreadPoolExecutor(4) as pool:
        for number in range(100):
            store = tmp_path / f"{number}.zarr"
            list(pool.map(save, [store] * 4, range(4)))
            assert len(list(Checkpoints(store).folder.iterdir())) == 4


def test_a_worker_judges_only_the_files_of_its_cases(tmp_path: Path) -> None:
    """Those of other cases come and go meanwhile: a look at them could find them gone."""
    files = Checkpoints(tmp_path / "a.zarr")
    files.save(0, {"k": 0}, {"x": np.zeros(1)})
    files.of(1).write_text("not a checkpoint")
    files.claim([0], resume=True)
    with pytest.raises(DataError, match="not a ksdp checkpoint"):
        files.claim([0, 1], resume=True)
