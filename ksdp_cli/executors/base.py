"""The contract of an executor: an `Executor` of the standard library that also passes signals on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import ClassVar, TypeVar

T = TypeVar("T")

_source: Callable[[], int] = int


def stop_signal() -> int | None:
    """Return the signal that the driver passed on to this process; None without a signal or a driver."""
    return _source() or None


def listen(source: Callable[[], int]) -> None:
    """Make `stop_signal` call ``source``, which returns the number of a signal, or 0.

    An executor calls this function in each of its worker processes.
    """
    global _source
    _source = source


class Workers(Executor):
    """Processes that run calls, on this machine or on others; a context manager.

    A call is a module-level function with arguments that can be pickled. It may run twice, and must then skip finished
    work. If its process is lost, its future ends in `concurrent.futures.BrokenExecutor`, unless the executor runs the
    call again. After ``shutdown(wait=False, cancel_futures=True)`` no new call starts: running calls finish, others are
    cancelled or end in `CancelledError`.
    """

    #: Whether calls go on after the submitting process ends; submitting the same calls again then follows them.
    outlives: ClassVar[bool] = False
    #: Threads that each call may use; None: the worker process decides.
    threads: int | None = None

    @abstractmethod
    def __init__(self, place: str, workers: int | None) -> None:
        """Start the executor. ``place`` is the part of ``NAME:PLACE`` after the colon; ``workers`` is the number of
        calls at once, None: as many as fit. Raises `ConfigError` for an invalid place, `ResourceError` if it does not
        answer."""

    @abstractmethod
    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        """Submit a call, as `concurrent.futures.Executor.submit`."""

    def begin(self, folder: Path) -> None:
        """Note that all calls are submitted, for executors that send them together. Called before the first wait.

        The executor may create ``folder``, which lies beside the output, and removes it after all calls succeed.
        """

    @abstractmethod
    def ask_to_stop(self, number: int) -> None:
        """Make `stop_signal` return ``number`` in every worker process. May be called often, and may do nothing: then
        running calls finish first."""

    def where(self) -> str:
        """Say where the calls run, for an executor whose calls outlive the driver."""
        return ""

    def trouble(self) -> str:
        """Say what may keep the calls from ending, such as a scheduler that does not answer; empty if nothing."""
        return ""

    @abstractmethod
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Shut down, as `concurrent.futures.Executor.shutdown`."""
