"""check_transition_solver lets every solver that ships pass, and stops one that breaks a clause, naming it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ksdp_cli import plugins
from ksdp_cli.assignment.base import Matching, matching_value
from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.testing import check_transition_solver

SHIPPED = [entry for entry in plugins.registry().of_kind("transition solver") if entry.distribution == "ksdp"]


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_what_ships_passes(entry: Any) -> None:
    check_transition_solver(entry.load())


class Identity:
    """The worst answer that is none the less honest."""

    exact: Any = False
    devices: Any = ("cpu",)

    def __init__(self, seed: int = 0) -> None:
        pass

    def solve(self, x: Any, y: Any, start: Any = None) -> Any:
        permutation = np.tile(np.arange(x.shape[1]), (len(x), 1))
        return Matching(permutation, matching_value(x, y, permutation), "guess")


def test_an_honest_bound_passes() -> None:
    check_transition_solver(Identity)


class Boasting(Identity):
    exact = True


class Unsure(Identity):
    exact = None


class Elsewhere(Identity):
    devices = "cpu"


class Seedless(Identity):
    def __init__(self) -> None:
        pass


class Merging(Identity):
    def solve(self, x: Any, y: Any, start: Any = None) -> Any:
        permutation = np.zeros(x.shape[:2], np.int64)
        return Matching(permutation, matching_value(x, y, permutation), "guess")


class Narrow(Identity):
    def solve(self, x: Any, y: Any, start: Any = None) -> Any:
        found = super().solve(x, y)
        return Matching(found.permutation.astype(np.int32), found.value, "guess")


class Root(Identity):
    """W2 instead of its square."""

    def solve(self, x: Any, y: Any, start: Any = None) -> Any:
        found = super().solve(x, y)
        return Matching(found.permutation, np.sqrt(found.value), "guess")


class Proving(Identity):
    """A gap that is none."""

    def solve(self, x: Any, y: Any, start: Any = None) -> Any:
        found = super().solve(x, y)
        return Matching(found.permutation, found.value, "proof", np.zeros(len(x)))


class Sorting(Identity):
    def solve(self, x: Any, y: Any, start: Any = None) -> Any:
        y.sort(axis=1)
        return super().solve(x, y)


class Bare(Identity):
    def solve(self, x: Any, y: Any, start: Any = None) -> Any:
        return super().solve(x, y).permutation


class Mute(Identity):
    def solve(self, x: Any, y: Any, start: Any = None) -> Any:
        found = super().solve(x, y)
        return Matching(found.permutation, found.value, "")


class WorseFromAStart(Certified):
    """Exact from nothing only."""

    def solve(self, x: Any, y: Any, start: Any = None) -> Any:
        return super().solve(x, y) if start is None else Identity().solve(x, y)


BROKEN = {
    Boasting: "says that it is exact",
    WorseFromAStart: "says that it is exact",
    Unsure: "exact must say True or False",
    Elsewhere: "devices is 'cpu'",
    Seedless: r"Seedless\(seed=1\) fails",
    Merging: "no permutation",
    Narrow: "int32",
    Root: "the mean squared distance of the matching",
    Proving: "gap is",
    Sorting: "changes the arrays",
    Bare: "no Matching",
    Mute: "status is ''",
}


@pytest.mark.parametrize("solver", BROKEN, ids=lambda solver: solver.__name__)
def test_a_wrong_one_is_named(solver: Any) -> None:
    with pytest.raises(AssertionError, match=BROKEN[solver]) as caught:
        check_transition_solver(solver)
    assert solver.__name__ in str(caught.value)
