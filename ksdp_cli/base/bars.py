"""A bar that shows how far work is: on a terminal by Rich, in a notebook as an element of the page."""

from __future__ import annotations

import html
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from .listener import Progress

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def drawn(progress: Progress | bool | None) -> AbstractContextManager[Progress | None]:
    """What a verb reports to: the caller's own, a bar where it is True, nobody where it is False or None."""
    if not isinstance(progress, bool):
        return nullcontext(progress)
    if not progress:
        return nullcontext(None)
    display = _notebook()
    return notebook_bar(display) if display else terminal_bar()


@contextmanager
def terminal_bar() -> Iterator[Progress]:
    """A line for each stage of the work on stderr, gone when it ends."""
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
def notebook_bar(display: Any) -> Iterator[Progress]:
    """One element of a notebook's output, rewritten as the work goes on and empty when it ends.

    ``display`` is IPython's module of that name.
    """
    handle = display.display(display.HTML(""), display_id=True)
    shown: dict[str, str] = {}

    def draw(stage: str, done: int, total: int, note: str = "", /) -> None:
        words = html.escape(f"{stage} {done}/{total} {note}")
        shown[stage] = f'<div><progress value="{done}" max="{max(total, 1)}"></progress> {words}</div>'
        handle.update(display.HTML("".join(shown.values())))

    try:
        yield draw
    finally:
        handle.update(display.HTML(""))


def _notebook() -> Any:
    """IPython's display in the kernel of a notebook, else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    import importlib

    return importlib.import_module("IPython.display")
