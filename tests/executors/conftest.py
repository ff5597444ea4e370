"""A sweep whose store every executor must make, to the bit."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.store import Run

OPTIONS: dict[str, Any] = {
    "flow": "laminar2d", "A": [1, 10, 100], "J": 200, "dt": 1e-3, "T": 0.02, "snapshots": [0, 0.01, 0.02],
    "engine": "direct", "device": "cpu",
}  # fmt: skip
#: Cases that take long enough for a worker to be killed in the middle, and no longer.
LONG = OPTIONS | {"J": 1000, "T": 0.1, "snapshots": [0, 0.05, 0.1]}


@pytest.fixture(scope="session")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ksdp.simulate(**OPTIONS, out=tmp_path_factory.mktemp("serial") / "a.zarr")


@pytest.fixture(scope="session")
def long_serial(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ksdp.simulate(**LONG, out=tmp_path_factory.mktemp("serial") / "a.zarr")


def same(run: Run, other: Run) -> bool:
    """The same frames in every case, and the same facts."""
    cases, frames = range(len(other.cases)), range(len(other.times))
    equal = all(np.array_equal(run.frame(c, k), other.frame(c, k)) for c in cases for k in frames)
    return run.complete and equal and all(run.attrs[name] == other.attrs[name] for name in ("steps", "config"))


def begun(store: Path) -> bool:
    """Whether any case has its first frame."""
    return any((store / "digest" / "c").glob("*/0/0"))


def kill_one(store: Path, word: str, seed: int, after: Callable[[], bool]) -> threading.Thread:
    """Kill a process below this one whose command has ``word`` in it, some time after a case of ``store`` has begun."""
    chance = random.Random(seed)

    def work() -> None:
        ends = time.monotonic() + 120
        while not after() and time.monotonic() < ends:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 0.5))
        found = sorted(pid for pid in below(os.getpid()) if word in command(pid))
        if found:
            os.kill(chance.choice(found), signal.SIGKILL)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def below(pid: int) -> set[int]:
    """All processes that descend from ``pid``."""
    found = set[int]()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = {int(text) for text in task.read_text().split()}
        except OSError:
            continue
        found |= children | {one for child in children for one in below(child)}
    return found


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
