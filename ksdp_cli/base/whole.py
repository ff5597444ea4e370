"""The one body that writes a file whole: its bytes reach the disk before its name does."""

from __future__ import annotations

import contextlib
import itertools
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

_COUNT, HOST = itertools.count(), re.sub(r"[^\w-]", "-", platform.node())[:40]


def temporary_beside(path: Path, ending: str) -> Path:
    """A hidden name beside ``path`` that belongs to this call alone, on any host: .NAME.HOST.PID.COUNT``ending``."""
    return path.with_name(f".{path.name}.{HOST}.{os.getpid()}.{next(_COUNT)}{ending}")


@contextlib.contextmanager
def renamed(temporary: Path, path: Path, previous: Path | None = None) -> Iterator[Path]:
    """Sync and rename ``temporary`` to ``path`` when the block ends; remove it when the block or the system fails.

    ``previous``: the name that the replaced file gets. The folder is not synced: `sync_folder` does that.
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
