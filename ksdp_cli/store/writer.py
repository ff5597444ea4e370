"""Filling a store so that a crash at any moment leaves nothing torn in sight."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..base import disk
from ..base.outputs import Lock
from ..base.shapes import Cloud, Frame
from . import layout
from .build import seal
from .layout import Header


class Writer:
    """Fills a store frame by frame; use it as a context manager.

    ``committed`` frames are there already, ``times`` is the list of all, ``shard`` the particles in one file. A write
    that the system refuses raises `ResourceError` (no room) or `DataError`, and what was committed stays; a call out
    of order raises `ValueError`.
    """

    def __init__(self, path: Path, header: Header, committed: int, complete: bool, lock: Lock) -> None:
        from .durable import open_group

        self.path, self.header, self.committed = path, header, committed
        self.times = header.times
        self.shard = layout.shard_length(header.particles)
        self._complete, self._lock = complete, lock
        group = open_group(path, write=True)
        # an empty chunk is written too: a frame that consists of NaN alone is data, not a missing file
        self._position = group["position"].with_config({"write_empty_chunks": True})
        self._digest, self._time = group["digest"], group["time"]
        self._sums: dict[int, np.ndarray] = {}
        self._written: dict[int, np.ndarray] = {}

    def take_over(self, header: Header) -> Writer:
        """A writer of the store that was laid out again under this one, with the same lock; this one is done."""
        return Writer(self.path, header, self.committed, False, self._lock)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def write_block(self, k: int, case: int, start: int, positions: Cloud) -> None:
        """Particles ``start`` onward of frame ``k``: (n, d), whole shards or up to the end, in any order."""
        data = np.ascontiguousarray(positions, np.float32)
        end, total = start + len(data), self.header.particles
        if data.ndim != 2 or data.shape[1] != self.header.dim or start % self.shard or not 0 <= start < end <= total:
            raise ValueError(f"a block {data.shape} at {start} does not fit {total} x {self.header.dim}")
        if end % self.shard and end != total:
            raise ValueError(f"block {start}..{end} is not made of whole shards of {self.shard}")
        if not 0 <= case < self.header.case_count or not self.committed <= k < len(self.times):
            raise ValueError(f"case {case}, frame {k} is not to be written: {self.committed} frames are committed")
        with disk.reported(self.path):
            self._position[case, k, start:end] = data
        shape = (self.header.case_count, layout.shard_count(total))
        sums = self._sums.setdefault(k, np.zeros(shape, np.uint64))
        written = self._written.setdefault(k, np.zeros(shape, bool))
        for offset in range(0, len(data), self.shard):
            index = (start + offset) // self.shard
            sums[case, index] = layout.block_digest(data[offset : offset + self.shard])
            written[case, index] = True

    def write_frame(self, k: int, positions: Frame) -> None:
        """Frame ``k`` of every case: (case, J, d)."""
        shape = (self.header.case_count, self.header.particles, self.header.dim)
        if positions.shape != shape:
            raise ValueError(f"a frame {positions.shape} for a store of {shape}")
        for case, cloud in enumerate(positions):
            self.write_block(k, case, 0, cloud)

    def commit(self, k: int) -> None:
        """Make frame ``k`` count: its bytes and digests reach the disk, then ``time[k]`` is written.

        Raises `ValueError` when a part of the frame was not written by this writer, or an earlier frame is missing.
        """
        if k != self.committed or k not in self._written or not self._written[k].all():
            raise ValueError(f"frame {k} is not whole, or not the next one: {self.committed} frames are committed")
        with disk.reported(self.path):
            # the store fsyncs every file before it takes its name; the names follow here, in the order that counts
            disk.sync_folder(self.path / "position")
            self._digest[:, k] = self._sums[k]
            disk.sync_folder(self.path / "digest")
            self._time[k] = self.times[k]
            disk.sync_folder(self.path / "time")
        del self._sums[k], self._written[k]
        self.committed = k + 1

    def annotate(self, **attrs: Any) -> None:
        """Record facts about the run in the attributes, JSON-able; a number that is not finite is stored as null."""
        taken = layout.OWN_ATTRIBUTES & set(attrs)
        if taken:
            raise ValueError(f"attributes {sorted(taken)} are the store's own")
        with disk.reported(self.path):
            seal(self.path, json.loads(json.dumps(_finite(attrs), allow_nan=False)))

    def finish(self) -> None:
        """Mark the store complete, with consolidated metadata, and let go of it.

        Raises `ValueError` when frames are missing.
        """
        if self.committed < len(self.times):
            raise ValueError(f"{self.path} has {self.committed} of {len(self.times)} frames")
        if not self._complete:
            with disk.reported(self.path):
                seal(self.path, {"complete": True})
        self._complete = True
        self._lock.release()


def _finite(value: Any) -> Any:
    """``value`` as JSON can hold it: numpy scalars as numbers, nan and inf as None."""
    if isinstance(value, dict):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
