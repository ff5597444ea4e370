"""The process that owns a store: it lays the store out, marks complete frames, seals it, and holds the lock.

A `CaseWriter` writes the frames of a case, in this or any other process.
"""

from __future__ import annotations

import glob
import json
import math
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..base import disk
from ..base.outputs import Lock
from ..base.shapes import Frame
from . import layout
from .build import seal
from .layout import Header
from .writer import CaseWriter, open_framed

if TYPE_CHECKING:
    from .durable import StoredArray


class Owner:
    """Owns a store while it is filled; a context manager.

    ``committed`` is the number of frames that every case has, ``times`` are all snapshots, ``shard`` is the number of
    particles in one file. A failed write raises `ResourceError` (disk full) or `DataError`; committed frames stay.
    """

    def __init__(self, path: Path, header: Header, committed: int, complete: bool, lock: Lock) -> None:
        self.path, self.header, self.committed = path, header, committed
        self.times = header.times
        self.shard = layout.shard_length(header.particles)
        self._complete, self._lock = complete, lock

    def take_over(self, header: Header) -> Owner:
        """Return the owner of the store laid out again at the same path, with the same lock; do not use this one."""
        return Owner(self.path, header, self.committed, False, self._lock)

    @cached_property
    def _arrays(self) -> dict[str, StoredArray]:
        return open_framed(self.path, self.header)

    def __enter__(self) -> Owner:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def case(self, number: int) -> CaseWriter:
        """Return the writer of a case; close it before opening another for the same case. Raises as `CaseWriter`."""
        return CaseWriter(self.path, number, self.header, self._arrays)

    def write(self, k: int, positions: Frame) -> None:
        """Write and commit frame ``k``, (case, J, d), of a store without c, for every case that lacks it."""
        shape = (self.header.case_count, self.header.particles, self.header.dim)
        if positions.shape != shape:
            raise ValueError(f"a frame {positions.shape} for a store of {shape}")
        for number, cloud in enumerate(positions):
            with self.case(number) as case:
                if k >= case.committed:
                    case.write(k, cloud)
        self.commit()

    def commit(self) -> int:
        """Mark the frames that every case has by now; return their number."""
        cases = range(self.header.case_count)
        ready = self.committed
        while ready < len(self.times) and all(layout.digest_file(self.path, case, ready).exists() for case in cases):
            ready += 1
        if ready > self.committed:
            with disk.store_errors(self.path):
                for k in range(self.committed, ready):
                    self._arrays["time"][k] = self.times[k]
                    disk.sync_up(layout.chunk_file(self.path, "time", k), self.path / "time")
            self.committed = ready
        return ready

    def progress(self) -> list[int]:
        """Return the number of leading frames that each case has committed."""
        return [layout.frames_of(self.path, self.header, case) for case in range(self.header.case_count)]

    def annotate(self, **attrs: object) -> None:
        """Store facts about the run, JSON, as attributes; numbers that are not finite become null."""
        with disk.store_errors(self.path):
            seal(self.path, _plain(attrs))

    def finish(self, **attrs: object) -> None:
        """Mark the store complete, with ``attrs`` as of `annotate` and consolidated metadata, and release the lock.

        Raises `ValueError` when frames are missing.
        """
        if self.commit() < len(self.times):
            raise ValueError(f"{self.path} has {self.committed} of {len(self.times)} frames")
        if not self._complete:
            with disk.store_errors(self.path):
                seal(self.path, _plain(attrs) | {"complete": True})
        self._complete = True
        for file in self.path.parent.glob(f".{glob.escape(self.path.name)}.case-*.ksdp-lock"):
            file.unlink(missing_ok=True)  # the lock of a killed writer
        self._lock.release()


def _plain(attrs: dict[str, object]) -> dict[str, object]:
    """Facts about a run as JSON gives them back. Raises `ValueError` if they have a name of the store's own."""
    clash = layout.OWN_ATTRIBUTES & set(attrs)
    if clash:
        raise ValueError(f"the attributes {sorted(clash)} are reserved")
    plain: dict[str, object] = json.loads(json.dumps(_finite(attrs), allow_nan=False))
    return plain


def _finite(value: object) -> object:
    """Convert ``value`` to JSON types: numpy scalars to numbers, nan and inf to None."""
    if isinstance(value, dict):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
