"""Distances by an executor: every number of the document is that of one process, to the bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli import executors
from ksdp_cli.api import pair_workers
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.executors import Workers
from ksdp_cli.metrics.exact import Exact

SWEEP: dict[str, Any] = {"flow": "laminar2d", "A": 10, "J": 60, "dt": 1e-2, "T": 0.02, "engine": "direct"}


class Here(Workers):
    """Every call at once, in this process; an executor that takes its calls together where it ``outlives``."""

    calls = 0
    begun = 0

    def __init__(self, place: str, workers: int | None) -> None:
        self.threads = 1

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        json.dumps(args)  # an executor may send them by a file
        Here.calls += 1
        future = Future[Any]()
        future.set_result(fn(*args, **kwargs))
        return future

    def begin(self, folder: Path) -> None:
        Here.begun += 1

    def ask_to_stop(self, number: int) -> None:
        pass

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(executors, "open_executor", Here)
    monkeypatch.setattr(pair_workers, "WORTH", 0.0)
    monkeypatch.setattr(Here, "calls", 0)
    monkeypatch.setattr(Here, "begun", 0)


def both(*clouds: Any, **options: Any) -> list[dict[str, Any]]:
    alone = ksdp.compare(*clouds, **options).as_dict()
    shared = ksdp.compare(*clouds, workers=2, **options).as_dict()
    return [json.loads(json.dumps(one)) for one in (alone, shared)]


@pytest.mark.parametrize("outlives", [False, True])
def test_pairs_and_repeats(outlives: bool, here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pairs of three metrics, two repeats of the exact one; `binned` has its box of cells from all clouds."""
    monkeypatch.setattr(Here, "outlives", outlives)
    clouds = np.random.default_rng(4).standard_normal((3, 80, 2))
    clouds[0] += 3.0
    alone, shared = both(clouds[0], clouds[1], floor=clouds[2], N=40, repeats=2, metrics="w2,sliced,binned", seed=7)
    assert shared == alone
    assert (Here.calls, Here.begun) == (12, 3)
    assert not list(Path("runs").glob("compare-*"))


def test_seeds_of_an_ensemble(here: None, tmp_path: Path) -> None:
    cloud = ksdp.simulate(**SWEEP, seed=[0, 1], out=tmp_path / "a.zarr")
    reference = ksdp.simulate(**SWEEP, seed=[2, 3, 4], out=tmp_path / "b.zarr")
    alone, shared = both(cloud, reference, metrics="w2", N=30, repeats=2)
    assert shared == alone
    assert Here.calls == 2 * (2 * 3 + 3)


def test_finished_pairs_are_reused_after_an_error(here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third call fails; the same command makes what is missing, and no more."""
    clouds = np.random.default_rng(5).standard_normal((3, 50, 2))
    plain = pair_workers.solve

    def failing(folder: str, number: int, threads: int | None) -> None:
        if number == 2:
            raise ConfigError("no more", "try again")
        plain(folder, number, threads)

    class Failing(Here):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            try:
                return super().submit(fn, *args, **kwargs)
            except ConfigError as error:
                future = Future[Any]()
                future.set_exception(error)
                return future

    with monkeypatch.context() as patched:
        patched.setattr(pair_workers, "solve", failing)
        patched.setattr(executors, "open_executor", Failing)
        with pytest.raises(ConfigError, match="no more"):
            ksdp.compare(clouds[0], clouds[1], floor=clouds[2], metrics="w2", workers=2)
    Here.calls = 0
    alone, shared = both(clouds[0], clouds[1], floor=clouds[2], metrics="w2")
    assert shared == alone
    assert Here.calls == 1


def test_an_equal_comparison_waits_for_the_other(here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = np.random.default_rng(6).standard_normal((2, 50, 2))
    plain, others = pair_workers.solve, list[Future[Any]]()
    with ThreadPoolExecutor(1) as aside:

        def meanwhile(*given: Any) -> None:
            if not others:
                others.append(aside.submit(ksdp.compare, first, second, metrics="w2", workers=2))
                time.sleep(0.1)
            plain(*given)

        monkeypatch.setattr(pair_workers, "solve", meanwhile)
        found = ksdp.compare(first, second, metrics="w2", workers=2)
        assert others[0].result(300).as_dict() == found.as_dict()


def test_a_temporary_folder_serves_if_runs_cannot_be_written(here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("runs").write_text("in the way")
    clouds = np.random.default_rng(7).standard_normal((2, 50, 2))
    alone, shared = both(*clouds, metrics="w2")
    assert shared == alone
    assert Here.calls == 1
    monkeypatch.setattr(Here, "outlives", True)
    with pytest.raises(DataError, match=r"cannot write .*runs"):
        ksdp.compare(*clouds, metrics="w2", workers=2)


def test_another_source_of_the_metric_is_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = Exact(np.zeros((5, 2)), np.ones((5, 2)))

    def name() -> str:
        return pair_workers._digest(pair_workers._files_of(metric, lambda number: metric.clouds[number], [(0, 1)]))

    before = name()
    assert name() == before
    monkeypatch.setattr(pair_workers, "_source", lambda module: "other")
    other = name()
    monkeypatch.setattr(pair_workers.plugins, "own_version", lambda: "other")
    assert len({before, other, name()}) == 3


SCRIPT = """
import numpy as np
from ksdp_cli.api import comparing, pair_workers
from ksdp_cli.cli.assembly import app
pair_workers.WORTH = 0.0
app("compare a.npy b.npy --metrics w2 --N 3000 --repeats 40 --workers 2".split())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
def test_a_terminated_comparison_ends_its_workers_and_keeps_its_pairs(tmp_path: Path) -> None:
    for name, cloud in zip("ab", np.random.default_rng(8).standard_normal((2, 9000, 2)), strict=True):
        np.save(tmp_path / f"{name}.npy", cloud)
    (tmp_path / "script.py").write_text(f"if __name__ == '__main__':\n{textwrap.indent(SCRIPT, '    ')}")
    command = [sys.executable, "script.py"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        ends = time.monotonic() + 300
        while not (done := list(tmp_path.glob("runs/compare-*/found-*"))) and time.monotonic() < ends:
            time.sleep(0.02)
        process.terminate()
        _, said = process.communicate(timeout=300)  # the workers hold its output
    assert (process.returncode, len(done) > 0) == (143, True), said
    assert "repeat the command" in said
    assert len(list(tmp_path.glob("runs/compare-*/found-*"))) >= len(done)


def test_workers_that_cannot_be_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cloud = np.zeros((5, 2))
    with pytest.raises(ConfigError, match="workers = 0"):
        ksdp.compare(cloud, cloud + 1, workers=0)
    with pytest.raises(ConfigError, match="no executor 'nowhere'"):
        ksdp.compare(cloud, cloud + 1, executor="nowhere")


@pytest.mark.slow
def test_processes_have_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pair_workers, "WORTH", 0.0)
    clouds = np.random.default_rng(4).standard_normal((3, 500, 3))
    alone, shared = both(clouds[0], clouds[1], floor=clouds[2], N=200, repeats=2)
    assert shared == alone
