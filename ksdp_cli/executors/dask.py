"""Dask: workers of a local cluster, or of a running scheduler. A call whose worker dies runs again.

The local cluster is Dask's `LocalCluster` on the loopback interface. A worker stores the requests of a sweep by the
sweep's token, since workers may outlive the sweep.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..base.files import read_json
from ..base.libraries import library
from ..base.threads import LIMITS, core_count
from ..errors import ConfigError, ResourceError
from ..plugins import own_version
from .base import Workers, listen
from .environment import blas, for_children, shielded, without_main

if TYPE_CHECKING:
    import distributed

T = TypeVar("T")
#: Seconds within which a scheduler must answer.
PATIENCE = 10.0
#: Settings of the local cluster: a case is one long call, and what Dask samples every 10 to 500 ms takes 5 % of a
#: core from two workers. Nobody reads its pages.
QUIET: dict[str, object] = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.diagnostics.nvml": False,
}
#: Dask sets this variable, and those of `blas`, in this process at each start of a worker, and leaves them behind.
HASH_SEED = {"PYTHONHASHSEED": "6640"}
#: Request to a worker: start no more calls.
CLOSED = -1

#: The latest request of each sweep, by token.
_requests: dict[str, int] = {}
_one_at_a_time = threading.Lock()


class Dask(Workers):
    """``dask``: a new cluster on this machine. ``dask:tcp://HOST:PORT``, ``dask:FILE.json``: the workers of that
    scheduler, or of the one that wrote that file.

    Dask restarts a worker that dies; its case goes on from its checkpoint.
    """

    def __init__(self, place: str, workers: int | None) -> None:
        self._distributed = library("distributed", "executor 'dask'", "dask")
        self._place, self._workers, self._token = place, workers or core_count(), uuid.uuid4().hex
        self._calls: list[tuple[Any, Future[Any]]] = []
        self._closed = False
        self._own = contextlib.ExitStack()
        self._client: Any = self._connect(place) if place else None
        self.threads = None if place else max(1, core_count() // self._workers)

    def _connect(self, place: str) -> distributed.Client:
        """Return a client of the scheduler at ``place``; check the threads and version of its workers."""
        address = _address_in(Path(place)) if place.endswith(".json") else place
        if not re.search(r":\d+$", address):
            raise ConfigError(f"executor 'dask:{place}' has no port", "write dask:tcp://HOST:PORT, or dask:FILE.json")
        try:
            client = self._distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split())
            raise ResourceError(
                f"no Dask scheduler answers at {address}: {reason}", "start one, or correct the address"
            ) from None
        try:
            for worker, threads in client.nthreads().items():
                if threads > 1:
                    raise ConfigError(
                        f"the Dask worker {worker} runs {threads} cases at once", "start it with --nthreads 1"
                    )
            for worker, version in client.run(own_version, on_error="return").items():
                if version != own_version():
                    raise ConfigError(
                        f"the Dask worker {worker} has ksdp {version}, this is {own_version()}",
                        "install one version everywhere",
                    )
        except BaseException:
            client.close()
            raise
        return client

    def _start(self) -> distributed.Client:
        """Start a cluster on this machine and return a client."""
        # a worker reads the limits as any process does
        environment = {name: str(self.threads) for name in LIMITS}
        import dask.config

        # by default workers return freed memory to the system, and fetch it again in the next step: 0.8 of 8 s
        variables = blas(self.threads) | HASH_SEED
        settings = QUIET | {"distributed.nanny.pre-spawn-environ": variables}
        with dask.config.set(settings), for_children(variables) as put_back, shielded(), without_main():
            self._own.callback(put_back)  # a worker that is started again leaves them behind again
            cluster = self._distributed.LocalCluster(
                n_workers=self._workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # the default is port 8787 of every interface
                memory_limit=None,
                silence_logs=logging.CRITICAL,
                env=environment,
                preload=["ksdp_cli.executors.dask_worker"],
            )
            self._own.callback(cluster.close)
        return self._distributed.Client(cluster, set_as_default=False)

    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        if self._closed:
            raise RuntimeError("the executor is shut down and accepts no calls")
        if self._client is None:
            self._client = self._start()
        ours = Future[T]()
        theirs = self._client.submit(_call, self._token, fn, args, kwargs, pure=False)
        self._calls.append((theirs, ours))  # Dask cancels a call when its future is garbage-collected
        theirs.add_done_callback(lambda done: _pass_on(done, ours))
        return ours

    def ask_to_stop(self, number: int) -> None:
        if self._client is not None:
            with contextlib.suppress(OSError, TimeoutError):  # ignore workers that are gone
                self._client.run(_tell, self._token, number, on_error="ignore")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._closed = True
        if cancel_futures:
            self.ask_to_stop(CLOSED)
        if not wait or self._client is None:
            return
        for _, ours in self._calls:
            with contextlib.suppress(Exception, CancelledError):
                ours.exception()
        if self._place:
            self.ask_to_stop(0)  # drop the requests
        self._client.close()
        self._own.close()
        self._client = None


def _address_in(file: Path) -> str:
    """Return the address in the file of a scheduler; Dask itself would wait for the file without end."""
    try:
        return str(read_json(file)["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no address"
        raise ResourceError(
            f"cannot read the Dask scheduler's file {file}: {reason}", "start one with --scheduler-file, or correct it"
        ) from None


def _pass_on(theirs: distributed.Future, ours: Future[T]) -> None:
    """Copy the outcome of Dask's future to that of the standard library."""
    from distributed.scheduler import KilledWorker

    if theirs.cancelled():  # not by us
        ours.set_exception(BrokenExecutor("the Dask scheduler is gone"))
    elif (error := theirs.exception()) is None:
        ours.set_result(theirs.result())
    elif isinstance(error, KilledWorker):
        ours.set_exception(BrokenExecutor("its Dask workers died repeatedly"))
    else:
        ours.set_exception(error)


def _call(token: str, fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
    """In a worker: run the call, one at a time, unless its sweep has been asked to stop."""
    with _one_at_a_time:
        if _requests.get(token):
            raise CancelledError
        listen(lambda: max(0, _requests.get(token, 0)))
        return fn(*args, **kwargs)


def _tell(token: str, number: int) -> None:
    """In a worker: store the driver's request; 0 removes it. A signal has priority over `CLOSED`."""
    if number:
        _requests[token] = max(number, _requests.get(token, number))
    else:
        _requests.pop(token, None)
