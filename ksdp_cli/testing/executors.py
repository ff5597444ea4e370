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
    with tempfile.TemporaryDirectory() as folder, executor(place, workers) as made:
        require(made.threads is None or made.threads >= 1, f"{name}.threads is {made.threads!r}")
        calls: list[Future[int]] = [made.submit(pow, n, 2) for n in (3, 4, 5, 3)]
        calls.append(made.submit(_raises, "dt = 3", "lower it"))
        made.begin(Path(folder) / "jobs")
        _, late = wait(calls, PATIENCE)
        require(not late, f"{len(late)} calls of {name} have not ended after {PATIENCE:g} s")
        found = [call.result() for call in calls[:-1]]
        require(found == [9, 16, 25, 9], f"{name}: the squares of 3, 4, 5, 3 are {found}")
        error = calls[-1].exception()
        kept = isinstance(error, NumericalError) and (error.message, error.hint) == ("dt = 3", "lower it")
        require(kept, f"{name}: NumericalError('dt = 3', 'lower it') comes back as {error!r}")
        made.ask_to_stop(15)
        made.shutdown(wait=False, cancel_futures=True)
        try:
            late_call = made.submit(pow, 2, 2)
        except RuntimeError:
            return
        made.begin(Path(folder) / "jobs")
        wait([late_call], PATIENCE)
        begun = not late_call.cancelled() and not isinstance(late_call.exception(), CancelledError)
        require(not begun, f"{name} begins a call after shutdown")


def _raises(message: str, hint: str) -> int:
    raise NumericalError(message, hint)
