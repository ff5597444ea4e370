"""Slurm by submitit: a job array that goes on after the command that submitted it has ended.

``slurm:KEY=VALUE,...`` passes options of sbatch (``partition``, ``time`` in minutes, ``cpus_per_task``, ``mem``, ...)
and ``cases_per_job``. ``slurm:local`` starts the same jobs as processes of this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..base.files import read_json
from ..base.libraries import library
from ..base.outputs import write_whole
from ..base.threads import core_count
from ..errors import ConfigError, ResourceError
from .base import Workers
from .environment import blas, for_children, shielded
from .jobs import Call, Job, outcome_of, read_outcome
from .queue import Queue

if TYPE_CHECKING:
    import submitit

T = TypeVar("T")
#: Seconds between two polls of outcomes here, at least and at most, and on a cluster; how long a job that has ended may
#: lack its outcome, here and where files are on their way between machines.
LOOK, LOOK_IDLE, LOOK_FAR, SOON, LATE = 0.02, 0.2, 2.0, 1.0, 15.0
#: Times that a job may reach its time limit and be queued again.
REQUEUES = 1000
#: Seconds before its limit at which a job is told to save; a short one has fewer, as Slurm may be a minute early.
NOTICE = 90
#: Time limit of a local job in minutes: effectively none.
LOCAL_MINUTES = 10_000_000


class Slurm(Workers):
    """Slurm jobs: the calls go on after the driver ends, and the same command follows them again.

    A lost job ends its own calls only; a job that reaches its time limit is queued again.
    """

    outlives: ClassVar[bool] = True

    def __init__(self, place: str, workers: int | None) -> None:
        self._submitit = library("submitit", "executor 'slurm'", "slurm")
        self._local, self._workers = place == "local", workers
        self._options = {} if self._local else _options(place)
        self._per_job = int(self._options.pop("cases_per_job", 1))
        if not self._local and shutil.which("srun") is None:
            raise ResourceError(
                "there is no Slurm here: srun is not installed", "use a login node of the cluster, or slurm:local"
            )
        self.threads = max(1, core_count() // (workers or core_count())) if self._local else None
        self._waiting: dict[str, tuple[Call, Future[Any]]] = {}
        self._jobs: dict[str, str] = {}
        self._queue = Queue()
        self._sent: dict[str, Any] = {}
        self._closed, self._left, self._folder = False, threading.Event(), Path()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        if self._closed or self._folder.name:
            raise RuntimeError("calls are submitted together, before begin")
        if kwargs:
            raise TypeError(f"calls to Slurm take positional arguments only, not {', '.join(kwargs)}")
        call, future = Call(fn, args), Future[T]()
        self._waiting[f"{call.key}-{len(self._waiting)}"] = call, future
        return future

    def begin(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._folder.mkdir(exist_ok=True)
        self._jobs = self._read_jobs()
        calls = {call.key: call for call, _ in self._waiting.values()}
        self._jobs = {key: job for key, job in self._jobs.items() if key in calls and self._alive(job)}
        new = [call for key, call in calls.items() if key not in self._jobs]
        for call in new:
            outcome_of(self._folder, call.key).unlink(missing_ok=True)
        if new:
            self._send(new)
        self._thread.start()

    def ask_to_stop(self, number: int) -> None:
        """Do nothing: the jobs go on. ``scancel`` sends them SIGTERM, after which they save their states."""

    def where(self) -> str:
        arrays = " ".join(sorted({job.partition("_")[0] for job in self._jobs.values()}))
        return f"the jobs {arrays} go on ('{'kill' if self._local else 'scancel'} {arrays}' saves and ends them)"

    def trouble(self) -> str:
        return self._queue.trouble()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop following the jobs if ``wait``; they go on, whatever ``cancel_futures`` says."""
        self._closed = True
        if not wait or not self._folder.name:
            return
        self._left.set()
        if self._thread.is_alive():
            self._thread.join()
        futures = [future for _, future in self._waiting.values()]
        if all(future.done() and not future.exception() for future in futures):
            ends = time.monotonic() + LATE
            while any(self._alive(job) for job in set(self._jobs.values())) and time.monotonic() < ends:
                time.sleep(LOOK)  # submitit has not yet noted their end
            shutil.rmtree(self._folder, ignore_errors=True)

    def _send(self, calls: list[Call]) -> None:
        """Submit ``calls`` as one array, and record the job of each."""
        per_job = -(-len(calls) // (self._workers or core_count())) if self._local else self._per_job
        jobs = [
            Job(calls[start :: -(-len(calls) // per_job)], self._folder) for start in range(-(-len(calls) // per_job))
        ]
        with _quiet():
            if self._local:
                with shielded(), for_children(blas(self.threads)):
                    # an executor for each: submitit waits 0.2 s between two jobs of one
                    futures = [self._executor().submit(job) for job in jobs]
            else:
                executor = self._executor()
                with executor.batch():
                    futures = [executor.submit(job) for job in jobs]
        for job, number in zip(jobs, futures, strict=True):
            if self._local:
                self._sent[number.job_id] = number
            self._jobs |= {call.key: number.job_id for call in job.calls}
        with write_whole(self._folder / "jobs.json") as temporary:
            temporary.write_text(json.dumps(self._jobs), encoding="utf-8")

    def _executor(self) -> submitit.Executor:
        """Return submitit's executor with the options of the place."""
        if self._local:
            executor = self._submitit.LocalExecutor(self._folder)
            executor.update_parameters(timeout_min=LOCAL_MINUTES)
            return executor
        from submitit.slurm.slurm import SlurmExecutor

        executor = SlurmExecutor(self._folder, max_num_timeout=REQUEUES)
        names = SlurmExecutor._valid_parameters()
        own: dict[str, Any] = {name: value for name, value in self._options.items() if name in names}
        others = {name.replace("_", "-"): value for name, value in self._options.items() if name not in names}
        own |= {"additional_parameters": others} if others else {}
        own |= {"array_parallelism": self._workers} if self._workers else {}
        if "cpus_per_task" in own:  # from Slurm 22.05 on srun does not take it over from sbatch
            own = {"srun_args": [f"--cpus-per-task={own['cpus_per_task']}"]} | own
        if isinstance(minutes := own.get("time"), int):
            own = {"signal_delay_s": min(NOTICE, 60 * minutes // 4)} | own
        executor.update_parameters(**{"job_name": "ksdp"} | own)
        return executor

    def _read_jobs(self) -> dict[str, str]:
        """Return the job of each call that an earlier driver submitted."""
        try:
            jobs = read_json(self._folder / "jobs.json")
            return {str(key): str(job) for key, job in jobs.items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def _alive(self, job: str) -> bool:
        """Whether a job is queued or running."""
        if not self._local:
            return self._queue.has(job)
        if (future := self._sent.get(job)) is not None:
            with _quiet():
                return not future.done()
        try:
            os.kill(int(job), 0)
            return True
        except (OSError, ValueError):
            return False

    def _follow(self) -> None:
        """Read outcomes until all calls are finished or `shutdown` is called."""
        missing_since, since = dict[str, float](), time.monotonic()
        try:
            while before := len(self._unfinished()):
                # a poll takes up to a fiftieth of what it waits for, and delays it by that
                pause = min(max(LOOK, 0.02 * (time.monotonic() - since)), LOOK_IDLE) if self._local else LOOK_FAR
                if self._left.wait(pause):
                    return
                self._look(missing_since)
                since = since if len(self._unfinished()) == before else time.monotonic()
        except Exception as error:
            for _, future in self._unfinished():
                future.set_exception(error)

    def _look(self, missing_since: dict[str, float]) -> None:
        """Read new outcomes. A job that ended without an outcome some time ago (``missing_since``) is lost."""
        names = set(os.listdir(self._folder))
        for call, future in self._unfinished():
            file, job = outcome_of(self._folder, call.key), self._jobs[call.key]
            if file.name in names:
                value, error = read_outcome(file)
                future.set_exception(error) if error else future.set_result(value)
            elif not self._alive(job):
                since = missing_since.setdefault(call.key, time.monotonic())
                if time.monotonic() - since >= (SOON if self._local else LATE):
                    future.set_exception(BrokenExecutor(f"job {job} has ended early; its log is in {self._folder}"))

    def _unfinished(self) -> list[tuple[Call, Future[object]]]:
        return [(call, future) for call, future in self._waiting.values() if not future.done()]


def _options(place: str) -> dict[str, str | int]:
    """Parse ``KEY=VALUE,...``, whole numbers as integers. Raises `ConfigError`."""
    options = dict[str, Any]()
    for part in filter(None, place.split(",")):
        name, equals, value = part.partition("=")
        if not (name and equals and value):
            raise ConfigError(
                f"executor 'slurm:{place}'", "write slurm:KEY=VALUE,..., as slurm:partition=cpu,cpus_per_task=4"
            )
        options[name.strip().replace("-", "_")] = int(value) if re.fullmatch(r"0|[1-9]\d*", value) else value
    if "time" not in options and "timeout_min" in options:
        options["time"] = options.pop("timeout_min")
    per_job = options.get("cases_per_job", 1)
    if not isinstance(per_job, int) or per_job < 1:
        raise ConfigError(f"cases_per_job = {per_job}", "use 1 or more")
    return options


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the log of submitit in the block."""
    import logging

    logger = logging.getLogger("submitit")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
