"""Writing so that a file is either whole on the disk or not there, and the lock that keeps writers apart."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import DataError, ResourceError


def put(file: Path, content: Any) -> None:
    """Write ``content`` (bytes-like) to ``file``: its bytes reach the disk before its name does.

    The temporary name is always the same, so that a crash leaves nothing that the next writer does not overwrite.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(file.name + ".partial")
    with temporary.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, file)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def link(old: Path, new: Path) -> None:
    """A second name for a file that is never written again, or a copy where the file system has no links."""
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)
        with new.open("rb") as handle:
            os.fsync(handle.fileno())


#: Stored positions are at least this part of their size in memory; they hardly compress.
COMPRESSION = 0.9


def require_room(path: Path, size: int, what: str, replaces: bool = False) -> None:
    """Raise `ResourceError` before the first byte when ``size`` bytes of positions cannot fit on the disk of ``path``.

    ``what`` says what they are for; ``replaces`` that the store which is there goes first.
    """
    there = Path(os.path.realpath(path))
    old = sum(file.lstat().st_size for file in there.rglob("*")) if replaces else 0
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free + old
    if COMPRESSION * size > free:
        raise ResourceError(
            f"{what} need {size / 1e9:.3g} GB, and the disk of {path} has {free / 1e9:.3g} GB free",
            "free some, or use -o on another disk",
        )


@contextlib.contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn a refusal by the system while ``path`` is written into `ResourceError` (no room) or `DataError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ResourceError(f"no room to write {path} ({error.strerror})", "free some, then --resume") from None
        raise DataError(f"cannot write {path} ({error.strerror or error})", "check the folder, or use -o") from None


class Lock:
    """One writer a store: an advisory lock on a hidden file beside it, which the system drops with the process.

    Raises `DataError` naming the process that holds it, or where the file system cannot lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f".{path.name}.ksdp-lock")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            handle = self.path.open("a+")
            try:
                self._take(handle, path)
            except BaseException:
                handle.close()
                raise
            # its last owner may have removed the file between our opening and our locking it
            if self.path.exists() and os.fstat(handle.fileno()).st_ino == self.path.stat().st_ino:
                break
            handle.close()
        self._handle: Any = handle
        handle.truncate(0)
        handle.write(f"process {os.getpid()}")
        handle.flush()

    @staticmethod
    def _take(handle: Any, path: Path) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            owner = handle.read().strip() or "another process"
            raise DataError(f"{path} is being written by {owner}", "wait for it, or use another -o") from None

    def release(self) -> None:
        """Let the next writer in; a second call does nothing."""
        if self._handle is not None:
            self.path.unlink(missing_ok=True)
            self._handle.close()
            self._handle = None
