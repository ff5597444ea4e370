"""Checkpoints: one file, written whole or not at all, the previous one kept.

Layout: magic, SHA-256 of what follows, length of the JSON header, header, arrays in the header's order. No pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError

MAGIC = b"ksdpck01"


def save(path: Path, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Replace the checkpoint at ``path`` by (``header``, ``arrays``); the one it replaces becomes PATH.previous."""
    kept = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    listed = {name: {"dtype": array.dtype.str, "shape": array.shape} for name, array in kept.items()}
    head = json.dumps({"header": header, "arrays": listed}).encode()
    body = b"".join([struct.pack("<Q", len(head)), head, *(array.tobytes() for array in kept.values())])
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(MAGIC + hashlib.sha256(body).digest() + body)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        os.replace(path, _previous(path))
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def exists(path: Path) -> bool:
    """Whether there is a checkpoint, or the previous one of a save that was cut off between its two renames."""
    return path.exists() or _previous(path).exists()


def load(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of the newest undamaged checkpoint; the header's ``source`` names its file.

    Raises `DataError` when neither it nor the previous one can be read.
    """
    reasons = []
    for file in (path, _previous(path)):
        if file.exists():
            try:
                header, arrays = _read(file)
                return header | {"source": str(file)}, arrays
            except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
                reasons.append(f"{file} is damaged: {error}")
    raise DataError("; ".join(reasons) or f"there is no checkpoint {path}", "start again without --resume")


def _read(file: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    raw = file.read_bytes()
    if raw[: len(MAGIC)] != MAGIC:
        raise ValueError("not a checkpoint of this version")
    body = memoryview(raw)[len(MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != raw[len(MAGIC) : len(MAGIC) + 32]:
        raise ValueError("its bytes differ from what was written")
    (length,) = struct.unpack_from("<Q", body)
    head = json.loads(bytes(body[8 : 8 + length]))
    arrays, offset = {}, 8 + length
    for name, about in head["arrays"].items():
        dtype, shape = np.dtype(about["dtype"]), tuple(about["shape"])
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(body, dtype, count, offset).reshape(shape).copy()
        offset += count * dtype.itemsize
    return head["header"], arrays


def _previous(path: Path) -> Path:
    return path.with_name(path.name + ".previous")
