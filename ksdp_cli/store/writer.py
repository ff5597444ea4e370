"""Write one case of a store, from any process; after a crash at any moment readers see whole frames only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base import disk
from ..base.outputs import Lock
from ..base.shapes import Cloud
from . import layout
from .layout import Header
from .opening import open_run
from .shards import shard_digests

if TYPE_CHECKING:
    from .durable import StoredArray


def open_framed(path: Path, header: Header) -> dict[str, StoredArray]:
    """Open the arrays of a store that get a file with every frame, to write."""
    from .durable import open_group

    group = open_group(path, write=True)
    # write empty chunks too: a frame of NaN only is data, not a missing file
    written = {"write_empty_chunks": True}
    return {name: group[name].with_config(written) for name in layout.FRAMED if name in layout.arrays(header)}


class CaseWriter:
    """Writes one case of a store that an `Owner` laid out; a context manager.

    ``committed`` is the number of leading frames of the case in the store; ``arrays`` are those of `open_framed`, which
    writers of many cases share. A second writer of the same case waits for
    the first, and then sees its frames committed. If two write at once after all (a file system without locks, a
    process that comes back), both write the same bits under unique names, and the last rename changes nothing.

    A failed write raises `ResourceError` (disk full) or `DataError`; committed frames stay. A call out of order raises
    `ValueError`; a missing store raises `DataError`.
    """

    def __init__(
        self, path: Path, case: int, header: Header | None = None, arrays: dict[str, StoredArray] | None = None
    ) -> None:
        self.path, self.case = path, case
        self.header = header or open_run(path).header
        if not 0 <= case < self.header.case_count:
            raise ValueError(f"case {case} of {self.header.case_count}")
        self.shard = layout.shard_length(self.header.particles)
        self._lock = Lock(path.with_name(f"{path.name}.case-{case}"), wait=True)
        arrays = open_framed(path, self.header) if arrays is None else arrays
        self._position, self._digest = arrays["position"], arrays["digest"]
        self._fields = {name: arrays[name] for name in layout.field_files(path, self.header, case, 0)}
        self._sums: dict[int, np.ndarray] = {}
        self._written: dict[int, np.ndarray] = {}
        self.committed = layout.frames_of(path, self.header, case)

    def __enter__(self) -> CaseWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def write_block(self, k: int, start: int, positions: Cloud) -> None:
        """Write particles from ``start`` on of frame ``k``, (n, d): whole shards, or up to the end; in any order."""
        data = np.ascontiguousarray(positions, np.float32)
        end, total = start + len(data), self.header.particles
        if data.ndim != 2 or data.shape[1] != self.header.dim or start % self.shard or not 0 <= start < end <= total:
            raise ValueError(f"a block {data.shape} at {start} does not fit {total} x {self.header.dim}")
        if end % self.shard and end != total:
            raise ValueError(f"block {start}..{end} is not made of whole shards of {self.shard}")
        if not self.committed <= k < len(self.header.times):
            raise ValueError(f"cannot write frame {k} of case {self.case}: {self.committed} are committed")
        with disk.store_errors(self.path):
            self._position[self.case, k, start:end] = data
        sums, is_written = self._of(k)
        first = start // self.shard
        digests = shard_digests(data, self.shard)
        sums[first : first + len(digests)], is_written[first : first + len(digests)] = digests, True

    def write_field(self, k: int, c: NDArray[np.floating], name: str = "c") -> None:
        """Write the chemical of frame ``k`` on the grid of the store, or its gradient (d, x, y(, z)) as "grad_c"."""
        grid, dim = self.header.grid, self.header.dim
        if grid is None or name not in self._fields or c.shape != (*(() if name == "c" else (dim,)), *grid.shape):
            raise ValueError(f"a field {name} {c.shape} for a store with {grid}")
        if not self.committed <= k < len(self.header.times):
            raise ValueError(f"cannot write field {k} of case {self.case}: {self.committed} are committed")
        data = np.ascontiguousarray(c, np.float32)
        with disk.store_errors(self.path):
            self._fields[name][self.case, k] = data
        sums, is_written = self._of(k)
        place = layout.shard_count(self.header.particles) + list(self._fields).index(name)
        sums[place], is_written[place] = layout.block_digest(data), True

    def write(
        self,
        k: int,
        positions: Cloud,
        c: NDArray[np.floating] | None = None,
        gradient: NDArray[np.floating] | None = None,
        digests: NDArray[np.uint64] | None = None,
    ) -> None:
        """Write and commit frame ``k`` of the case, (J, d), with the chemical if the store has a grid, and its gradient
        (d, x, y(, z)) if that is stored.

        ``digests`` (shards,) are those of `ShardWriter`s which wrote the positions: these are written here only if some
        of the files do not appear.
        """
        if positions.shape != (self.header.particles, self.header.dim):
            raise ValueError(f"a cloud {positions.shape} for {self.header.particles} x {self.header.dim}")
        if c is not None:
            self.write_field(k, c)
        if gradient is not None:
            self.write_field(k, gradient, "grad_c")
        if digests is not None and all(file.exists() for file in self._shards(k)):
            sums, is_written = self._of(k)
            sums[: len(digests)], is_written[: len(digests)] = digests, True
        else:
            self.write_block(k, 0, positions)
        self.commit(k)

    def commit(self, k: int) -> None:
        """Commit frame ``k`` of the case: sync its positions to the disk, then write its file of digests.

        Raises `ValueError` if this writer has not written all of the frame, or an earlier frame is missing.
        """
        if k != self.committed or k not in self._written or not self._written[k].all():
            raise ValueError(f"frame {k} is not whole, or not the next one: {self.committed} frames are committed")
        root, case = self.path, self.case
        with disk.store_errors(root):
            # the store syncs each file before its rename; sync the folders here, positions before digests
            shards = self._shards(k)
            for name, file in layout.field_files(root, self.header, case, k).items():
                disk.sync_up(file, root / name)
            for file in shards[:-1]:
                disk.sync_folder(file.parent)
            disk.sync_up(shards[-1], root / "position")
            self._digest[case, k] = self._sums[k]
            disk.sync_up(layout.digest_file(root, case, k), root / "digest")
        del self._sums[k], self._written[k]
        self.committed = k + 1

    def _shards(self, k: int) -> list[Path]:
        """Return the files of positions of frame ``k``."""
        count = layout.shard_count(self.header.particles)
        return [layout.chunk_file(self.path, "position", self.case, k, n, 0) for n in range(count)]

    def _of(self, k: int) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """Return the digests of frame ``k``, and which of them are set."""
        count = layout.digest_count(self.header)
        return (
            self._sums.setdefault(k, np.zeros(count, np.uint64)),
            self._written.setdefault(k, np.zeros(count, bool)),
        )
