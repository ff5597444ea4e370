"""Cases and snapshots by the values of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ksdp_cli.errors import ConfigError
from ksdp_cli.store import Run
from ksdp_cli.store.selection import constant, select

Stores = Callable[..., Run]


@pytest.mark.parametrize(
    ("asked", "cases", "snapshots"),
    [
        ({}, (0, 1, 2, 3), (0, 1, 2)),
        ({"A": 10}, (1, 3), (0, 1, 2)),
        ({"A": "10", "mu": "2", "t": "0.2"}, (3,), (2,)),
        ({"A": "1,10", "t": "0,0.1"}, (0, 1, 2, 3), (0, 1)),
        ({"A": [10.0, 1.0], "mu": 1}, (0, 1), (0, 1, 2)),
        ({"case": "3,0"}, (0, 3), (0, 1, 2)),
        ({"case": 2, "chi": 1}, (2,), (0, 1, 2)),
        ({"t": 0.1 * (1 + 1e-12)}, (0, 1, 2, 3), (1,)),
    ],
)
def test_selections(run: Stores, asked: dict[str, Any], cases: tuple[int, ...], snapshots: tuple[int, ...]) -> None:
    found = select(run(), **asked)
    assert (found.cases, found.snapshots) == (cases, snapshots)
    assert found.frames() == [(case, k) for case in cases for k in snapshots]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"A": 5}, r"A = 5.*A = 1, 10"),
        ({"case": 4}, r"case 4.*0 to 3"),
        ({"case": -1}, r"no case -1"),
        ({"case": 1, "A": 1}, r"A = 1, mu = 1;"),
        ({"t": 0.15}, r"t = 0\.15.*0, 0\.1, 0\.2"),
        ({"chi": 2}, r"chi = 1, not 2.*--chi"),
        ({"B": 2}, r"'B'.*A, mu"),
        ({"A": "ten"}, r"'ten'"),
        ({"t": float("nan")}, r"not finite"),
    ],
)
def test_selections_that_match_nothing_are_refused(run: Stores, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        select(run(), **asked)


def test_the_fixed_value_of_a_parameter(run: Stores) -> None:
    made = run()
    assert constant(made, "chi") == 1.0
    assert constant(made, "A") is None
    assert constant(made, "flow") is None
