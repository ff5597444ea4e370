"""Durable writes: after a crash a file is on the disk whole, or absent."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ResourceError
from . import outputs
from .labels import bytes_in_words
from .whole import HOST, rename_at_end, sync_folder, temporary_beside

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["free_bytes", "leftovers", "link", "put", "require_room", "store_errors", "sync_folder", "sync_up"]

PARTIAL = ".partial"


def put(file: Path, content: Buffer) -> None:
    """Write ``content`` (bytes-like) to ``file``: its bytes reach the disk before its name does.

    The temporary name is unique to this call, on any host, so two writers of one file do not collide: the last rename
    wins. A crash leaves a temporary file, which `leftovers` yields.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with rename_at_end(temporary_beside(file, PARTIAL), file) as temporary, temporary.open("xb") as handle:
        handle.write(content)


def leftovers(folder: Path) -> Iterator[Path]:
    """Yield the temporary files of killed writers (`outputs.is_abandoned`)."""
    for file in folder.rglob(f".*{PARTIAL}"):
        *_, host, pid, _, _ = file.name.split(".")
        if outputs.is_abandoned(file, int(pid) if host == HOST else None):
            yield file


def sync_up(file: Path, top: Path) -> None:
    """Sync the folders from the one of ``file`` up to ``top``, innermost first."""
    for folder in file.parents:
        sync_folder(folder)
        if folder == top:
            return


def link(old: Path, new: Path) -> None:
    """Hard-link a file that is never written again; copy it if the file system has no links."""
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)
        with new.open("rb") as handle:
            os.fsync(handle.fileno())


#: Positions on disk take at least this fraction of their size in memory; they hardly compress.
COMPRESSION = 0.9


def require_room(path: Path, size: int, what: str, replaces: bool = False) -> None:
    """Raise `ResourceError` if ``size`` bytes of positions do not fit on the disk of ``path``.

    ``what`` names the data in the message; ``replaces``: the old store at ``path`` is removed first.
    """
    old = sum(file.lstat().st_size for file in Path(os.path.realpath(path)).rglob("*")) if replaces else 0
    free = free_bytes(path) + old
    if COMPRESSION * size > free:
        raise ResourceError(
            f"{what} would take {bytes_in_words(size)}, and the disk of {path} has {bytes_in_words(free)} free",
            "free some space, or use -o on another disk",
        )


def free_bytes(path: Path) -> int:
    """Return the free bytes on the disk of ``path``, which need not exist."""
    folder = Path(os.path.realpath(path))
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def store_errors(path: Path) -> contextlib.AbstractContextManager[None]:
    """`outputs.output_errors`, for a store: after a full disk the run can be resumed."""
    return outputs.output_errors(path, "free some space, then use --resume")
