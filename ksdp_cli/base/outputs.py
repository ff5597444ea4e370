"""Outputs of every command: claim the name, write beside it, rename; replace only files that ksdp wrote.

A lock on a hidden file beside the output claims its name; the system drops the lock when the process ends. A second
process that wants the same name gets `Busy`; if ksdp chooses the name, it takes the next one.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import platform
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from ..errors import Busy, DataError, ResourceError, Taken
from .namespace import NAMESPACE, process_numbers
from .whole import rename_at_end, sync_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:
    msvcrt = None  # type: ignore[assignment]

#: Most bytes that hidden names beside an output add to its name, and the longest name.
RESERVED, LONGEST = 32, 255
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: End of the hidden names that `write_whole` writes to; the mark in them, short, since names are; a day [s].
UNFINISHED, HERE, DAY = ".ksdp-partial", NAMESPACE[:4], 86400.0


@contextlib.contextmanager
def output_errors(path: Path, after: str = "free some space, or use -o on another disk") -> Iterator[None]:
    """Convert an `OSError` while writing ``path`` into `ResourceError` (disk full) or `DataError`.

    ``after`` is the advice for a full disk.
    """
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise ResourceError(f"no space to write {path} ({error.strerror})", after) from None
        raise DataError(f"cannot write {path} ({error.strerror or error})", "check the folder, or use -o") from None


@contextlib.contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside ``path``; rename it to ``path`` when the block ends, remove it if the block fails.

    First removes the hidden files that killed writers of ``path`` have left.
    """
    temporary = path.with_name(f".{path.name}.{HERE}-{os.getpid()}{UNFINISHED}")
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for file in path.parent.glob(f".{glob.escape(path.name)}.*{UNFINISHED}"):
            writer = file.name.removesuffix(UNFINISHED).rpartition(".")[2].split("-")
            here = writer[0] == HERE and len(writer) == 2 and writer[1].isdecimal()
            if is_abandoned(file, int(writer[1]) if here else None):
                file.unlink(missing_ok=True)
        with rename_at_end(temporary, path):
            yield temporary
        sync_folder(path.parent)


def is_abandoned(file: Path, process: int | None) -> bool:
    """Whether a temporary file has lost its writer, a ``process`` of this `NAMESPACE` or, where None, of another.

    One of another machine or container, or with a number that a new process has got, has not written for a day.
    """
    if process is not None and not alive(process):
        return True
    try:
        return time.time() - file.stat().st_mtime > DAY
    except FileNotFoundError:  # its writer has just given it its name
        return False


def require_free(path: Path, overwrite: bool, ours: Callable[[Path], bool], verb: str) -> None:
    """Raise `Taken` if ``path`` exists and ``overwrite`` is False, `DataError` if 'ksdp ``verb``' did not write it.

    ``ours(path)`` is True for a file that 'ksdp ``verb``' wrote.
    """
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise Taken(f"{path} exists", "use --overwrite, or another -o")
    try:
        is_ours = path.is_file() and ours(path)
    except Exception:  # readers of many formats raise many types; each means that the file is not ours
        is_ours = False
    if not is_ours:
        raise DataError(f"{path} exists, and 'ksdp {verb}' did not write it", "move it elsewhere, or use another -o")


def claim(
    path: Path, ours: Callable[[Path], bool], verb: str, *, overwrite: bool = False, also: Sequence[Path] = ()
) -> Lock:
    """Lock the right to write ``path`` and its companion files ``also``; use the lock as a context manager.

    Raises `Busy` while another process holds the lock, and as `require_free`.
    """
    with output_errors(path):
        lock = Lock(path)
        try:
            for file in (path, *also):
                require_free(file, overwrite, ours, verb)
        except BaseException:
            lock.release()
            raise
    return lock


class Lock:
    """One writer for each name: an advisory lock on a hidden file beside it; it ends with the process.

    With ``wait`` the constructor waits for the lock. Raises `Busy` with the process that holds it, and `DataError` if
    the name is too long for the hidden names or the file system cannot lock.
    """

    def __init__(self, path: Path, wait: bool = False) -> None:
        length = len(os.fsencode(path.name))
        if length > LONGEST - RESERVED:
            message = f"the name {path.name[:40]}... has {length} bytes, and hidden files beside it add {RESERVED}"
            raise DataError(message, f"use -o with at most {LONGEST - RESERVED} bytes")
        self.path = path.with_name(f".{path.name}.ksdp-lock")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            handle = self._open(path)
            try:
                self._take(handle, path, wait)
                # the last owner may have removed the file after we opened it and before we locked it
                if self.path.exists() and os.fstat(handle.fileno()).st_ino == self.path.stat().st_ino:
                    handle.truncate(0)
                    handle.write(f"process {os.getpid()} on {platform.node()}\n{process_numbers()}\n")
                    handle.flush()
                    break
            except BaseException:
                handle.close()
                raise
            handle.close()
        self._handle: Any = handle

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _open(self, path: Path) -> IO[str]:
        try:
            return self.path.open("a+" if fcntl or msvcrt else "x+")
        except FileExistsError:
            hint = f"wait for it; if ksdp is not running, remove {self.path}"
            raise Busy(f"another process is writing {path}", hint) from None

    @staticmethod
    def holder(path: Path) -> str | None:
        """Return who writes ``path``, as ``process 12 on HOST``, or None. Takes no lock.

        A process of another machine or container counts as alive, since this one cannot check.
        """
        try:
            owner, _, names = path.with_name(f".{path.name}.ksdp-lock").read_text(errors="replace").partition("\n")
        except OSError:  # there is no lock; or, on Windows, the file is locked
            return None
        parts = re.fullmatch(r"process (\d+) on (.*)", owner.strip())
        if not parts:
            return None
        # after a new start of the machine its processes are known to be dead; earlier versions wrote no namespace
        here = parts[2] == platform.node() and names.strip() in ("", process_numbers())
        return None if here and not alive(int(parts[1])) else parts[0]

    @staticmethod
    def _take(handle: IO[str], path: Path, wait: bool) -> None:
        try:
            if fcntl:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            elif msvcrt:
                handle.seek(0)
                msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except (BlockingIOError, PermissionError):
            owner = "another process"
            if fcntl:  # on Windows a locked file cannot be read
                handle.seek(0)
                owner = handle.readline().strip() or owner
            raise Busy(f"{path} is being written by {owner}", "wait for it, or use another -o") from None

    def release(self) -> None:
        """Release the lock; a second call does nothing."""
        if self._handle is None:
            return
        if os.name == "nt":  # Windows cannot remove an open file
            self._handle.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        self._handle.close()
        self._handle = None


def alive(process: int) -> bool:
    """Whether a process of this `NAMESPACE` exists. Always True on Windows, which has no signal to test it."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's process
        return True
    return True
