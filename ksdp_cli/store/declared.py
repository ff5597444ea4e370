"""Check the sizes that files declare before decompressing or allocating.

33 kB of zstd can hold a gigabyte, and metadata can declare any chunk shape: compare both with the layout that the
header implies.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..base.files import open_regular, read_json
from . import layout
from .layout import Array, Header

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
LONGEST_FRAME_HEADER = 18
ABSENT = 2**64 - 1


def content_size(head: bytes) -> int | None:
    """Return the content size that a zstd frame declares (RFC 8878, section 3.1.1.1), or None without one."""
    if len(head) < 6 or head[:4] != ZSTD_MAGIC:
        return None
    flag, single = head[4] >> 6, bool(head[4] & 0x20)
    start = 5 + (not single) + (0, 1, 2, 4)[head[4] & 3]
    width = (1 if single else 0, 2, 4, 8)[flag]
    if not width or len(head) < start + width:
        return None
    return int.from_bytes(head[start : start + width], "little") + (256 if width == 2 else 0)


def check_file(file: Path, size: int) -> None:
    """Raise `ValueError` unless ``file`` is a zstd frame with ``size`` bytes of content; `OSError` if it is missing."""
    with open_regular(file) as handle:
        content = content_size(handle.read(LONGEST_FRAME_HEADER))
    if content != size:
        raise ValueError(f"{file.name} declares {content} bytes and should hold {size}")


def check_shard(file: Path, array: Array) -> None:
    """Raise `ValueError` unless every chunk of a shard declares the size that ``array`` implies."""
    count = math.prod(array.files) // math.prod(array.chunks)
    size = math.prod(array.chunks) * np.dtype(array.dtype).itemsize
    with open_regular(file) as handle:
        total = handle.seek(0, 2)
        table = 16 * count + 4  # offset and length of each chunk, then a CRC that zarr checks
        handle.seek(max(0, total - table))
        index = np.frombuffer(handle.read(16 * count), "<u8")
        if len(index) != 2 * count:
            raise ValueError(f"{file.name} has {total} bytes, less than its index")
        for offset, length in index.reshape(-1, 2).tolist():
            if offset == ABSENT:
                continue
            if offset + length > total:
                raise ValueError(f"{file.name} points beyond its end")
            handle.seek(offset)
            content = content_size(handle.read(min(LONGEST_FRAME_HEADER, length)))
            if content != size:
                raise ValueError(f"{file.name} declares a chunk of {content} bytes and should hold {size}")


def check_metadata(root: Path, header: Header, consolidated: Any) -> None:
    """Raise `ValueError` unless every array has the shape, type and chunks that the header implies.

    ``consolidated``, the copies in the root metadata that other programs read, must agree if present.
    """
    copies = consolidated["metadata"] if consolidated else {}
    if consolidated and copies.keys() != layout.arrays(header).keys():
        raise ValueError(f"it has the arrays {sorted(copies)} and its attributes name {sorted(layout.arrays(header))}")
    for name, array in layout.arrays(header).items():
        metadata: dict[str, Any] = read_json(root / name / "zarr.json")
        outer = metadata["chunk_grid"]["configuration"]["chunk_shape"]
        codecs = metadata["codecs"]
        inner = codecs[0]["configuration"]["chunk_shape"] if codecs[0]["name"] == "sharding_indexed" else outer
        layout_on_disk = (metadata["data_type"], metadata["shape"], outer, inner)
        if layout_on_disk != (array.dtype, list(array.shape), list(array.files), list(array.chunks)):
            raise ValueError(f"{name} declares type, shape and chunks {layout_on_disk}")
        if consolidated and copies[name] != metadata:
            raise ValueError(f"the consolidated metadata of {name} differ from its own")
