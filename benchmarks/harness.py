"""Shared by the benchmarks: timing, processes, and tables that are printed and recorded as data.

A recorded table is ``benchmarks/results/PAGE/NAME.json``: command, commit, date, machine, columns, rows. The pages of
``docs/results`` are rendered from them (``benchmarks/pages.py``). No table is written by hand. Tables with ``copied``
are older than `Table`: their rows were copied from the command's output. Tables of ``docs/decisions`` are history.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
#: The command line of this environment, whether or not its folder is on the path.
KSDP = (sys.executable, "-m", "ksdp_cli")
# Commands are timed as users have them, with byte code.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


class Usage(NamedTuple):
    """Cost of a call or a process: wall and processor seconds of all its threads, and largest memory [GiB]."""

    wall: float
    cpu: float
    memory: float = 0.0


def process(command: Sequence[str | Path], **options: Any) -> Usage:
    """Run a whole process and wait for it. ``options`` go to `subprocess.Popen`. Raises `SystemExit` if it fails."""
    words = [str(word) for word in command]
    began = time.perf_counter()
    child = subprocess.Popen(words, **({"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options))
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{shlex.join(words)} ended with status {child.returncode}")
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return Usage(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


def in_turns(calls: Sequence[Callable[[], Any]], repeats: int) -> list[Usage]:
    """The least wall time, and processor time of this process, of each call; one round first that does not count."""
    spent: list[list[Usage]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(repeats):
        for call, times in zip(calls, spent, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            times.append(Usage(time.perf_counter() - wall, time.process_time() - cpu))
    return [Usage(min(one.wall for one in times), min(one.cpu for one in times)) for times in spent]


def best_of(call: Callable[[], Any], repeats: int) -> Usage:
    """`in_turns` of one call."""
    return in_turns([call], repeats)[0]


class Table:
    """A table under ``name`` (PAGE/NAME) that is printed row by row; `record` writes it beside the others."""

    def __init__(self, name: str, columns: Sequence[str], width: int = 11) -> None:
        self.name, self.columns, self.width = name, list(columns), width
        self.rows: list[list[str]] = []
        self._print(self.columns)

    def row(self, *cells: object) -> None:
        """Print and keep a row; None is an empty cell."""
        self.rows.append(["" if cell is None else str(cell) for cell in cells])
        self._print(self.rows[-1])

    def record(self) -> Path:
        """Write the table with the command, commit, date and machine of this run."""
        command = ["python", f"benchmarks/{Path(sys.argv[0]).name}", *(w for w in sys.argv[1:] if w != "--record")]
        return write(self.name, shlex.join(command), self.columns, self.rows)

    def _print(self, cells: list[str]) -> None:
        first, *rest = cells
        print(f"{first:34}" + "".join(f" {cell:>{self.width}}" for cell in rest), flush=True)


def write(
    name: str, command: str, columns: list[str], rows: list[list[str]], recorded: dict[str, str] | None = None
) -> Path:
    """Write a table of display strings as data; one line a row, so that a change of a figure shows as one line.

    ``recorded`` is commit and date of the run, by default the commit at its start and today.
    """
    head = {
        "command": command,
        "recorded": recorded or {"commit": BEGUN, "date": datetime.date.today().isoformat()},
        "machine": machine(),
        "columns": columns,
    }
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(head, ensure_ascii=False, indent=1)[:-2] + f',\n "rows": [\n{lines}\n ]\n}}\n')
    return path


def commit() -> str:
    """The commit that is checked out, with a + when files differ from it."""
    try:
        short = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
        clean = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "ksdp_cli"], cwd=ROOT, capture_output=True)
    except FileNotFoundError:
        return "unknown"
    return short.stdout.strip() + ("+" if clean.returncode else "")


#: The code that a benchmark has imported, which may be another one by the time it ends.
BEGUN = commit()


def machine() -> str:
    """Cores, processor and Python, in words."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {model}, Python {platform.python_version()}"


def parser(doc: str | None) -> argparse.ArgumentParser:
    """The parser of a benchmark: its docstring as help, and ``--record``."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--record", action="store_true", help="write the table to benchmarks/results, for docs/results")
    return made
