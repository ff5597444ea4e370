"""Progress bars: on a terminal by Rich, in a notebook as an HTML element."""

from __future__ import annotations

import html
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .listener import Progress

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def progress_bar(progress: Progress | bool | None) -> AbstractContextManager[Progress | None]:
    """Return what a verb reports its progress to.

    A callable stays as it is, True gives a bar, False and None give no report.
    """
    if not isinstance(progress, bool):
        return nullcontext(progress)
    if not progress:
        return nullcontext(None)
    display = _notebook()
    return notebook_bar(display) if display else terminal_bar()


@contextmanager
def terminal_bar() -> Iterator[Progress]:
    """Draw a line for each stage of the work on stderr; remove them at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def draw(stage: str, done: int, total: int, note: str = "", /) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total, note=note)
            bar.update(tasks[stage], completed=done, total=total, note=note)

        yield draw


@contextmanager
def notebook_bar(display: ModuleType) -> Iterator[Progress]:
    """Draw the bars in one element of a notebook's output; empty it at the end.

    ``display`` is the module `IPython.display`.
    """
    handle = display.display(display.HTML(""), display_id=True)
    bars: dict[str, str] = {}

    def draw(stage: str, done: int, total: int, note: str = "", /) -> None:
        words = html.escape(f"{stage} {done}/{total} {note}")
        bars[stage] = f'<div><progress value="{done}" max="{max(total, 1)}"></progress> {words}</div>'
        handle.update(display.HTML("".join(bars.values())))

    try:
        yield draw
    finally:
        handle.update(display.HTML(""))


def _notebook() -> ModuleType | None:
    """Return `IPython.display` in the kernel of a notebook, else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    import importlib

    return importlib.import_module("IPython.display")
