"""Run a sweep by each executor: bits, overhead, two workers of one thread against one process of two, random kills.

    python benchmarks/sweep.py [--J 2e4] [--repeats 3] [--kills 0] [--record]

Eight amplitudes of the laminar flow in the plane, tree, 200 steps, 4 frames. ``overhead``: the time of the same sweep
with 10 particles and one step, less that of one process: starting, importing, sending, gathering. Processor seconds
count all processes (the overhead's is a half of them, that of one of two workers) and are less disturbed by other load
than the clock. Rounds take turns, and the least counts. With --kills a random busy worker of each executor gets
SIGKILL at a random moment, that many times; the store after it (Dask), or after the same command with --resume
(others), is compared with the serial one.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, Usage, parser

import ksdp_cli as ksdp
from ksdp_cli.api.case_states import case_states
from ksdp_cli.errors import KsdpError, ResourceError
from ksdp_cli.store import Run

SWEEP: dict[str, Any] = {
    "flow": "laminar2d", "A": [1, 2, 5, 10, 20, 50, 80, 100], "T": 0.02, "dt": 1e-4,
    "snapshots": [0.005, 0.01, 0.015, 0.02], "engine": "tree", "device": "cpu",
}  # fmt: skip
#: Name and arguments.
WAYS: list[tuple[str, dict[str, Any]]] = [
    ("one process, 2 threads", {"threads": 2}),
    ("processes, 2 x 1", {"workers": 2, "executor": "processes", "threads": 2}),
    ("dask, 2 x 1", {"workers": 2, "executor": "dask", "threads": 2}),
    ("slurm:local, 2 x 1", {"workers": 2, "executor": "slurm:local", "threads": 2}),
]


def same(run: Run, other: Run) -> int:
    """How many frames are equal."""
    cases, frames = range(len(other.cases)), range(len(other.times))
    return sum(np.array_equal(run.frame(c, k), other.frame(c, k)) for c in cases for k in frames)


def timed(folder: Path, options: dict[str, Any]) -> tuple[Usage, Run]:
    out = folder / "timed.zarr"
    shutil.rmtree(out, ignore_errors=True)
    began, spent = time.perf_counter(), processor()
    run = ksdp.simulate(**options, out=out)
    return Usage(time.perf_counter() - began, processor() - spent), run


def processor() -> float:
    """Processor seconds of this process and of all that have ended below it."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def measure(folder: Path, particles: int, repeats: int) -> Table:
    columns = ["", "seconds", "processor s", "speed", "frames equal", "overhead, s", "overhead, processor s"]
    table = Table("sweeps/executors", columns, 14)
    empty = SWEEP | {"J": 10, "T": 1e-4, "snapshots": [1e-4], "engine": "direct"}
    serial = ksdp.simulate(**SWEEP, J=particles, out=folder / "serial.zarr")
    ksdp.simulate(**empty, out=folder / "empty.zarr")
    found: dict[str, list[tuple[Usage, Usage, int]]] = {name: [] for name, _ in WAYS}
    for _ in range(repeats):
        for name, how in WAYS:
            nothing, _ = timed(folder, empty | how)
            whole, run = timed(folder, SWEEP | {"J": particles} | how)
            found[name].append((whole, nothing, same(run, serial)))
    total, least = len(serial.cases) * len(serial.times), {name: _least(rows) for name, rows in found.items()}
    alone, bare, _ = least[WAYS[0][0]]
    for name, (whole, nothing, equal) in least.items():
        over = (
            [f"{nothing.wall - bare.wall:.2f}", f"{(nothing.cpu - bare.cpu) / 2:.2f}"] if nothing != bare else ["", ""]
        )
        speed = f"{alone.wall / whole.wall:.2f}"
        table.row(name, f"{whole.wall:.2f}", f"{whole.cpu:.2f}", speed, f"{equal} of {total}", *over)
    return table


