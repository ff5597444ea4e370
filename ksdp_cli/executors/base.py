"""The contract of an executor: an `Executor` of the standard library that can also pass a signal on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import ClassVar, TypeVar

T = TypeVar("T")

_asked: Callable[[], int] = int


def stop_signal() -> int | None:
    """The signal that the driver has passed on to this process; None where none was, and where there is no driver."""
    return _asked() or None


def listen(asked: Callable[[], int]) -> None:
    """Let `stop_signal` ask ``asked``, which returns the number of a signal, 0 as long as there is none.

    An executor calls it in each process that works for it.
    """
    global _asked
    _asked = asked


class Workers(Executor):
    """Other processes that take calls, on this machine or on others; used as a context manager.

    A call is a function of a module with arguments that can be pickled, and may be made twice: what it does it finds
    done. `submit` hands one out. A future whose process was lost ends in `concurrent.futures.BrokenExecutor`, unless
    the executor makes the call again. After ``shutdown(wait=False, cancel_futures=True)`` no call is begun; those that
    run come to their end, and those that were not begun are cancelled, or end in `CancelledError`.
    """

    #: Whether the calls go on when the process that submitted them ends: they are found again by the same calls.
    outlives: ClassVar[bool] = False
    #: Threads that each call may use; None where the process that works knows better.
    threads: int | None = None

    @abstractmethod
    def __init__(self, place: str, workers: int | None) -> None:
        """``place`` is what stands behind the colon of ``NAME:PLACE``, ``workers`` how many calls run at once; None:
        as many as fit. Raises `ConfigError` for a place that cannot be, `ResourceError` where nobody answers."""

    @abstractmethod
    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        """As of `concurrent.futures.Executor`."""

    def begin(self, folder: Path) -> None:
        """Everything was submitted: called before the first wait, for executors that send calls together. ``folder``
        lies beside the output; the executor may make and use it, and takes it away once every call has ended well."""

    @abstractmethod
    def ask_to_stop(self, number: int) -> None:
        """Make `stop_signal` return ``number`` in every process that works. May be called often, and may do nothing:
        then the calls that run come to their end first."""

    def where(self) -> str:
        """Where the calls are, for people, where they outlive the driver."""
        return ""

    @abstractmethod
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As of `concurrent.futures.Executor`."""
