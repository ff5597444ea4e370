"""Output of every command: claim the name, write beside it, rename, replace only files that ksdp made.

A name is claimed by a lock on a hidden file beside it, which the system drops with the process, and is then tested:
of two that want one name, the second is told so, or where the name is ksdp's to choose takes the next.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from ..errors import Busy, DataError, ResourceError, Taken
from .whole import renamed, sync_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:
    msvcrt = None  # type: ignore[assignment]

#: Bytes that hidden names beside an output add to its own, at most.
RESERVED, LONGEST = 32, 255
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def reported(path: Path, after: str = "free some, or use -o on another disk") -> Iterator[None]:
    """Convert an `OSError` while writing ``path`` into `ResourceError` (disk full) or `DataError`.

    ``after`` is what to do when there is no room.
    """
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise ResourceError(f"no room to write {path} ({error.strerror})", after) from None
        raise DataError(f"cannot write {path} ({error.strerror or error})", "check the folder, or use -o") from None


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside ``path``; rename it to ``path`` when the block ends, remove it if the block fails."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.ksdp-partial")
    with reported(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with renamed(temporary, path):
            yield temporary
        sync_folder(path.parent)


def require_free(path: Path, overwrite: bool, ours: Callable[[Path], bool], verb: str) -> None:
    """Raise `Taken` when ``path`` is there and may not be replaced, `DataError` when ksdp did not make it.

    ``ours(path)`` tells a file that 'ksdp ``verb``' made.
    """
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise Taken(f"{path} exists", "use --overwrite, or another -o")
    try:
        made_here = path.is_file() and ours(path)
    except Exception:  # the readers of many formats raise many kinds, and all of them mean no
        made_here = False
    if not made_here:
        raise DataError(f"{path} exists and was not made by 'ksdp {verb}'", "move it elsewhere, or use another -o")


def claim(
    path: Path, ours: Callable[[Path], bool], verb: str, *, overwrite: bool = False, also: Sequence[Path] = ()
) -> Lock:
    """The right to write ``path`` and the files ``also`` that go with it; release it, or use it as a context manager.

    Raises `Busy` while another process has it, and as `require_free`.
    """
    with reported(path):
        lock = Lock(path)
        try:
            for file in (path, *also):
                require_free(file, overwrite, ours, verb)
        except BaseException:
            lock.release()
            raise
    return lock


class Lock:
    """One writer a name: an advisory lock on a hidden file beside it, which the system drops with the process.

    With ``wait`` it is waited for. Raises `Busy` naming the process that holds it, `DataError` for a name that leaves
    no room for those beside it or where the file system cannot lock.
    """

    def __init__(self, path: Path, wait: bool = False) -> None:
        length = len(os.fsencode(path.name))
        if length > LONGEST - RESERVED:
            told = f"the name {path.name[:40]}... has {length} bytes, and the files beside it need {RESERVED} more"
            raise DataError(told, f"use -o with {LONGEST - RESERVED} bytes at most")
        self.path = path.with_name(f".{path.name}.ksdp-lock")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            handle = self._opened(path)
            try:
                self._take(handle, path, wait)
                # its last owner may have removed the file between our opening and our locking it
                if self.path.exists() and os.fstat(handle.fileno()).st_ino == self.path.stat().st_ino:
                    handle.truncate(0)
                    handle.write(f"process {os.getpid()} on {platform.node()}")
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

    def _opened(self, path: Path) -> IO[str]:
        try:
            return self.path.open("a+" if fcntl or msvcrt else "x+")
        except FileExistsError:
            hint = f"wait for it; if no ksdp runs, remove {self.path}"
            raise Busy(f"{path} is being written by another process", hint) from None

    @staticmethod
    def holder(path: Path) -> str | None:
        """Who writes ``path``, as ``process 12 on HOST``; None where nobody does. Nothing is locked to find out.

        A process of another machine is believed what its lock says, whether it lives or not.
        """
        try:
            told = path.with_name(f".{path.name}.ksdp-lock").read_text(errors="replace").strip()
        except OSError:  # there is none; or it is locked, on Windows
            return None
        found = re.fullmatch(r"process (\d+) on (.*)", told)
        if not found:
            return None
        return None if found[2] == platform.node() and not alive(int(found[1])) else told

    @staticmethod
    def _take(handle: Any, path: Path, wait: bool) -> None:
        try:
            if fcntl:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            elif msvcrt:
                handle.seek(0)
                msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except (BlockingIOError, PermissionError):
            owner = "another process"
            if fcntl:  # Windows lets nobody read what is locked
                handle.seek(0)
                owner = handle.read().strip() or owner
            raise Busy(f"{path} is being written by {owner}", "wait for it, or use another -o") from None

    def release(self) -> None:
        """Let the next writer in; a second call does nothing."""
        if self._handle is None:
            return
        if os.name == "nt":  # where no open file can be removed
            self._handle.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        self._handle.close()
        self._handle = None


def alive(process: int) -> bool:
    """Whether a process of this machine is there, as far as can be told: Windows has no harmless signal."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True
