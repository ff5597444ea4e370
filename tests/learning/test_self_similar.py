"""A map with an exact answer for eps > 0: on the self-similar solution (L10), from the law at t_0, x sqrt(t / t_0)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.exact.self_similar import self_similar
from ksdp_cli.metrics import exact_w2_squared

BEGIN, EPS, M = 0.25, 1.0, 4 * math.pi


@pytest.mark.slow
def test_the_learned_map_is_the_exact_scaling(tmp_path: Path) -> None:
    """Trained on t_0 to 4 t_0: at times between, the law is within its noise, and each particle goes where it must."""
    exact, J = self_similar(EPS, M=M), 4000
    times = BEGIN * np.linspace(1.0, 4.0, 7)
    clouds = {float(t): exact.draw(J, float(t), 100 + i) for i, t in enumerate(times)}
    store = ksdp.clouds(clouds, names=["t"], source=exact.draw(J, BEGIN, 1), out=tmp_path / "a.zarr")
    trained = ksdp.train(store, N=500, steps=600, out=tmp_path / "a.safetensors")
    model = ksdp.open_model(trained.path)
    for t in (0.375, 0.8, 1.0):
        x = exact.draw(2000, BEGIN, 7).astype(np.float32)
        found, scaled = np.asarray(model(x, t=t), np.float64), x.astype(np.float64) * math.sqrt(t / BEGIN)
        off = float(((found - scaled) ** 2).sum(1).mean())
        size = exact.second_moment(t)
        other, floor = exact.draw(2000, t, 8), exact.draw(2000, t, 9)
        value, least = exact_w2_squared(found, other), exact_w2_squared(floor, other)
        assert off < 0.01 * size
        assert value < least + 0.003 * size


def test_parameters_of_the_chemical_and_the_mass_are_learned_like_any_other(tmp_path: Path) -> None:
    """eta = (t, eps, k, M): a network of all that varies, evaluated between; another eps gives another cloud."""
    run = ksdp.simulate(
        chemistry="parabolic", eps=[0.1, 1.0], k=[0.0, 1.0], M=[10, 20], J=120, dt=2e-3, snapshots=[2e-3, 4e-3],
        delta2=0.05, accuracy=1e-2, box=6, modes=12, out=tmp_path / "a.zarr", warn=lambda _: None,
    )  # fmt: skip
    trained = ksdp.train(run, N=40, steps=3, out=tmp_path / "a.safetensors")
    model = ksdp.open_model(trained.path)
    assert set(model.eta_map.names) == {"t", "eps", "k", "M"}
    x = np.zeros((4, 2), np.float32)
    at = {"t": 3e-3, "eps": 0.5, "k": 0.5, "M": 15}
    assert not np.array_equal(model(x, **at), model(x, **{**at, "eps": 0.2}))
