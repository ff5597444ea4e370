"""A model as a generator of clouds, and configurations that files state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli import provenance
from ksdp_cli.api import paths
from ksdp_cli.api.generator import Generator
from ksdp_cli.config import SimulateConfig
from ksdp_cli.errors import DataError
from ksdp_cli.learning.model import Model
from ksdp_cli.pretrained import DEFAULT


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(Model.load(paths.existing(DEFAULT)))


@pytest.fixture(scope="module")
def at(generator: Generator) -> dict[str, float]:
    return dict(zip(generator.names, generator.model.eta_map.low, strict=True))


def test_a_cloud_is_the_same_in_pieces_and_in_the_store_of_sample(
    generator: Generator, at: dict[str, float], tmp_path: Path
) -> None:
    whole = generator.cloud(500, at, 3)
    pieces = [generator.push(generator.inputs(n, 3, start=start), at) for start, n in ((0, 200), (200, 300))]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    stored = ksdp.sample(DEFAULT, n=500, seed=3, out=tmp_path / "s.zarr", **at)
    np.testing.assert_array_equal(stored.frame(), whole)
    assert not np.array_equal(generator.cloud(500, at, 4), whole)


def test_extrapolation_is_a_warning_that_names_the_parameter(generator: Generator, at: dict[str, float]) -> None:
    assert generator.warnings(500, at) == []
    name = generator.names[0]
    (warning,) = generator.warnings(500, at, at | {name: 10 * generator.model.eta_map.high[0]})
    assert name in warning


def test_model_and_samples_know_what_was_simulated(generator: Generator, at: dict[str, float], tmp_path: Path) -> None:
    simulation = generator.model.simulation
    assert isinstance(simulation, SimulateConfig)
    assert simulation.dim == generator.model.dim
    assert ksdp.sample(DEFAULT, n=10, out=tmp_path / "s.zarr", **at).simulation == simulation


def stated(**changes: Any) -> dict[str, Any]:
    return SimulateConfig().model_dump(mode="json") | changes


def test_a_plugin_that_is_not_installed_and_a_later_entry_pass() -> None:
    simulation = provenance.simulation(stated(flow="lost-package:swirl", flow_params={"A": [1.0]}, later=3), "s.zarr")
    assert simulation.flow == "lost-package:swirl"
    assert simulation.parameters()["A"] == (1.0,)


@pytest.mark.parametrize("changes", [{"J": 0}, {"mu": [-1.0]}, {"dtype": "float16"}, {"dt": "long"}])
def test_a_wrong_entry_of_a_model_is_named_with_its_file(changes: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=rf"s\.zarr.*\b{next(iter(changes))}\b"):
        provenance.simulation(stated(**changes), "s.zarr")


def test_a_missing_entry_is_not_replaced_by_a_default() -> None:
    with pytest.raises(DataError, match="'flow'"):
        provenance.simulation({"init": "ksdp:ball", "T": 0.1, "J": 100, "dim": 2}, "own-clouds")
