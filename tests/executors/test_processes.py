"""Processes of the standard library: a worker that is killed while it waits takes a lock with it."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool

import pytest

from ksdp_cli.executors.processes import Processes


def number_after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def test_calls_after_a_worker_was_lost_end_as_lost() -> None:
    with Processes("", 1) as pool:
        for _ in range(2):  # the second after the pool knows it
            call = pool.submit(os._exit, 1)
            with pytest.raises(BrokenProcessPool):
                call.result(60)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_an_idle_worker_that_is_killed_does_not_hang_the_others() -> None:
    """It held the lock of the queue that the other then waits for; the driver is told, and ends in seconds."""
    pool = Processes("", 2)
    short, long = pool.submit(number_after, 0.5), pool.submit(number_after, 3.0)
    idle = short.result(60)
    time.sleep(0.5)
    os.kill(idle, signal.SIGKILL)
    with pytest.raises(BrokenProcessPool):
        long.result(60)
    began = time.monotonic()
    pool.shutdown(wait=True, cancel_futures=True)
    assert time.monotonic() - began < 20
