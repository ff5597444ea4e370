"""Write some files of a frame for the process that commits it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base import disk
from ..base.shapes import Cloud
from . import layout


class ShardWriter:
    """Writes shards of positions of a store that another process owns, and holds no lock: each file has one writer.

    A frame counts only when that process has the digests of all shards (``digests`` of `CaseWriter.write`)
    and commits it. A failed write raises `ResourceError` (disk full) or `DataError`.
    """

    def __init__(self, path: Path, particles: int) -> None:
        from .durable import open_group

        self.path, self.shard = path, layout.shard_length(particles)
        with disk.store_errors(path):
            self._position = open_group(path, write=True)["position"].with_config({"write_empty_chunks": True})

    def write(self, case: int, k: int, first: int, last: int, positions: Cloud) -> NDArray[np.uint64]:
        """Write the shards from ``first`` to below ``last`` of frame ``k``, positions (J, d); return their digests."""
        begin = first * self.shard
        data = np.ascontiguousarray(positions[begin : last * self.shard], np.float32)
        if data.size:
            with disk.store_errors(self.path):
                self._position[case, k, begin : begin + len(data)] = data
        return shard_digests(data, self.shard)


def shard_digests(data: NDArray[np.generic], shard: int) -> NDArray[np.uint64]:
    """Return the `layout.block_digest` of each ``shard`` rows of ``data``."""
    blocks = [layout.block_digest(data[offset : offset + shard]) for offset in range(0, len(data), shard)]
    return np.array(blocks, np.uint64)
