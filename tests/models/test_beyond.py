"""``--beyond simulate``: the network's particles at its last trained time, moved on by equation (8) and by no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli.api import sample, simulate
from ksdp_cli.cli.app import app
from ksdp_cli.errors import ConfigError, DataError, Interrupted
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.network import Network
from ksdp_cli.store import open_run


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def identity(names: tuple[str, ...] = ("t",), **options: Any) -> Model:
    """f(x; eta) = x, as if it were learned from a simulation of these options."""
    run = simulate(out="learned.zarr", overwrite=True, warn=lambda _: None, **options)
    network, count = Network(run.dim, len(names), "residual"), len(names)
    theta = network.initial(0)
    for part in network.layers(theta)[-1]:
        part[...] = 0
    high = tuple({"t": float(run.times[-1])}.get(name, 10.0) for name in names)
    eta = EtaMap(names, (0.0,) * count, high, (False,) * count)
    return Model(network, theta, eta, {}, {"simulation": dict(run.config)})


FREE: dict[str, Any] = {"M": 0, "J": 20_000, "snapshots": "0,0.1", "dt": 0.01, "mu": 0.7}


@pytest.mark.parametrize("dim", [2, 3])
def test_without_mass_and_flow_it_is_the_heat_law(dim: int) -> None:
    """Steps are exact then: |dX|^2 / (2 mu t) is chi^2 of d J degrees of freedom; 5 of its standard deviations."""
    model, mu, since = identity(dim=dim, **FREE), 0.7, 0.15
    start, end = (
        sample(model, n=20_000, t=0.1, seed=3),
        sample(model, n=20_000, t=0.1 + since, seed=3, beyond="simulate"),
    )
    moved, count = (end.frame() - start.frame()).astype(float), 20_000 * dim
    assert abs((moved**2).sum() / (2 * mu * since) - count) < 5 * np.sqrt(2 * count)
    assert abs(moved.mean(0)).max() < 5 * np.sqrt(2 * mu * since / 20_000)
    # E|X|^2 of the ball and of the noise, with the variance of their sum
    second = (end.frame().astype(float) ** 2).sum(1)
    wanted = dim / (dim + 2) + 2 * dim * mu * since
    assert abs(second.mean() - wanted) < 5 * second.std() / np.sqrt(len(second))


def test_beyond_equals_a_run_from_the_network_s_particles_to_the_bit() -> None:
    options: dict[str, Any] = {"flow": "laminar2d", "A": 30, "J": 300, "dt": 1e-3}
    model = identity(snapshots="0,0.01", **options)
    start = sample(model, t=0.01, n=300, seed=5)
    further = sample(model, t=0.04, n=300, seed=5, beyond="simulate")
    by_hand = simulate(init=start, T=0.03, seed=5, out="hand.zarr", **options)
    np.testing.assert_array_equal(further.frame(), by_hand.frame())
    assert further.times == by_hand.times == [0.04]


def test_the_store_records_the_last_trained_time_and_the_steps(capsys: pytest.CaptureFixture) -> None:
    identity(snapshots="0,0.01", flow="laminar2d", A=30, J=300, dt=1e-3).save("m.safetensors")
    words = ["m.safetensors", "--t", "0.02", "--n", "100", "--beyond", "simulate", "-o", "s.zarr"]
    assert not app(["sample", *words], standalone_mode=False)
    told = capsys.readouterr()
    assert "300 particles of the network at t = 0.01, then equation (8) to t = 0.02" in told.err
    assert "extrapolates" not in told.err
    assert "network to t = 0.01, then" in " ".join(told.out.split())
    run = open_run("s.zarr")
    about = run.attrs["beyond"]
    assert (about["method"], about["from"], about["J"], about["steps"], run.J) == ("simulate", 0.01, 300, 10, 100)
    assert run.attrs["outside_trained_range"] == []
    assert run.attrs["seconds"] >= about["seconds"] > 0
    assert run.attrs["command"].endswith("--beyond simulate")


def test_within_the_trained_times_the_network_alone_gives_it() -> None:
    model, told = identity(snapshots="0,0.1", J=100, dt=1e-2), []
    alone, same = (sample(model, t=0.05, n=50, beyond=how, tell=told.append) for how in ("network", "simulate"))
    np.testing.assert_array_equal(alone.frame(), same.frame())
    (sentence,) = told
    assert "t = 0.05" in sentence
    assert "0.1" in sentence
    assert same.attrs.get("beyond") is None


def test_a_network_without_t_goes_on_from_the_time_of_its_clouds() -> None:
    model = identity(("A",), flow="laminar2d", A=[0, 10], T=0.01, J=200, dt=1e-3)
    run = sample(model, A=4, t=0.03, n=200, beyond="simulate")
    assert (run.cases, list(run.times), run.attrs["beyond"]["from"]) == ([{"A": 4.0}], [0.03], 0.01)
    start = sample(model, A=4, n=200)
    by_hand = simulate(init=start, flow="laminar2d", A=4, T=0.02, J=200, dt=1e-3, out="hand.zarr")
    np.testing.assert_array_equal(run.frame(), by_hand.frame())
    with pytest.raises(ConfigError, match=r"t = 0\.005.* t = 0\.01"):
        sample(model, A=4, t=0.005, n=10, beyond="simulate")


def test_models_that_cannot_continue_are_refused_before_any_output() -> None:
    model = identity(snapshots="0,0.1", J=100, dt=1e-2)
    chemical = dict(model.provenance["simulation"]) | {
        "chemistry": "ksdp:parabolic", "kernel": "ksdp:gaussian", "chemistry_params": {"eps": [0.1], "k": [0.0]},
    }  # fmt: skip
    remembers = Model(model.network, model.theta, model.eta_map, {}, {"simulation": chemical})
    own = Model(model.network, model.theta, model.eta_map, {}, {"simulation": {"init": "ksdp:ball", "T": 0.1}})
    for one, kind, told in (
        (remembers, ConfigError, "the chemical of this model has a memory"),
        (own, DataError, "this model"),
    ):
        with pytest.raises(kind, match=told):
            sample(one, t=0.2, n=10, out="no.zarr", beyond="simulate")
        assert not Path("no.zarr").exists()
    with pytest.raises(ConfigError, match="beyond"):
        sample(model, t=0.2, n=10, beyond="guess")  # type: ignore[arg-type]


def test_a_continuation_can_be_stopped_between_steps() -> None:
    model = identity(snapshots="0,0.1", J=100, dt=1e-2)
    with pytest.raises(Interrupted, match="nothing is saved"):
        sample(model, t=0.5, n=10, beyond="simulate", stop=lambda: 2, out="s.zarr")
    sample(model, t=0.2, n=10, beyond="simulate", out="s.zarr")
    with pytest.raises(DataError, match="exists"):
        sample(model, t=0.2, n=10, beyond="simulate", out="s.zarr")
