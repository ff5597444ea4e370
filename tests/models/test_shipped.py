"""The networks that ship: their provenance is whole, and they agree with a small fresh simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ksdp_cli import pretrained as models
from ksdp_cli.api import simulate
from ksdp_cli.api.references import reference_options
from ksdp_cli.experiments.definition import SHIPPED, TABLE2, read
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.model import Model
from ksdp_cli.metrics import exact_w2_squared
from ksdp_cli.particles.problem import pose

J, DT = 1000, 5e-4
#: Standard deviation of the measured excess of a third simulation in the place of the network, at J = N = 1000: over 24
#: triples of independent simulations at the validation point of each experiment, 12 of those with eps > 0.
SPREAD = {
    "ks2d-time": 0.0026,
    "laminar2d-time": 0.0075,
    "laminar2d-amplitude": 0.0024,
    "laminar3d-amplitude": 0.0022,
    "kolmogorov-amplitude": 0.0041,
    "parabolic-time": 0.0019,
    "parabolic-joint": 0.0021,
}


def test_there_is_one_for_each_experiment_that_says_so() -> None:
    assert set(models.names()) == set(SHIPPED) > set(TABLE2)
    assert models.DEFAULT in models.names()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_says_how_it_was_made(name: str) -> None:
    model, wanted = Model.load(models.path(name)), configuration(name)
    stored = model.simulation.model_dump(mode="json", exclude={"device"})
    if stored["chemistry"] == "elliptic":  # older than chemistries, which have long names
        stored["chemistry"] = "ksdp:elliptic"
    assert stored == wanted
    assert set(model.eta_map.names) == set(read(name).rows[0].at)
    assert {"data_sha256", "versions", "command", "units"} <= set(model.provenance)
    assert not Path(model.provenance["data"]).is_absolute()
    assert model.provenance["command"].startswith("ksdp train ")
    assert models.path(name).stat().st_size < 40_000


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_agrees_with_a_small_fresh_simulation(name: str, tmp_path: Path) -> None:
    """Excess of W2^2 at N = 1000 over the floor between two simulations, at the first point of the experiment.

    A network as good as a simulation has excess 0 with the standard deviation of `SPREAD`, and leaves 5 of them with
    probability 6e-7 if the law is normal. Before its first gradient step the excess is 0.05 to 17.
    """
    (row, *_) = read(name).rows
    at, model = dict(row.at), Model.load(models.path(name))
    options = reference_options(configuration(name), at) | {"J": J, "dt": DT}
    a, b = (simulate(out=tmp_path / f"{k}.zarr", **options | {"seed": 9000 + k}).frame() for k in range(2))
    made = model.push(Ball().draw(J, model.dim, 9100), [at[key] for key in model.eta_map.names])
    floor = exact_w2_squared(a, b)
    excess = (exact_w2_squared(made, a) + exact_w2_squared(made, b)) / 2 - floor
    assert abs(excess) < 5 * SPREAD[name], (excess, floor)


def configuration(name: str) -> dict[str, Any]:
    return pose(read(name).simulate_options("paper")).config.model_dump(mode="json", exclude={"device"})
