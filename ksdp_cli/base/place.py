"""Where code of a user or of a plugin failed."""

from __future__ import annotations

import sys
import traceback

#: Packages whose frames lie between ksdp and the code that called them.
LIBRARIES = {"numpy", "scipy", "torch", "numba", "xarray", "pandas", "ot", "pydantic"}


def place(error: BaseException) -> str:
    """Return `` in line 12 of /path/flow.py`` for an error that began in code outside ksdp, else nothing."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package == "ksdp_cli":
            break
        if package not in LIBRARIES and package not in sys.stdlib_module_names:
            return f" in line {line} of {frame.f_code.co_filename}"
    return ""
