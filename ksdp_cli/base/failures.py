"""Whose code failed: that of ksdp and its libraries, or of a user or a plugin."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Collection
from pathlib import Path

#: Folders of what pip installs.
INSTALLED = {"site-packages", "dist-packages"}


def origin_of(error: BaseException, plugins: Collection[str] = ()) -> str:
    """Return `` in line 12 of /path/flow.py`` for an error that began in code of a user or of ``plugins``, packages by
    name; else nothing. Libraries lie between: what called them is asked."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package == "ksdp_cli":
            break
        if package in plugins or _is_of_user(frame.f_code.co_filename, package):
            return f" in line {line} of {frame.f_code.co_filename}"
    return ""


def _is_of_user(file: str, package: str) -> bool:
    """Whether code is of no library: in a file outside Python and what is installed, or typed by the user."""
    if file.startswith("<"):
        return package == "__main__"  # others are of code that libraries make
    path = Path(file)
    return INSTALLED.isdisjoint(path.parts) and not path.is_relative_to(sysconfig.get_path("stdlib"))
