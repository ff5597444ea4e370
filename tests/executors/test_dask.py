"""Dask takes the cases: the bits of one process, a killed worker's case run again by nobody's hand, Ctrl-C saved."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ksdp_cli as ksdp
from ksdp_cli.base.outputs import Lock
from ksdp_cli.errors import ConfigError, Interrupted, ResourceError
from ksdp_cli.store import Run
from ksdp_cli.testing import check_executor

from .conftest import LONG, OPTIONS, begun, kill_one, same

distributed = pytest.importorskip("distributed", reason="the extra ksdp[dask] is not installed")
# Dask and asyncio leave sockets and loops to the collector in tests that end early
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler on the loopback interface with two workers, all threads of this process: up in moments."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        yield cluster.scheduler_address


def test_a_scheduler_s_workers_make_the_store_of_one_process(tmp_path: Path, serial: Run, address: str) -> None:
    run = ksdp.simulate(**OPTIONS, out=tmp_path / "a.zarr", executor=f"dask:{address}")
    assert same(run, serial)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_the_contract_at_an_address_and_at_a_scheduler_s_file(address: str, tmp_path: Path) -> None:
    from ksdp_cli.executors.dask import Dask

    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": address}))  # Dask's own writer fails where a worker has told of its tasks
    check_executor(Dask, address)
    check_executor(Dask, str(file))


def test_a_signal_is_passed_on_and_every_state_is_saved(tmp_path: Path, long_serial: Run, address: str) -> None:
    path = tmp_path / "a.zarr"
    gate = Lock(tmp_path / "a.zarr.case-2")  # which this case waits for, so that the sweep is not through before

    def stop() -> int | None:
        if not begun(path):
            return None
        gate.release()
        return signal.SIGTERM

    with pytest.raises(Interrupted) as caught:
        ksdp.simulate(**LONG, out=path, executor=f"dask:{address}", stop=stop)
    assert caught.value.exit_code == 143
    assert any((tmp_path / "a.zarr.checkpoint").iterdir())
    # the same workers are asked anew: nothing of the last driver's stays with them
    run = ksdp.simulate(**LONG, out=path, executor=f"dask:{address}", resume=True)
    assert same(run, long_serial)


def killed(folder: Path, seed: int) -> Run:
    path = folder / f"{seed}.zarr"
    killer = kill_one(path, "--multiprocessing-fork", seed, lambda: begun(path))
    try:
        return ksdp.simulate(**LONG, out=path, executor="dask", workers=2)
    finally:
        killer.join()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the workers")
def test_a_killed_worker_s_case_runs_again_unattended(tmp_path: Path, long_serial: Run) -> None:
    assert same(killed(tmp_path, 0), long_serial)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the workers")
def test_twenty_kills_of_twenty_workers(tmp_path: Path, long_serial: Run) -> None:
    assert [same(killed(tmp_path, seed), long_serial) for seed in range(1, 21)] == [True] * 20


def test_what_cannot_be_done_is_refused_before_anything_is_made(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = OPTIONS | {"out": tmp_path / "a.zarr"}
    with pytest.raises(ConfigError, match="no port"):
        ksdp.simulate(**options, executor="dask:nowhere")
    with pytest.raises(ResourceError, match="scheduler answers"):
        ksdp.simulate(**options, executor="dask:nonsense://host:1")
    with pytest.raises(ResourceError, match="No such file"):
        ksdp.simulate(**options, executor=f"dask:{tmp_path / 'none.json'}")
    for number, text in enumerate(("", "{}", "[]")):
        (tmp_path_factory.getbasetemp() / f"{number}.json").write_text(text)
        with pytest.raises(ResourceError, match="no address"):
            ksdp.simulate(**options, executor=f"dask:{tmp_path_factory.getbasetemp() / f'{number}.json'}")
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=4,
            processes=False,
            protocol="tcp",
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        pytest.raises(ConfigError, match="--nthreads 1"),
    ):
        ksdp.simulate(**options, executor=f"dask:{cluster.scheduler_address}")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ResourceError, match=r"ksdp\[dask\]"):
        ksdp.simulate(**options, executor="dask")
    assert not list(tmp_path.iterdir())
