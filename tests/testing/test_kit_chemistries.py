"""check_chemistry lets what ships pass, and stops one that breaks a clause, naming it."""

from __future__ import annotations

from typing import Any

import pytest

from ksdp_cli import plugins
from ksdp_cli.chemistry.elliptic import Elliptic
from ksdp_cli.testing import check_chemistry


def test_what_ships_passes() -> None:
    for entry in plugins.registry().of_kind("chemistry"):
        check_chemistry(entry.load())


class Forgetful(Elliptic):
    memory = True


class Unscaled(Elliptic):
    def gradient(self, state: Any, x: Any, scale: float = 1.0) -> Any:
        return super().gradient(state, x)


class Upside(Elliptic):
    def field(self, state: Any, x: Any, grid: Any) -> Any:
        return -super().field(state, x, grid)


@pytest.mark.parametrize(("chemistry", "clause"), [(Forgetful, "memory"), (Unscaled, "proportion"), (Upside, "slope")])
def test_a_broken_clause_is_named(chemistry: Any, clause: str) -> None:
    with pytest.raises(AssertionError, match=clause):
        check_chemistry(chemistry)
