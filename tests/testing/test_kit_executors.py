"""check_executor lets what ships pass, and stops one that breaks a clause, naming it; a stranger's runs a sweep."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli import plugins
from ksdp_cli.errors import ConfigError, NumericalError
from ksdp_cli.executors.processes import Processes
from ksdp_cli.plugin import Component, Workers
from ksdp_cli.registry import Entry
from ksdp_cli.testing import check_executor


class Here(Workers):
    """Every call at once."""

    def __init__(self, place: str, workers: int | None) -> None:
        self.place, self.closed = place, False

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.closed:
            raise RuntimeError("closed")
        future = Future[Any]()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def ask_to_stop(self, number: int) -> None:
        pass

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.closed = True


class Tireless(Here):
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


class Forgetful(Here):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        if isinstance(error := future.exception(), NumericalError):
            other = Future[Any]()
            other.set_exception(NumericalError(error.message))
            return other
        return future


class Wrong(Here):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(fn, *(9 if arg == 5 else arg for arg in args), **kwargs)


def test_what_ships_keeps_the_contract() -> None:
    check_executor(Processes)


@pytest.mark.parametrize(
    ("broken", "clause"),
    [(Tireless, "shutdown"), (Forgetful, "comes back"), (Wrong, "squares"), (object, "does not derive")],
)
def test_a_broken_clause_is_named(broken: type, clause: str) -> None:
    check_executor(Here)
    with pytest.raises(AssertionError, match=clause):
        check_executor(broken)


def test_a_stranger_s_executor_runs_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "strangers_place.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    entry = Entry("executor", Component("here", "strangers_place:Here", "at once"), "stranger", "1.0")
    monkeypatch.setattr(plugins.registry(), "entries", [*plugins.registry().entries, entry])
    options: dict[str, Any] = {"flow": "laminar2d", "A": [1, 10], "J": 50, "dt": 1e-3, "T": 2e-3, "engine": "direct"}
    one = ksdp.simulate(**options, out=tmp_path / "a.zarr")
    for number, name in enumerate(("here", "stranger:here:there")):
        run = ksdp.simulate(**options, out=tmp_path / f"{number}.zarr", executor=name)
        assert run.complete
        assert all(np.array_equal(run.frame(case), one.frame(case)) for case in range(2))


def test_an_executor_that_there_is_not(tmp_path: Path) -> None:
    options: dict[str, Any] = {"flow": "laminar2d", "A": [1, 10], "J": 50, "out": tmp_path / "a.zarr"}
    with pytest.raises(ConfigError, match="'processes'"):
        ksdp.simulate(**options, executor="proceses")
    with pytest.raises(ConfigError, match=r"processes:here'; .* use 'processes'"):
        ksdp.simulate(**options, executor="processes:here", workers=2)
    assert not (tmp_path / "a.zarr").exists()
