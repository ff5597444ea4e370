"""check_metric lets what ships pass, and stops one that breaks a clause, naming it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ksdp_cli import plugins
from ksdp_cli.metrics import Distance, Profile, Transport
from ksdp_cli.testing import check_metric


@pytest.mark.parametrize("name", [entry.name for entry in plugins.registry().of_kind("metric")])
@pytest.mark.parametrize("dim", [2, 3])
def test_what_ships_passes(name: str, dim: int) -> None:
    check_metric(plugins.registry().find("metric", name).load(), dim)


class Means(Distance):
    """The squared distance of the means."""

    title = "means"

    def transport(self, x: Any, y: Any) -> Transport:
        apart = x.mean(0, dtype=float) - y.mean(0, dtype=float)
        return Transport(float(apart @ apart))


class Nameless(Means):
    title = ""


class Endless(Means):
    def sizes(self) -> tuple[int, int]:
        return len(self.cloud) + 1, 1


class Costly(Means):
    def cost(self, n: int, solves: int) -> tuple[float, float]:
        return -1.0, 0.0


class Negative(Means):
    def transport(self, x: Any, y: Any) -> Transport:
        return Transport(-1.0)


class Blind(Means):
    def transport(self, x: Any, y: Any) -> Transport:
        return Transport(0.0)


class OneSided(Means):
    def transport(self, x: Any, y: Any) -> Transport:
        return Transport(super().transport(x, y).value * (1 + (y[:, 0].mean() > 5)))


class Short(Means):
    def transport(self, x: Any, y: Any) -> Transport:
        return Transport(super().transport(x, y).value, (np.zeros(3), np.zeros(len(y))))


class Ragged(Profile):
    title, columns = "ragged", ("one", "two")

    def rows(self, cloud: Any, reference: Any) -> list[dict[str, float | None]]:
        return [{"one": 1.0}]


class Unknown(Profile):
    title, columns = "unknown", ("one",)

    def rows(self, cloud: Any, reference: Any) -> list[dict[str, float | None]]:
        return [{"one": float("nan")}]


class Stranger:
    title = "stranger"


BROKEN = {
    Nameless: "title", Endless: "sizes", Costly: "cost", Negative: "is -1", Blind: "does not tell",
    OneSided: "order", Short: "shapes", Ragged: "1 entries", Unknown: "no finite number", Stranger: "Distance",
}  # fmt: skip


def test_a_metric_without_potentials_passes() -> None:
    check_metric(Means)


@pytest.mark.parametrize("metric", BROKEN, ids=lambda metric: metric.__name__)
def test_a_wrong_one_is_named(metric: Any) -> None:
    with pytest.raises(AssertionError, match=BROKEN[metric]) as caught:
        check_metric(metric)
    assert metric.__name__ in str(caught.value)
