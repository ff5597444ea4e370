"""Print tables on stdout and progress on stderr."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ..base import labels
from ..base.files import printable
from ..base.listener import Progress
from ._boundary import LOG, say

#: Width of tables written to a pipe or a file.
PIPED = 140


def emit(
    document: Mapping[str, object],
    as_json: bool,
    *tables: tuple[str, Sequence[str], Sequence[Sequence[object]]],
    width: int = PIPED,
) -> None:
    """Print the result: one JSON document, or tables (title, columns, rows) of the terminal's width, else ``width``."""
    if as_json:
        print(json.dumps(document, indent=2, default=_plain, allow_nan=False))
        return
    if sys.stdout is None:  # closed by the parent process
        return
    from .tables import text_table

    width = terminal_width() or width
    for title, columns, rows in tables:
        print(
            text_table(
                cell(title), [cell(name) for name in columns], [[cell(one) for one in row] for row in rows], width
            )
        )


def terminal_width() -> int | None:
    """Return the width of the terminal on stdout, or COLUMNS; None without either."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None


def cell(value: object) -> str:
    """Format a table cell; show control characters as escapes."""
    return printable(labels.cell(value))


def _plain(value: object) -> object:
    """Convert NumPy scalars, arrays and paths to JSON types."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


#: Seconds between two lines of progress in a log.
LINE_SECONDS = 10.0


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """Yield a callback ``(stage, done, total, note)`` that draws a bar on a terminal, or a line every 10 s in a log."""
    if not LOG.isEnabledFor(logging.INFO):
        yield lambda *_: None
        return
    if sys.stderr is not None and sys.stderr.isatty():
        from ..base.bars import terminal_bar

        with terminal_bar() as draw:
            yield draw
        return
    last = time.monotonic()

    def line(stage: str, done: int, total: int, note: str = "") -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            say(f"{label}: {stage} {done}/{total} {note}".rstrip())

    yield line
