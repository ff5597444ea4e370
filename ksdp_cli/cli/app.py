"""Where the command ``ksdp`` begins: nothing is imported yet, so that an interruption from now on ends in one line."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Entry point: run the command line and leave with the exit code of the error table."""
    try:
        from .assembly import run

        code = run()
    except KeyboardInterrupt:
        from ._boundary import INTERRUPTED, say

        say("interrupted")
        code = INTERRUPTED
    from . import _boundary

    if _boundary.at_once:  # threads of torch that wait for a lost rank would abort Python as it ends
        _boundary.flush()
        os._exit(code)
    sys.exit(code)


def __getattr__(name: str) -> typer.Typer:
    if name == "app":
        from .assembly import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
