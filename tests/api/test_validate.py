"""Validation on other runs: which are taken, which are refused, and that the stored command says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.describing import info
from ksdp_cli.cli.app import app
from ksdp_cli.errors import ConfigError, DataError

RUN = {"flow": "laminar2d", "J": 300, "T": 0.002, "dt": 1e-3, "M": 1}
SHORT = {"steps": 5, "N": 100, "validate_every": 5}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validate")
    ksdp.simulate(out=folder / "s.zarr", A=[1, 10, 100], **RUN)
    ksdp.simulate(out=folder / "v.zarr", A=[5, 50], seed=1, **RUN)
    return folder


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_other_values_of_the_parameter_are_validated_on(stores: Path) -> None:
    found = ksdp.train(stores / "s.zarr", validate=stores / "v.zarr", out="m.safetensors", **SHORT)
    result = found.trained.model.provenance["result"]
    assert result["validated_on"] == "150 particles of 2 clouds of other runs"
    assert f"--validate {stores / 'v.zarr'}" in info(Path("m.safetensors"))["command"]
    plain = ksdp.train(stores / "s.zarr", out="p.safetensors", **SHORT)
    assert plain.trained.model.sha256 == found.trained.model.sha256  # fresh: as much is held out with and without
    assert plain.trained.model.training["held_out"] is None
    alone = ksdp.simulate(out="alone.zarr", A=50, seed=2, **RUN)  # a store that does not sweep it has it too
    again = ksdp.train(stores / "s.zarr", validate=alone, out="q.safetensors", **SHORT)
    assert "of 1 clouds" in again.trained.model.provenance["result"]["validated_on"]


def test_the_paper_s_algorithm_holds_nothing_out_then(stores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", str(stores / "s.zarr"), "--algorithm", "paper", "--steps", "3", "--N", "300", "--json",
             "--validate", str(stores / "v.zarr"), "--validate-every", "3", "--sub-problem-size", "20"]  # fmt: skip
    assert app([*words, "-o", "m.safetensors"], standalone_mode=False) in (0, None)
    document = json.loads(capsys.readouterr().out)
    assert document["best_validation_W2_squared"] > document["floor_W2_squared"] > 0
    command = info(Path("m.safetensors"))["command"].split()
    for word in ("--sub-problem-size", "--held-out", "--validate"):
        assert word in command
    assert "--decay" not in command  # it is what --algorithm paper means
    own = ksdp.train(stores / "s.zarr", algorithm="paper", average=0.99, decay="cosine", out="n.safetensors", **SHORT)
    command = info(own.path)["command"]
    assert "--average 0.99" in command
    assert "--decay cosine" in command


def test_what_is_no_other_run_of_this_problem_is_refused(stores: Path) -> None:
    def refused(error: type[Exception], match: str, **options: object) -> None:
        other = ksdp.simulate(out="o.zarr", overwrite=True, **(RUN | {"A": [5, 50], "seed": 1} | options))
        with pytest.raises(error, match=match):
            ksdp.train(stores / "s.zarr", validate=other, out="m.safetensors", **SHORT)

    refused(ConfigError, "seed.*, 0", seed=0)
    refused(ConfigError, ": M", M=2)
    refused(ConfigError, ": flow", flow="hyperbolic")
    samples = ksdp.sample("laminar2d-amplitude", n=10)
    with pytest.raises(DataError, match="simulation"):
        ksdp.train(stores / "s.zarr", validate=samples, out="m.safetensors", **SHORT)
