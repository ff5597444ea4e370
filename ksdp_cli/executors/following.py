"""Calls that an executor has taken: wait for them, tell how many have ended, pass a signal on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from typing import TypeVar

from ..base.listener import Listener
from ..errors import Interrupted, ResourceError
from .base import Workers

T = TypeVar("T")
#: Seconds between two looks at signals and at the calls that have ended.
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
) -> list[T]:
    """What ``work`` gives, in order, once all of it has ended. ``before`` of ``what`` were done already.

    ``then`` gives what may begin once a call has ended well, ``total`` how much it will be with that. After an error no
    call is begun, and those that run come to their end; calls that outlive this process are waited for. Raises the
    first error, `ResourceError` where a process was lost, and `Interrupted` on a signal; ``again`` is the advice how to
    go on.
    """
    every = list(work)
    waiting, ended, total = set(every), before, before + len(every) if total is None else total
    signal, error = None, None
    while waiting:
        done, waiting = wait(waiting, LOOK, FIRST_COMPLETED)
        ended += len(done)
        for future in done:
            reason = CancelledError() if future.cancelled() else future.exception()
            if reason is not None and error is None and not isinstance(reason, CancelledError):
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
            executor.ask_to_stop(signal)  # every time: a worker may be new
        if listener.progress:
            listener.progress(what, ended, total, "")
    if signal is not None:
        raise Interrupted(f"stopped by signal {signal}; the states are saved", signal, again)
    if isinstance(error, BrokenExecutor):
        raise ResourceError(f"a worker process was lost: {error}", again) from None
    if error is not None:
        raise error
    return [future.result() for future in every]
