"""Durable writes: a file is on the disk whole, or absent."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ResourceError
from . import outputs
from .outputs import alive
from .whole import HOST, renamed, sync_folder, temporary_beside

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["free_bytes", "leftovers", "link", "put", "reported", "require_room", "sync_folder", "sync_up"]

PARTIAL, DAY = ".partial", 86400.0


def put(file: Path, content: Buffer) -> None:
    """Write ``content`` (bytes-like) to ``file``: its bytes reach the disk before its name does.

    The temporary name belongs to this call alone, on any host, so that two writers of one file do not meet: the last
    rename counts. A crash leaves a file of the kind `leftovers` finds.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with renamed(temporary_beside(file, PARTIAL), file) as temporary, temporary.open("xb") as handle:
        handle.write(content)


def leftovers(folder: Path) -> Iterator[Path]:
    """Temporary files under ``folder`` of killed writers: dead processes of this host, any other host after a day."""
    for file in folder.rglob(f".*{PARTIAL}"):
        *_, host, pid, _, _ = file.name.split(".")
        there = alive(int(pid)) if host == HOST else time.time() - file.stat().st_mtime < DAY
        if not there:
            yield file


def sync_up(file: Path, top: Path) -> None:
    """Sync the folders from that of ``file`` up to ``top``, the innermost first."""
    for folder in file.parents:
        sync_folder(folder)
        if folder == top:
            return


def link(old: Path, new: Path) -> None:
    """Hard-link a file that is never written again, or copy it where the file system has no links."""
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
    old = sum(file.lstat().st_size for file in Path(os.path.realpath(path)).rglob("*")) if replaces else 0
    free = free_bytes(path) + old
    if COMPRESSION * size > free:
        raise ResourceError(
            f"{what} need {size / 1e9:.3g} GB, and the disk of {path} has {free / 1e9:.3g} GB free",
            "free some, or use -o on another disk",
        )


def free_bytes(path: Path) -> int:
    """Bytes that are free on the disk of ``path``, which need not exist."""
    there = Path(os.path.realpath(path))
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def reported(path: Path) -> contextlib.AbstractContextManager[None]:
    """`outputs.reported`, for a store: a run whose disk was full goes on."""
    return outputs.reported(path, "free some, then --resume")
