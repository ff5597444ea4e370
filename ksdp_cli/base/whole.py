"""Write a file whole: its bytes reach the disk before its name does. All writers use this module."""

from __future__ import annotations

import contextlib
import itertools
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from .namespace import NAMESPACE

_COUNT = itertools.count()
#: The name of this machine, with the mark of where the numbers of its processes hold.
HOST = re.sub(r"[^\w-]", "-", platform.node())[:40] + f"-{NAMESPACE}"


def temporary_beside(path: Path, ending: str) -> Path:
    """Return a hidden name beside ``path``, unique to this call on any host: .NAME.HOST.PID.COUNT``ending``."""
    return path.with_name(f".{path.name}.{HOST}.{os.getpid()}.{next(_COUNT)}{ending}")


@contextlib.contextmanager
def rename_at_end(temporary: Path, path: Path, previous: Path | None = None) -> Iterator[Path]:
    """Sync and rename ``temporary`` to ``path`` when the block ends; remove it if the block or the system fails.

    The old file is renamed to ``previous`` if given. Call `sync_folder` afterwards to sync the folder.
    """
    try:
        yield temporary
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        if previous is not None and path.exists():
            os.replace(path, previous)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk; Windows has no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
