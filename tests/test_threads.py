"""Work shared out over threads: in order, each item once, errors told, and no waiting for a thread that is busy."""

from __future__ import annotations

import threading

import pytest

from ksdp_cli.base.threads import pool, spread


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_results_in_order_and_every_item_once(count: int, threads: int) -> None:
    seen: list[int] = []

    def square(item: int) -> int:
        seen.append(item)
        return item * item

    assert spread(square, range(count), threads) == [item * item for item in range(count)]
    assert sorted(seen) == list(range(count))


def test_two_threads_work_at_once() -> None:
    meeting = threading.Barrier(2)
    spread(lambda _: meeting.wait(timeout=20), range(2), 2)  # breaks when one has to follow the other


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_task_is_the_caller_s(threads: int) -> None:
    def task(item: int) -> int:
        if item == 7:
            raise ZeroDivisionError("seven")
        return item

    with pytest.raises(ZeroDivisionError, match="seven"):
        spread(task, range(50), threads)
    assert spread(abs, range(-3, 0), threads) == [3, 2, 1]  # the threads live on


def test_the_caller_does_not_wait_for_a_busy_pool() -> None:
    release = threading.Event()
    busy = [pool(3).submit(release.wait, 20) for _ in range(3)]
    try:
        caller = threading.get_ident()
        assert spread(lambda _: threading.get_ident(), range(8), 4) == [caller] * 8
    finally:
        release.set()
        assert all(helper.result() for helper in busy)
