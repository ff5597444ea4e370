"""The contract of an executor, `ksdp_cli.executors.base.Workers`."""

from __future__ import annotations

import tempfile
from concurrent.futures import CancelledError, Future, wait
from pathlib import Path

from ..errors import NumericalError
from ..executors.base import Workers
from .contract import name_of, require

#: Seconds within which a call of nothing at all must have ended: queues of clusters are for users, not for tests.
PATIENCE = 120.0


def check_executor(executor: type[object], place: str = "", workers: int = 2) -> None:
    """Check the class of an executor at a ``place``: it starts processes there, and ends them.

    Calls give what their functions give, in the order of their futures; an error of ksdp's comes back as it was raised,
    with its hint; a call that is made twice is made; being asked to stop does no harm, and nothing is begun after
    ``shutdown``.

    Raises `AssertionError`.
    """
    name = name_of(executor)
    require(isinstance(executor, type) and issubclass(executor, Workers), f"{name} does not derive from Workers")
    assert issubclass(executor, Workers)
    with tempfile.TemporaryDirectory() as folder, executor(place, workers) as pool:
        require(pool.threads is None or pool.threads >= 1, f"{name}.threads is {pool.threads!r}")
        calls: list[Future[int]] = [pool.submit(pow, n, 2) for n in (3, 4, 5, 3)]
        calls.append(pool.submit(_raises, "dt = 3", "lower it"))
        pool.begin(Path(folder) / "jobs")
        _, late = wait(calls, PATIENCE)
        require(not late, f"{len(late)} calls of {name} have not ended after {PATIENCE:g} s")
        results = [call.result() for call in calls[:-1]]
        require(results == [9, 16, 25, 9], f"{name}: the squares of 3, 4, 5, 3 are {results}")
        error = calls[-1].exception()
        has_message = isinstance(error, NumericalError) and (error.message, error.hint) == ("dt = 3", "lower it")
        require(has_message, f"{name}: NumericalError('dt = 3', 'lower it') comes back as {error!r}")
        pool.ask_to_stop(15)
        pool.shutdown(wait=False, cancel_futures=True)
        try:
            late_call = pool.submit(pow, 2, 2)
        except RuntimeError:
            return
        pool.begin(Path(folder) / "jobs")
        wait([late_call], PATIENCE)
        has_begun = not late_call.cancelled() and not isinstance(late_call.exception(), CancelledError)
        require(not has_begun, f"{name} begins a call after shutdown")


def _raises(message: str, hint: str) -> int:
    raise NumericalError(message, hint)
