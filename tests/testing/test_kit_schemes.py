"""check_scheme lets what ships pass, and stops one that breaks a clause, naming it."""

from __future__ import annotations

from typing import Any

import pytest

from ksdp_cli import plugins
from ksdp_cli.particles.schemes.euler import Euler
from ksdp_cli.particles.schemes.heun import Heun
from ksdp_cli.testing import check_scheme


def test_what_ships_passes() -> None:
    for entry in plugins.registry().of_kind("scheme"):
        check_scheme(entry.load())


class Boastful(Euler):
    order = 2


class Costly(Heun):
    evaluations = 1


class Noisy(Euler):
    def step(self, x: Any, t: float, dt: float, drift: Any, noise: Any) -> Any:
        return x + dt * drift(x, t) + 2 * noise


class InPlace(Euler):
    def step(self, x: Any, t: float, dt: float, drift: Any, noise: Any) -> Any:
        x += dt * drift(x, t) + noise
        return x


class Late(Euler):
    def step(self, x: Any, t: float, dt: float, drift: Any, noise: Any) -> Any:
        return x + dt * drift(x, t + 2 * dt) + noise


@pytest.mark.parametrize(
    ("scheme", "clause"),
    [(Boastful, "order"), (Costly, "times"), (Noisy, "noise once"), (InPlace, "changes"), (Late, "at times from")],
)
def test_a_broken_clause_is_named(scheme: Any, clause: str) -> None:
    with pytest.raises(AssertionError, match=clause):
        check_scheme(scheme)
