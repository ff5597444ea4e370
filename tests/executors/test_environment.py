"""Workers start and end fast, with their share of BLAS's threads; Ctrl-C does not end them, and the driver stays as it
was."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ksdp_cli.base.threads import core_count
from ksdp_cli.executors import open_executor
from ksdp_cli.executors.environment import for_children

from .conftest import below

BLAS = "OPENBLAS_NUM_THREADS"
EXTRAS = {"processes": None, "dask": "distributed", "slurm:local": "submitit"}


@contextlib.contextmanager
def ctrl_c_to_children() -> Iterator[None]:
    """Send SIGINT to every process that starts below this one in the block, every few milliseconds."""
    others, over = below(os.getpid()), threading.Event()

    def send() -> None:
        while not over.wait(0.005):
            for pid in below(os.getpid()) - others:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()


def worker_s_state() -> list[object]:
    """In a worker: BLAS's threads; whether SIGINT is blocked in it, and whether it is ignored."""
    blocked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    return [os.getenv(BLAS), blocked, signal.getsignal(signal.SIGINT) is signal.SIG_IGN]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the workers")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", EXTRAS)
def test_a_worker_survives_ctrl_c_from_its_start_and_has_its_share_of_blas_and_the_driver_stays_as_it_was(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if package := EXTRAS[name]:
        pytest.importorskip(package)
    monkeypatch.delenv(BLAS, raising=False)
    before, threads, mask = dict(os.environ), core_count(), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with open_executor(name, 2) as pool:
        with ctrl_c_to_children():
            call = pool.submit(worker_s_state)
            pool.begin(tmp_path / "jobs")
            assert call.result(300) == [str(pool.threads), False, True]
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask
    changed = {key: value for key, value in os.environ.items() if before.get(key) != value}
    assert not changed.keys() - {"__DASK_PARENT_PID"}  # by which Dask names its processes
    assert before.keys() <= os.environ.keys()
    assert core_count() == threads


def test_what_a_program_sets_while_workers_start_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BLAS, raising=False)
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    with for_children({BLAS: "1", "PYTHONHASHSEED": "7"}) as put_back:
        os.environ[BLAS] = "3"
    assert (os.environ[BLAS], os.environ["PYTHONHASHSEED"]) == ("3", "5")
    os.environ.update({BLAS: "1", "PYTHONHASHSEED": "6"})
    put_back()
    assert (os.environ.get(BLAS), os.environ["PYTHONHASHSEED"]) == (None, "6")


def test_the_threads_that_a_user_gives_to_blas_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BLAS, "7")
    with open_executor("processes", 1) as pool:
        assert pool.submit(os.getenv, BLAS).result(300) == "7"


@pytest.mark.parametrize(
    "work",
    [
        "from ksdp_cli.base.leaving import leave_at_once; leave_at_once()",
        "import sys; sys.argv[1:] = ['--version']; from ksdp_cli.cli.app import main; main()",
    ],
)
def test_the_end_of_a_process_does_not_look_through_its_objects(work: str) -> None:
    code = f"import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count())); {work}"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(printed.split()[-1]) > 1000


def test_a_program_that_calls_the_command_line_keeps_its_collector() -> None:
    code = """import contextlib, gc, sys
from ksdp_cli.cli.app import main
sys.argv[1:] = ["--version"]
with contextlib.suppress(SystemExit):
    main()
print(gc.get_freeze_count())"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split()[-1] == "0"


UNGUARDED = """
import os, sys
from ksdp_cli.executors import open_executor
print("run")
with open_executor(sys.argv[1], 1) as pool:
    call = pool.submit(os.getcwd)
    call.result(300)
"""


@pytest.mark.parametrize("name", ["processes", "dask"])
def test_a_worker_does_not_run_the_user_s_script_again(name: str, tmp_path: Path) -> None:
    """A script without ``if __name__ == "__main__":``."""
    if package := EXTRAS[name]:
        pytest.importorskip(package)
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run([sys.executable, str(script), name], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "run\n"), done.stderr
