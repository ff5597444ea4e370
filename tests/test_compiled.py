"""Numba's compiler and Python's garbage collector: off meanwhile, and afterwards as the user had it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from ksdp_cli.base import compiling
from ksdp_cli.base.compiled import njit


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(compiling, "_longest", 0)
    yield
    gc.unfreeze()
    gc.enable()


@njit(cache=False)
def twice(x: float) -> float:
    return 2 * x


#: As if the function were one of `compiling.PARTS`, whose compilation is told to the user.
twice.py_func.__module__ = "ksdp_generated"  # type: ignore[attr-defined]


def collecting(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the collector is on at the end of each compilation from now on."""
    during: list[bool] = []
    end = compiling.end
    monkeypatch.setattr(compiling, "end", lambda: (during.append(gc.isenabled()), end()))
    return during


def test_the_collector_is_off_while_numba_compiles_and_on_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    during = collecting(monkeypatch)
    assert twice(1) == 2
    assert during == [False]
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_collector_that_the_user_has_stopped_stays_so() -> None:
    gc.disable()
    assert twice(1j) == 2j
    assert not gc.isenabled()


def test_what_the_user_has_frozen_stays_frozen() -> None:
    gc.freeze()
    before = gc.get_freeze_count()
    assert twice(True) == 2
    assert gc.isenabled()
    assert gc.get_freeze_count() > before / 2 > 0


def test_a_compilation_that_is_interrupted_leaves_the_collector_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """At its start, as by Ctrl-C while the user is told; the next one turns it off, and on again."""

    def interrupted(text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compiling, "tell", interrupted)
    with pytest.raises(KeyboardInterrupt):
        twice(1.5)
    assert gc.isenabled()
    monkeypatch.setattr(compiling, "tell", None)
    during = collecting(monkeypatch)
    assert twice(1.5) == 3
    assert during == [False]
    assert gc.isenabled()
