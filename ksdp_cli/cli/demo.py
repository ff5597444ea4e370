"""``ksdp demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..base.signals import graceful
from . import _options as o
from . import _render

SUMMARY = "The main task in half a minute, into runs/demo."
EXAMPLE = "Example: ksdp demo runs/demo"


def register(app: typer.Typer) -> None:
    app.command(epilog=EXAMPLE, short_help=SUMMARY)(demo)


def demo(
    folder: Annotated[
        Path, typer.Argument(help="Where stores, the model and pictures go. Default runs/demo.", show_default=False)
    ] = Path("runs/demo"),
    as_json: o.Json = False,
) -> None:
    """Run the main task in half a minute: simulate a laminar flow at 11 amplitudes, train, generate at two new ones.

    At the first run, compilation takes the same time again."""
    from ..experiments.demonstrating import demonstrate

    with graceful() as stop, _render.progress("demo") as progress:
        result = demonstrate(folder, progress=progress, stop=stop)
    columns = ["A", "W2^2 (N = 2000)", "noise floor", "excess", "95 % interval", "verdict"]
    rows = []
    for one in result.compared:
        c = one.comparison
        interval = f"[{c.excess_low:.4f}, {c.excess_high:.4f}]"
        rows.append([one.parameters["A"], c.w2_squared, c.floor, c.excess, interval, c.verdict])
    times = [[name, seconds] for name, seconds in result.seconds.items()]
    files = [["pictures", ", ".join(str(path) for path in result.pictures)], ["everything", str(result.folder)]]
    _render.emit(
        result.as_dict(),
        as_json,
        ("Generated against freshly simulated clouds, exact squared W2", columns, rows),
        ("Time", ["stage", "seconds"], times),
        ("Files", ["", ""], files),
    )
