"""Entry point of ``ksdp``. Imports nothing heavy, so that Ctrl-C during the imports also ends with one line."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ..base.leaving import leave_at_once

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from .assembly import run

        code = run()
    except KeyboardInterrupt:
        from ._boundary import INTERRUPTED, say

        say("interrupted")
        code = INTERRUPTED
    from . import _boundary

    if _boundary.at_once:  # torch's threads that wait for a lost rank would abort Python at its exit
        _boundary.flush()
        os._exit(code)
    leave_at_once()
    sys.exit(code)


def __getattr__(name: str) -> typer.Typer:
    if name == "app":
        from .assembly import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
