"""Processes of the standard library: a worker that is killed while it waits takes a lock with it."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from ksdp_cli.executors.processes import Processes


def number_when(there: Path, made: Path | None = None) -> int:
    """The number of this process once a file is ``there``; before it waits it makes another."""
    if made:
        made.touch()
    while not there.exists():
        time.sleep(0.01)
    return os.getpid()


def test_calls_after_a_worker_was_lost_end_as_lost() -> None:
    with Processes("", 1) as pool:
        for _ in range(2):  # the second after the pool knows it
            call = pool.submit(os._exit, 1)
            with pytest.raises(BrokenProcessPool):
                call.result(300)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_an_idle_worker_that_is_killed_does_not_hang_the_others(tmp_path: Path) -> None:
    """It held the lock of the queue that the other then waits for; the driver is told, and ends in seconds."""
    begun, end = tmp_path / "begun", tmp_path / "end"
    pool = Processes("", 2)
    long, short = pool.submit(number_when, end, begun), pool.submit(number_when, begun)
    idle = short.result(300)
    lock = pool._pool._call_queue._rlock  # type: ignore[attr-defined]
    while lock.acquire(block=False):  # until the idle one has it: the other reads its next call no earlier than it ends
        lock.release()
        time.sleep(0.01)
    os.kill(idle, signal.SIGKILL)
    with pytest.raises(BrokenProcessPool):
        long.result(300)
    end.touch()
    began = time.monotonic()
    pool.shutdown(wait=True, cancel_futures=True)
    assert time.monotonic() - began < 100
