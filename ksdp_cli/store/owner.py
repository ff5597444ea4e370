"""The process that answers for a store: it lays out, marks whole frames, seals, and holds the lock.

The frames of a case are written by its `CaseWriter`, here or in any other process.
"""

from __future__ import annotations

import glob
import json
import math
from pathlib import Path

import numpy as np

from ..base import disk
from ..base.outputs import Lock
from ..base.shapes import Frame
from . import layout
from .build import seal
from .layout import Header
from .writer import CaseWriter


class Owner:
    """Holds a store that is being filled; use it as a context manager.

    ``committed`` frames are there for every case, ``times`` is the list of all, ``shard`` the particles in one file.
    A write that the system refuses raises `ResourceError` (no room) or `DataError`, and what was committed stays.
    """

    def __init__(self, path: Path, header: Header, committed: int, complete: bool, lock: Lock) -> None:
        self.path, self.header, self.committed = path, header, committed
        self.times = header.times
        self.shard = layout.shard_length(header.particles)
        self._complete, self._lock = complete, lock

    def take_over(self, header: Header) -> Owner:
        """The owner of the store that was laid out again under this one, with the same lock; this one is done."""
        return Owner(self.path, header, self.committed, False, self._lock)

    def __enter__(self) -> Owner:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def case(self, number: int) -> CaseWriter:
        """The writer of one case; close it before another of the same case. Raises as `CaseWriter`."""
        return CaseWriter(self.path, number, self.header)

    def write(self, k: int, positions: Frame, c: Frame | None = None) -> None:
        """Frame ``k`` of every case that lacks it, (case, J, d), written and committed; ``c`` is the chemical on the
        grid of the store, (case, x, y(, z)), where it has one."""
        shape = (self.header.case_count, self.header.particles, self.header.dim)
        if positions.shape != shape:
            raise ValueError(f"a frame {positions.shape} for a store of {shape}")
        for number, cloud in enumerate(positions):
            with self.case(number) as case:
                if k >= case.committed:
                    case.write(k, cloud, None if c is None else c[number])
        self.commit()

    def commit(self) -> int:
        """Mark the frames that every case has by now; returns their number."""
        from .durable import open_group

        cases = range(self.header.case_count)
        ready = self.committed
        while ready < len(self.times) and all(layout.digest_file(self.path, case, ready).exists() for case in cases):
            ready += 1
        if ready > self.committed:
            with disk.store_errors(self.path):
                time = open_group(self.path, write=True)["time"]
                for k in range(self.committed, ready):
                    time[k] = self.times[k]
                    disk.sync_up(layout.chunk_file(self.path, "time", k), self.path / "time")
            self.committed = ready
        return ready

    def progress(self) -> list[int]:
        """Leading frames that each case has committed."""
        return [layout.frames_of(self.path, self.header, case) for case in range(self.header.case_count)]

    def annotate(self, **attrs: object) -> None:
        """Record facts about the run in the attributes, JSON-able; a number that is not finite is stored as null."""
        taken = layout.OWN_ATTRIBUTES & set(attrs)
        if taken:
            raise ValueError(f"attributes {sorted(taken)} are the store's own")
        with disk.store_errors(self.path):
            seal(self.path, json.loads(json.dumps(_finite(attrs), allow_nan=False)))

    def finish(self) -> None:
        """Mark the store complete, with consolidated metadata, and let go of it.

        Raises `ValueError` when frames are missing.
        """
        if self.commit() < len(self.times):
            raise ValueError(f"{self.path} has {self.committed} of {len(self.times)} frames")
        if not self._complete:
            with disk.store_errors(self.path):
                seal(self.path, {"complete": True})
        self._complete = True
        for left in self.path.parent.glob(f".{glob.escape(self.path.name)}.case-*.ksdp-lock"):
            left.unlink(missing_ok=True)  # of a writer that was killed: nothing is left to write
        self._lock.release()


def _finite(value: object) -> object:
    """``value`` as JSON can hold it: numpy scalars as numbers, nan and inf as None."""
    if isinstance(value, dict):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
