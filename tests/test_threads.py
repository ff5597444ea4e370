"""Work shared out over threads: in order, each item once, errors told, and no waiting for a thread that is busy."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.base import threads as limits
from ksdp_cli.base.threads import parallel_map, pool
from ksdp_cli.errors import ConfigError


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_results_in_order_and_every_item_once(count: int, threads: int) -> None:
    seen: list[int] = []

    def square(item: int) -> int:
        seen.append(item)
        return item * item

    assert parallel_map(square, range(count), threads) == [item * item for item in range(count)]
    assert sorted(seen) == list(range(count))


def test_two_threads_work_at_once() -> None:
    meeting = threading.Barrier(2)
    parallel_map(lambda _: meeting.wait(timeout=60), range(2), 2)  # breaks when one has to follow the other


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_task_is_the_caller_s(threads: int) -> None:
    def task(item: int) -> int:
        if item == 7:
            raise ZeroDivisionError("seven")
        return item

    with pytest.raises(ZeroDivisionError, match="seven"):
        parallel_map(task, range(50), threads)
    assert parallel_map(abs, range(-3, 0), threads) == [3, 2, 1]  # the threads live on


def test_the_caller_does_not_wait_for_a_busy_pool() -> None:
    release = threading.Event()
    busy = [pool(3).submit(release.wait, 20) for _ in range(3)]
    try:
        caller = threading.get_ident()
        assert parallel_map(lambda _: threading.get_ident(), range(8), 4) == [caller] * 8
    finally:
        release.set()
        assert all(helper.result() for helper in busy)


def test_the_environment_a_container_and_the_caller_limit_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in limits.LIMITS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(limits, "QUOTAS", ((str(quota),),))

    def count() -> int:
        limits._quota.cache_clear()
        return limits.core_count()

    assert count() == 8
    for text, wanted in (("150000 100000", 2), ("max 100000", 8), ("50000 100000", 1), ("1600000 100000", 8), ("?", 8)):
        quota.write_text(text)
        assert count() == wanted
    for name, text, wanted in (("OMP_NUM_THREADS", "4,2", 4), ("NUMBA_NUM_THREADS", "3", 3), ("KSDP_THREADS", "5", 5)):
        monkeypatch.setenv(name, text)
        assert count() == wanted
    for text in ("many", "0", "-1", ""):
        monkeypatch.setenv("KSDP_THREADS", text)
        assert count() == 3
    with limits.limit_threads(2):
        assert count() == 2
    with pytest.raises(ConfigError, match="threads = 0"), limits.limit_threads(0):
        pass
    assert count() == 3
    limits._quota.cache_clear()


def test_the_engine_takes_the_threads_that_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = []
    for number in (1, 2):
        run = ksdp.simulate(J=200, T=1e-3, dt=1e-3, engine="direct", threads=number, out=tmp_path / f"{number}.zarr")
        assert run.attrs["engine"][0]["threads"] == min(number, limits.core_count())
        frames.append(run.frame())
    assert np.array_equal(*frames)
