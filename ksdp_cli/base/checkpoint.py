"""Checkpoints: one file, written whole or not at all; the previous one stays as PATH.previous.

Layout: magic, length of the JSON header, header, arrays at multiples of 64 bytes, and the SHA-256 of all bytes before
it. The JSON holds dtype, shape and offset of each array. No pickle.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import DataError, ResourceError
from .files import open_regular, parse_json
from .outputs import NO_ROOM
from .records import SavedHeader, as_record
from .whole import rename_at_end, sync_folder

MAGIC = b"ksdpck01"
ALIGNMENT = 64
PREFIX, SUM = len(MAGIC) + 8, hashlib.sha256().digest_size

#: Header and arrays.
Content = tuple[dict[str, object], dict[str, np.ndarray]]


def save(path: Path, header: dict[str, object], arrays: dict[str, np.ndarray]) -> None:
    """Replace the checkpoint at ``path`` by (``header``, ``arrays``); rename the old one to PATH.previous.

    ``header`` must be JSON, the arrays numeric, of any shape. Raises `ResourceError` when the disk is full and
    `DataError` when the file cannot be written; existing checkpoints stay.
    """
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    places, offset = {}, 0
    for name, array in contiguous.items():
        if array.dtype.kind not in "biufc":
            raise ValueError(f"array {name!r} of type {array.dtype} is not numeric")
        places[name] = {"dtype": array.dtype.str, "shape": array.shape, "offset": offset}
        offset += _padded_size(array.nbytes)
    head = json.dumps({"header": header, "arrays": places}).encode()
    head += b" " * (_padded_size(PREFIX + len(head)) - PREFIX - len(head))
    _, previous, temporary = _names(path)
    try:
        with rename_at_end(temporary, path, previous), temporary.open("wb") as file:
            _write(file, [MAGIC, struct.pack("<Q", len(head)), head], contiguous)
        sync_folder(path.parent)
    except OSError as error:
        kind = ResourceError if error.errno in NO_ROOM else DataError
        hint = "the last checkpoint is whole; use --resume"
        raise kind(f"cannot write the checkpoint {path} ({error.strerror})", hint) from None


def exists(path: Path) -> bool:
    """Whether the checkpoint or its previous version exists: a save killed between its renames leaves the latter."""
    return path.exists() or _previous(path).exists()


def remove(path: Path) -> None:
    """Remove the checkpoint, its previous version and the temporary file of a killed writer, if ksdp wrote them."""
    for file in _names(path):
        if _ours(file):
            file.unlink()


def tidy(path: Path) -> None:
    """Remove the temporary file of a killed writer, if ksdp wrote it."""
    *_, temporary = _names(path)
    if _ours(temporary):
        temporary.unlink()


def claim(path: Path) -> None:
    """Raise `DataError` if a file that is not a checkpoint, or a damaged one, has one of the checkpoint's names."""
    for file in _names(path):
        if file.exists() and not _ours(file):
            raise DataError(f"{file} is not a ksdp checkpoint, or its first bytes are damaged", "move it elsewhere")


def load(path: Path) -> Content:
    """Return header and arrays of the newest undamaged checkpoint; ``source`` in the header is its file.

    Raises `DataError` when neither it nor the previous one can be read.
    """
    content, reasons = newest(path)
    if content is None:
        raise DataError("; ".join(reasons) or f"there is no checkpoint {path}", "start again without --resume")
    return content


def newest(
    path: Path, unfit: Callable[[dict[str, object]], str | None] = lambda header: None
) -> tuple[Content | None, list[str]]:
    """Return the newest undamaged checkpoint with ``unfit(header)`` None, or None; and why others were skipped."""
    reasons = []
    for file in (path, _previous(path)):
        if file.exists():
            try:
                header, arrays = _read(file)
            except (OSError, ValueError, KeyError, TypeError) as error:
                reasons.append(f"{file} is damaged: {error}")
                continue
            reason = unfit(header)
            if reason is None:
                return (header | {"source": str(file)}, arrays), reasons
            reasons.append(f"{file} {reason}")
    return None, reasons


def _write(file: BinaryIO, start: list[bytes], arrays: dict[str, np.ndarray]) -> None:
    sha = hashlib.sha256()

    def put(piece: bytes | memoryview) -> None:
        sha.update(piece)
        file.write(piece)

    for piece in start:
        put(piece)
    for array in arrays.values():
        # a flat view of the bytes: a large state is hashed and written without a copy
        put(array.reshape(-1).view(np.uint8).data)
        put(bytes(_padded_size(array.nbytes) - array.nbytes))
    file.write(sha.digest())


def _read(file: Path) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Read a checkpoint: check the digest, then each array's size against the file's size before allocating."""
    with open_regular(file) as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(0)
        if size < PREFIX + SUM or handle.read(len(MAGIC)) != MAGIC:
            raise ValueError("not a checkpoint of this version")
        handle.seek(0)
        sha, left = hashlib.sha256(), size - SUM
        while left:
            block = handle.read(min(left, 1 << 20))
            if not block:
                raise ValueError("the file became shorter during the read")
            sha.update(block)
            left -= len(block)
        if sha.digest() != handle.read(SUM):
            raise ValueError("its SHA-256 does not match its bytes")
        handle.seek(len(MAGIC))
        (length,) = struct.unpack("<Q", handle.read(8))
        body = PREFIX + length
        if body > size - SUM:
            raise ValueError(f"its header claims {length} of {size} bytes")
        head = as_record(SavedHeader, parse_json(handle.read(length)))
        arrays, room = {}, size
        for name, about in head.arrays.items():
            dtype, shape = np.dtype(about.dtype), tuple(about.shape)
            start, count = body + about.offset, math.prod(shape) * dtype.itemsize
            room -= count  # many arrays at one offset would need much memory for a small file
            fits = min((0, *shape)) == 0 and len(shape) <= 8 and body <= start <= size - SUM - count and room >= 0
            if dtype.kind not in "biufc" or not fits:
                raise ValueError(f"array {name!r} of {dtype} {shape} does not fit its {size} bytes")
            arrays[name] = np.empty(shape, dtype)
            handle.seek(start)
            handle.readinto(arrays[name].reshape(-1).view(np.uint8).data)
    return head.header, arrays


def _ours(file: Path) -> bool:
    """Whether a file begins with `MAGIC`, or is a part of it, as a crash may leave."""
    if not file.is_file():
        return False
    with file.open("rb") as handle:
        return MAGIC.startswith(handle.read(len(MAGIC)))


def _padded_size(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _previous(path: Path) -> Path:
    return path.with_name(path.name + ".previous")


def _names(path: Path) -> tuple[Path, Path, Path]:
    """Return the names a checkpoint at ``path`` may use: the file, the previous one, the temporary one."""
    return path, _previous(path), path.with_name(path.name + ".tmp")