def _least(rows: list[tuple[Usage, Usage, int]]) -> tuple[Usage, Usage, int]:
    whole, nothing, equal = zip(*rows, strict=True)
    return _best(whole), _best(nothing), min(equal)


def _best(used: tuple[Usage, ...]) -> Usage:
    return Usage(min(one.wall for one in used), min(one.cpu for one in used))


def kills(folder: Path, count: int, only: str) -> Table:
    """A process at work killed at a random moment of each of ``count`` sweeps an executor."""
    columns = ["", "killed at work", "bit-equal", "unattended", "second call"]
    table = Table("durability/killed-workers", columns, 14)
    options = SWEEP | {"J": 1500, "A": [1, 10, 100], "T": 0.05, "snapshots": "0.005:0.05:10", "engine": "direct"}
    serial = ksdp.simulate(**options, out=folder / "kills.zarr")
    for name, how in (way for way in WAYS[1:] if only in way[0]):
        seconds = _undisturbed(options | how, folder / "whole.zarr")
        hit = equal = alone = again = 0
        for seed in range(count):
            out, killed = folder / f"kill-{seed}.zarr", list[int]()
            killer = threading.Thread(target=_kill, args=(out, seconds, seed, killed))
            killer.start()
            try:
                run = ksdp.simulate(**options, **how, out=out)
                alone += 1
            except ResourceError:
                run = ksdp.simulate(**options, **how, out=out, resume=True)
                again += 1
            killer.join()
            hit += len(killed)
            equal += run.complete and same(run, serial) == len(serial.cases) * len(serial.times)
            shutil.rmtree(out)
        table.row(name, f"{hit} of {count}", f"{equal} of {count}", alone, again)
    return table


def _undisturbed(options: dict[str, Any], out: Path) -> float:
    """Seconds from when a worker begins a case to the end of the sweep."""
    began = list[float]()

    def watch() -> None:
        _at_work(out)
        began.append(time.monotonic())

    watcher = threading.Thread(target=watch)
    watcher.start()
    ksdp.simulate(**options, out=out)
    watcher.join()
    shutil.rmtree(out)
    return time.monotonic() - began[0]


def _kill(store: Path, seconds: float, seed: int, killed: list[int]) -> None:
    """SIGKILL to one of the processes that move a case, in the first 0.8 of all frames, which take ``seconds``.

    First a random number of frames is waited for, so that a machine that is fast or slow for a moment does not count;
    then a random part of a frame's time. The process holds the lock of its case at that moment: it is at work.
    """
    chance = random.Random(seed)
    _at_work(store)
    run = ksdp.open_run(store)
    total = len(run.cases) * len(run.header.times)
    wanted = chance.randrange(int(0.8 * total))
    while sum(run.progress()) < wanted:
        time.sleep(0.005)
    time.sleep(chance.uniform(0.0, 1.0) * seconds / total)
    if found := _at_work(store):
        killed.append(chance.choice(found))
        os.kill(killed[0], signal.SIGKILL)


def _at_work(store: Path) -> list[int]:
    """The processes below this one that move a case of ``store``, once there are any; none once it is complete."""
    ends = time.monotonic() + 600
    while time.monotonic() < ends:
        with contextlib.suppress(KsdpError, OSError):
            run = ksdp.open_run(store)
            words = [word for state in case_states(run) if state.by for word in state.by.split()]
            pids = {int(word) for word in words if word.isdigit()} & _below(os.getpid())
            if pids or run.complete:
                return sorted(pids)
        time.sleep(0.01)
    return []


def _below(pid: int) -> set[int]:
    try:
        texts = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return set()
    children = {int(number) for text in texts for number in text.split()}
    return children | {one for child in children for one in _below(child)}


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--J", type=float, default=2e4)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--kills", type=int, default=0)
    arguments.add_argument("--only", default="", metavar="WORD", help="kill workers of the executors with this name")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        made = kills(place, asked.kills, asked.only) if asked.kills else measure(place, int(asked.J), asked.repeats)
    if asked.record:
        print(made.record())


if __name__ == "__main__":
    main()
