"""A network over M and k of the parabolic chemical, in every verb that reads their values from a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.references import differences, frame
from ksdp_cli.errors import ConfigError
from ksdp_cli.store.selection import select
from ksdp_cli.views.report.subject import ReportModel, places
from ksdp_cli.views.report.subject import differences as of_the_page

SMALL: Any = {"chemistry": "parabolic", "J": 300, "T": 0.01, "dt": 5e-3, "delta2": 4e-3, "device": "cpu"}
SHORT: Any = {"N": 100, "steps": 2, "validate_every": 2, "device": "cpu"}


def simulated(name: str, **options: object) -> ksdp.Run:
    return ksdp.simulate(**SMALL | {"eps": 0.5} | options, out=f"{name}.zarr", warn=lambda _: None)


@pytest.fixture
def learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ksdp.Run:
    monkeypatch.chdir(tmp_path)
    return simulated("learned", M=[10.0, 50.0], k=[0.0, 2.0])


def test_a_network_of_mass_and_decay_is_compared_and_shown(learned: ksdp.Run) -> None:
    path = ksdp.train(learned, out="m.safetensors", **SHORT).path
    found = ksdp.compare(path, M=40, k=1, metrics="w2", N=100, device="cpu")
    assert found.comparison.w2_squared > 0
    reference = simulated("reference", M=40, k=1, seed=5)
    assert select(reference, k=1).cases == (0,)
    with pytest.raises(ConfigError, match="k = 1, not 2"):
        select(reference, k=2)
    model = ReportModel("m", path, ksdp.open_model(path))
    assert [place[-1] for place in places(model, reference)] == [{"M": 40.0, "k": 1.0}]
    assert of_the_page(model, reference) == []
    assert "eps = 0.1 in place of 0.5" in of_the_page(model, simulated("other", M=40, k=1, eps=0.1))[0]


def test_a_decay_of_0_is_a_value(learned: ksdp.Run) -> None:
    with pytest.raises(ConfigError, match="k = 0, not 2"):
        ksdp.plot(learned, simulated("still", M=10, k=0, seed=5), M=10, k=2)


def test_runs_of_another_chemical_are_told_apart(learned: ksdp.Run) -> None:
    one, other = (simulated(f"eps{eps}", eps=eps, k=1, seed=7) for eps in (0.5, 0.1))
    (said,) = differences(frame(one, {}), frame(other, {}))
    assert said == "the cloud is at eps = 0.5, the reference at eps = 0.1"
    elliptic = ksdp.simulate(**SMALL | {"chemistry": "elliptic"}, kernel="gaussian", out="elliptic.zarr")
    assert "the cloud is at chemistry = parabolic, the reference at chemistry = elliptic" in differences(
        frame(one, {}), frame(elliptic, {})
    )
    ksdp.train(learned, validate=one, out="own.safetensors", **SHORT)
    for wrong, why in ((other, "eps"), (elliptic, "chemistry")):
        with pytest.raises(ConfigError, match=f"another problem.*{why}"):
            ksdp.train(learned, validate=wrong, out="wrong.safetensors", **SHORT)
