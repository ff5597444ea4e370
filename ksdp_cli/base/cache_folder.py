"""The folder of compiled code. Several processes may write to it at once."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path


@functools.cache
def temporary_folder() -> Path:
    """Make a folder for this process; remove it when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="ksdp-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def named_folder() -> Path | None:
    """Return ``KSDP_CACHE_DIR``, else the user's cache folder; it need not exist."""
    name = os.environ.get("KSDP_CACHE_DIR")
    return Path(name) if name else _users()


def cache_folder() -> Path:
    """Return, and create, the first writable folder of `named_folder`, the user's and a temporary one."""
    for folder in (named_folder(), _users()):
        if folder is not None and _writable(folder):
            return folder
    return temporary_folder()


def filled_folder() -> Path | None:
    """Return `named_folder` if it is read-only, as after `ksdp warm-up` in a container image; else None."""
    folder = named_folder()
    return folder if folder is not None and folder != cache_folder() and folder.is_dir() else None


def _users() -> Path | None:
    """Return ``ksdp`` in the user's cache folder; None without a home folder."""
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
