"""Where compiled code is kept: one folder for all of it, which many processes fill at once."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path


@functools.cache
def temporary_folder() -> Path:
    """One for the process, removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="ksdp-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def named_folder() -> Path | None:
    """``KSDP_CACHE_DIR``, else that of the user; it may not be there."""
    wanted = os.environ.get("KSDP_CACHE_DIR")
    return Path(wanted) if wanted else _users()


def cache_folder() -> Path:
    """The first that can be written, and is made if it has to be, of `named_folder`, the user's and a temporary one."""
    for folder in (named_folder(), _users()):
        if folder is not None and _writable(folder):
            return folder
    return temporary_folder()


def filled_folder() -> Path | None:
    """`named_folder` where it can be read alone: somebody else has filled it, as `ksdp warm-up` does in a container."""
    named = named_folder()
    return named if named is not None and named != cache_folder() and named.is_dir() else None


def _users() -> Path | None:
    """``ksdp`` in the user's cache folder; None where there is no home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ksdp"
    except RuntimeError:
        return None


@functools.cache
def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
