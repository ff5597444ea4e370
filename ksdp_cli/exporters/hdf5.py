"""A file for HDF5 to write to, whose disk may become full."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path


class _Sink:
    """What h5py needs of a file: it reads, writes, and looks for the end. ``error`` is that of the first failed write,
    of which HDF5 is not told."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w+b", buffering=0)
        self.error: OSError | None = None

    def write(self, data: memoryview) -> int:
        left, place = memoryview(data).cast("B"), self.file.tell()
        end = place + len(left)
        try:
            while left and self.error is None:
                left = left[self.file.write(left) :]
        except OSError as error:
            self.error = error
        if self.error is not None:
            with contextlib.suppress(OSError):  # a hole, so that HDF5 finds the end where it thinks that it is
                self.file.truncate(max(end, os.fstat(self.file.fileno()).st_size))
            self.file.seek(end)
        return len(data)

    def readinto(self, buffer: memoryview) -> int:
        return self.file.readinto(buffer)

    def read(self, size: int = -1) -> bytes:
        return self.file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def truncate(self, size: int | None = None) -> int:
        try:
            return self.file.truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0

    def flush(self) -> None:
        self.file.flush()


@contextlib.contextmanager
def sink(path: Path, progress: Callable[[int], None]) -> Iterator[tuple[_Sink, Callable[[int], None]]]:
    """Yield a new file at ``path`` for h5py, and ``progress`` for its writer.

    HDF5 cannot close a file of which a write has failed, and then ends the process with a fault. So the first error is
    kept, and raised as `OSError` at the next call of ``progress`` or at the end, after HDF5 has closed the file.
    """
    file = _Sink(path)

    def noted(done: int) -> None:
        if file.error:
            raise file.error
        progress(done)

    try:
        yield file, noted
    except Exception:
        if file.error:
            raise file.error from None  # what HDF5 makes of missing bytes tells nothing
        raise
    finally:
        file.file.close()
    if file.error:
        raise file.error
