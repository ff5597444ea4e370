"""check_kernel lets every kernel that ships pass, and stops one that breaks a clause, naming it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import Field

from ksdp_cli import plugin, plugins
from ksdp_cli.errors import ConfigError
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.testing import check_kernel
from ksdp_cli.testing import kernels as kit

SHIPPED = [entry for entry in plugins.registry().of_kind("kernel") if entry.distribution == "ksdp"]


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_what_ships_passes(entry: Any) -> None:
    check_kernel(entry.load())


class Mine:
    class Params(plugin.Params):
        pass


class Nothing(Mine):
    pass


class Repelling(Mine):
    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return -1.0 / (r2 + delta2)


class FarRepelling(Mine):
    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return 1.0 / (r2 + delta2) - 0.01


class Unregularised(Mine):
    """Not defined where two particles are close."""

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return math.log(r2 - 1e-8) / r2


class Overflowing(Mine):
    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return math.exp(r2 / delta2)


class Cancelling(Mine):
    """The Gaussian blob without its series: in float32 nothing is left of 1 - exp(-u)."""

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return (1.0 - math.exp(-r2 / delta2)) / r2


class Branching(Mine):
    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        if r2 > delta2:
            return 1.0 / r2
        return 1.0 / delta2


class Short(Mine):
    class Params(plugin.Params):
        k: float = Field(1.0, description="inverse screening length [1 / length]")

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return 1.0 / (r2 + delta2)


class Jumping(Mine):
    """No smooth function: the tree's proxies cannot follow it."""

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return 1.0 / (r2 + delta2) if r2 < 0.25 else 0.5 / (r2 + delta2)


BROKEN = {
    Nothing: "no static method g2d or g3d",
    Repelling: "must be > 0",
    FarRepelling: "where it must attract",
    Unregularised: r"not defined at r = 3.16e-05",
    Overflowing: "fails at r",
    Cancelling: r"in float32 \(.*loses digits",
    Short: "takes 1 arguments after r2, and delta2 with the fields of Params are 2",
    Jumping: "tree engine's error",
}


@pytest.mark.parametrize("kernel", BROKEN, ids=lambda kernel: kernel.__name__)
def test_a_wrong_one_is_named(kernel: Any) -> None:
    with pytest.raises(AssertionError, match=BROKEN[kernel]) as caught:
        check_kernel(kernel)
    assert kernel.__name__ in str(caught.value)


def test_what_is_outside_of_the_language_is_the_compilers_own_error() -> None:
    with pytest.raises(ConfigError, match=r"Branching.* line \d+: 'if r2"):
        check_kernel(Branching)


def test_an_engine_that_sums_wrongly_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sloppy(kit.DirectCPU):
        def __call__(self, x: Any) -> Any:
            return super().__call__(x) * (1 + 1e-3)

    monkeypatch.setattr(kit, "DirectCPU", Sloppy)
    with pytest.raises(AssertionError, match="CPU in float32"):
        check_kernel(Blob)
