"""Tables on stdout, progress on stderr: the only module of the command line that draws."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..base import labels
from ..base.files import JsonDict, shown
from ._boundary import say


def emit(
    document: JsonDict,
    as_json: bool,
    *tables: tuple[str, Sequence[str], Sequence[Sequence[Any]]],
    width: int = 140,
) -> None:
    """The result: one JSON document, or tables of (title, columns, rows), ``width`` columns wide where no terminal says
    how wide it is."""
    if as_json:
        print(json.dumps(document, indent=2, default=_plain, allow_nan=False))
        return
    if sys.stdout is None:  # closed by whoever started us
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    class Ours(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # for the boundary, which knows that nothing went wrong

    console = Ours(width=None if sys.stdout.isatty() else width, highlight=False)
    for title, columns, rows in tables:
        table = Table(title=cell(title), box=box.SIMPLE_HEAD, title_justify="left", show_header=any(columns))
        for name in columns:
            table.add_column(cell(name), overflow="fold")
        for row in rows:
            table.add_row(*(cell(value) for value in row))
        console.print(table)


def cell(value: object) -> str:
    """A table cell whose brackets are text, never markup."""
    from rich.markup import escape

    return escape(shown(labels.cell(value)))


def _plain(value: object) -> Any:
    """NumPy scalars, arrays and paths as JSON."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


#: Between two lines of progress in a log.
LINE_SECONDS = 10.0


@contextmanager
def progress(label: str) -> Iterator[Any]:
    """A callback ``(stage, done, total, note)`` that draws a bar on a terminal and a line now and then in a log."""
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
            say(f"ksdp: {label}: {stage} {done}/{total} {note}".rstrip())

    yield line
