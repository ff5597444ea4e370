"""Wait for the calls of an executor, report progress, pass signals on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from typing import TypeVar

from ..base.listener import Listener
from ..errors import Interrupted, NumericalError, ResourceError
from .base import Workers

T = TypeVar("T")
#: Seconds between two polls of signals and finished calls.
LOOK = 0.2


def follow(
    executor: Workers,
    work: Sequence[Future[T]],
    listener: Listener,
    again: str,
    what: str = "cases",
    before: int = 0,
    total: int | None = None,
    then: Callable[[Future[T]], Iterable[Future[T]]] | None = None,
    apart: bool = False,
) -> list[T]:
    """Wait for all of ``work`` and return the results in order; ``before`` more ``what`` were done earlier.

    ``then(future)`` yields the further calls that a successful call allows, ``total`` counts all calls with those.
    After an error no new call starts and running calls finish; a `NumericalError` of a call that stands ``apart`` stops
    no other. Raises the first error, `ResourceError` if a process was lost, and `Interrupted` on a signal; ``again`` is
    the advice in these errors.
    """
    every = list(work)
    waiting, count, total = set(every), before, before + len(every) if total is None else total
    signal, error, trouble = None, None, ""
    failures = list[NumericalError]()
    while waiting:
        done, waiting = wait(waiting, LOOK, FIRST_COMPLETED)
        done |= {future for future in waiting if future.cancelled()}  # a pool tells nobody of those it cancels
        waiting -= done
        count += len(done)
        for future in done:
            reason = CancelledError() if future.cancelled() else future.exception()
            if apart and isinstance(reason, NumericalError):
                failures.append(reason)
            elif reason is not None and error is None and not isinstance(reason, CancelledError):
                error = reason
                executor.shutdown(wait=False, cancel_futures=True)
            elif reason is None and error is None and signal is None and then:
                new = list(then(future))
                every += new
                waiting |= {*new}
        if signal is None and listener.stop and (signal := listener.stop()) is not None:
            if executor.outlives:
                raise Interrupted(f"stopped by signal {signal}; {executor.where()}", signal, again)
            executor.shutdown(wait=False, cancel_futures=True)
        if signal is not None:
            executor.ask_to_stop(signal)  # at each poll: a worker may be new
        if (now := executor.trouble()) and not trouble and listener.warn:
            listener.warn(now)
        trouble = now
        if listener.progress:
            listener.progress(what, count, total, "")
    if signal is not None:
        raise Interrupted(f"stopped by signal {signal}; the states are saved", signal, again)
    if isinstance(error, BrokenExecutor):
        raise ResourceError(f"a worker process was lost: {error}", again) from None
    if error is not None:
        raise error
    if failures:
        raise first_of(failures, count, what)
    return [future.result() for future in every]


def first_of(failures: Sequence[NumericalError], count: int, what: str = "cases") -> NumericalError:
    """Return the first of the ``failures`` among ``count`` calls that have ended, with how many others have failed."""
    others = f"; {len(failures) - 1} others fail too" if len(failures) > 1 else ""
    done = f"{count - len(failures)} of {count} {what} are done"
    return NumericalError(f"{failures[0].message}{others}; {done}", failures[0].hint)
