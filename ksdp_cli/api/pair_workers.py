"""Distances of a comparison by other processes: each pair of sub-samples a call that finds what is done.

The clouds go by files of a folder that all of them see, named by what is in it, so that a call that outlives the
comparison is found by the same command. Values and potentials come back by files too, with the bits of this process.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import executors, plugins
from ..base.listener import Listener, Stop
from ..base.outputs import Lock, write_whole
from ..base.signals import graceful
from ..base.threads import limit_threads
from ..errors import DataError
from ..executors import Workers
from ..metrics.base import Distance, Transport
from ..metrics.solving import Pair, Take, solve_by_threads
from . import paths

#: Seconds, by the metric's own account, below which the threads of this process are as fast.
WORTH = 2.0
CLOUDS = ("cloud", "reference", "second")


class PairWorkers:
    """A `Solver` by an executor; used as a context manager."""

    def __init__(self, executor: str, workers: int | None, listener: Listener) -> None:
        self._open: Callable[[], Workers] = partial(executors.open_executor, executor, workers)
        self._listener = listener
        self._pool: Workers | None = self._open()  # what cannot be is refused at once
        self._local = not self._pool.outlives and not executors.place_of(executor)

    def __enter__(self) -> PairWorkers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=error is not None)

    def __call__(self, metric: Distance, take: Take, pairs: Sequence[Pair]) -> Iterator[Transport]:
        seconds, _ = metric.cost(len(take(pairs[0][0])), len(pairs))
        if seconds < WORTH or not _importable(metric):
            yield from solve_by_threads(metric, take, pairs)
            return
        files = _files_of(metric, take, pairs)
        with self._folder(f"compare-{_digest(files)}") as folder:
            for name, array in files.items():
                _save(folder / name, array)
            self._solve(folder, len(pairs))
            yield from (_read(folder / f"found-{number}.npz") for number in range(len(pairs)))

    @contextmanager
    def _folder(self, name: str) -> Iterator[Path]:
        """Yield a folder of ./runs that is this comparison's alone, and remove it unless the block fails.

        Where ./runs cannot be written, processes of this machine use a temporary folder, of which nothing is kept.
        """
        folder = paths.RUNS.absolute() / name
        try:
            lock = Lock(folder, wait=True)  # an equal comparison may be running
        except OSError as error:
            if not self._local:
                reason = f"cannot write {folder.parent} ({error.strerror or error})"
                raise DataError(reason, "work in a folder that can be written and that all workers see") from None
            with TemporaryDirectory(prefix="ksdp-compare-") as temporary:
                yield Path(temporary)
            return
        with lock:
            folder.mkdir(exist_ok=True)
            yield folder
            shutil.rmtree(folder)

    def _solve(self, folder: Path, count: int) -> None:
        """Have every pair of ``folder`` solved. The folder stays on an error: what is done counts."""
        pool, self._pool = self._pool or self._open(), None
        try:
            left = [number for number in range(count) if not (folder / f"found-{number}.npz").exists()]
            work = [pool.submit(solve, str(folder), number, pool.threads) for number in left]
            pool.begin(folder / "jobs")
            again = "repeat the command to continue"
            with _stop_or_sigterm() as stop:
                listener = replace(self._listener, stop=self._listener.stop or stop)
                executors.follow(pool, work, listener, again, "distances", count - len(left))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        if pool.outlives:  # takes its calls together, once
            pool.shutdown()
        else:
            self._pool = pool


@contextmanager
def _stop_or_sigterm() -> Iterator[Stop | None]:
    """Yield a flag set by SIGTERM, so that workers are told of the end; None outside the main thread, and if the
    program handles SIGTERM itself. Ctrl-C needs none: it raises here, and workers ignore it."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield None
        return
    with graceful(signal.SIGTERM) as flag:
        yield flag


def solve(folder: str, number: int, threads: int | None) -> None:
    """The distance of pair ``number`` of a folder, in any process."""
    place = Path(folder)
    metric = _metric(place)
    first, second = np.load(place / "pairs.npy")[number]
    with limit_threads(threads):
        result = metric.transport(*(np.load(place / f"sample-{one}.npy") for one in (first, second)))
    x_and_y = dict(zip("xy", result.potentials or (), strict=False))
    _save(place / f"found-{number}.npz", {"value": np.asarray(result.value)} | x_and_y)


def _files_of(metric: Distance, take: Take, pairs: Sequence[Pair]) -> dict[str, NDArray[np.generic]]:
    """What the files of a folder hold, by name."""
    kind = type(metric)
    options = {"seed": metric.seed, "n": metric.n, "repeats": metric.repeats}
    options |= {name: value for name in ("estimator",) if (value := getattr(metric, name, None)) is not None}
    made_by = {"version": plugins.own_version(), "source": _source(kind.__module__)}  # not read: others' are not found
    about = json.dumps({"module": kind.__module__, "name": kind.__qualname__, "options": options} | made_by)
    files: dict[str, NDArray[np.generic]] = {
        "metric.npy": np.frombuffer(about.encode(), np.uint8),
        "pairs.npy": np.array(pairs),
    }
    files |= {f"{name}.npy": cloud for name, cloud in zip(CLOUDS, metric.clouds, strict=False)}
    return files | {f"sample-{number}.npy": take(number) for number in sorted({one for pair in pairs for one in pair})}


def _metric(place: Path) -> Distance:
    about = json.loads(np.load(place / "metric.npy").tobytes())
    kind = getattr(importlib.import_module(about["module"]), about["name"])
    clouds = [np.load(file) for name in CLOUDS if (file := place / f"{name}.npy").exists()]
    metric: Distance = kind(*clouds, **about["options"])
    return metric


def _importable(metric: Distance) -> bool:
    """Whether another process finds the class of ``metric``."""
    kind = type(metric)
    return kind.__module__ != "__main__" and getattr(importlib.import_module(kind.__module__), kind.__name__, 0) is kind


def _source(module: str) -> str:
    """The digest of a module's source; empty where it has none."""
    try:
        return hashlib.sha256(inspect.getsource(importlib.import_module(module)).encode()).hexdigest()
    except (OSError, TypeError):
        return ""


def _digest(files: dict[str, NDArray[np.generic]]) -> str:
    digest = hashlib.sha256()
    for name, array in files.items():
        digest.update(f"{name} {array.shape} {array.dtype}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _save(file: Path, arrays: NDArray[np.generic] | Mapping[str, NDArray[np.generic] | np.generic]) -> None:
    with write_whole(file) as temporary, open(temporary, "wb") as handle:
        if isinstance(arrays, np.ndarray):
            np.save(handle, arrays)
            return
        entries: dict[str, Any] = dict(arrays)
        np.savez(handle, **entries)


def _read(file: Path) -> Transport:
    with np.load(file) as archive:
        value = float(archive["value"])
        return Transport(value, (archive["x"], archive["y"]) if "x" in archive else None)
