"""c between the particles, of both chemistries, against exact answers; and runs that store it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import exp1

import ksdp_cli as ksdp
from ksdp_cli.api.field_grid import grid_of
from ksdp_cli.chemistry.base import Facts, Grid
from ksdp_cli.chemistry.beginning import Gaussian as Beginning
from ksdp_cli.chemistry.elliptic import Elliptic
from ksdp_cli.chemistry.parabolic import Parabolic, Params
from ksdp_cli.chemistry.potential import Potential
from ksdp_cli.errors import ConfigError, Interrupted, KsdpError, NumericalError
from ksdp_cli.exact.self_similar import self_similar
from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.coulomb import Coulomb
from ksdp_cli.kernels.eq7 import Eq7
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.problem import pose
from ksdp_cli.store.layout import field_files
from tests.kernels.test_potentials import DELTA2, FULL, POTENTIALS

SMALL: dict[str, Any] = {
    "chemistry": "parabolic", "eps": 0.5, "J": 200, "dt": 1e-3, "T": 6e-3, "delta2": 0.05, "M": 20, "accuracy": 1e-3,
    "store_field": 12,
}  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "dim"), [(Blob, 2), (Blob, 3), (Eq7, 2), (Eq7, 3), (Plummer, 3), (Gaussian, 2), (Gaussian, 3),
                        (Coulomb, 2), (Coulomb, 3)],
)  # fmt: skip
def test_the_table_is_the_potential_of_each_kernel(kernel: Any, dim: int) -> None:
    """With the constant of the Green's function: -log(r) / 2 pi, or 0 far away in space."""
    r = np.geomspace(0.1 * math.sqrt(DELTA2), 3.0, 60)
    points = [r, *[np.zeros_like(r)] * (dim - 1)]
    known = np.array([-POTENTIALS[kernel, dim](one) / FULL[dim] for one in r])
    if (kernel, dim) == (Blob, 3):
        known += math.pi / 2 / math.sqrt(DELTA2) / FULL[dim]
    found = Potential(kernel, (0.0 if kernel is Coulomb else DELTA2,), dim, 3.0).at(points, np.zeros((1, dim)))
    assert np.abs(found - known).max() < 1e-6 * np.abs(known).max()


def test_c_of_a_gaussian_cloud_is_its_closed_form() -> None:
    """A cloud of variance s^2 an axis makes c = -M/2pi (log r + E1(r^2/2s^2)/2); the blob adds delta^2/2 to s^2.

    Four standard errors of each of 121 points are exceeded with probability 0.8 %.
    """
    J, M, s, delta2 = 20_000, 7.0, 0.5, 0.02
    x = np.random.default_rng(3).normal(0, s, (J, 2))
    facts = Facts(2, J, M, 1.0, 1.0, math.sqrt(delta2), kernel=Gaussian, kernel_args=(delta2,), engine="direct")
    grid = Grid([np.linspace(-2, 2, 11) + 0.01, np.linspace(-2, 2, 11)])
    found = Elliptic(None, facts).field({}, x, grid)
    r2 = grid.axes[0][:, None] ** 2 + grid.axes[1][None, :] ** 2
    exact = -M / (4 * math.pi) * (np.log(r2) + exp1(r2 / (2 * s * s + delta2)))
    one = Potential(Gaussian, (delta2,), 2, 8.0)
    spread = np.array([
        np.std([one.at([np.array([a]), np.array([b])], x[i : i + 1])[0] for i in range(0, 400)])
        for a, b in [(grid.axes[0][0], 0.0), (0.01, 0.0)]
    ]).max()  # fmt: skip
    assert np.abs(found - exact).max() < 4 * M * spread / math.sqrt(J)


class Point(Ball):
    """All mass at the origin, where the self-similar solution begins, with c = 0."""

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
        return np.float32(1e-4) * super().draw(n, dim, seed, start, stream)


def test_c_at_the_centre_of_the_self_similar_solution_stands_still(tmp_path: Path) -> None:
    """L10: c(0, t) = V_0, read from the store, and all of c at the last time. Seeds scatter by 2 %, delta takes 2 %."""
    M, eps = 4 * math.pi, 1.0
    run = ksdp.simulate(
        chemistry="parabolic", eps=eps, M=M, J=1500, init=Point, dt=2e-2, T=0.4, snapshots=[0.2, 0.4], delta2=2e-2,
        accuracy=1e-2, store_field=21, field_side=4, out=tmp_path / "a.zarr",
    )  # fmt: skip
    exact = self_similar(eps, M=M)
    for k, t in enumerate(run.times):
        r = np.hypot(*np.meshgrid(*run.grid.axes()))
        assert np.abs(run.field(0, k) - exact.chemical(r, t)).max() < 0.08 * float(exact.chemical(0.0, t))
        assert run.field(0, k)[10, 10] == pytest.approx(float(exact.chemical(0.0, t)), rel=0.08)


def test_the_grid_in_a_periodic_box_holds_the_chemical_mass(tmp_path: Path) -> None:
    """L2: the midpoint rule over the box is its zero mode, M_c = (M_c eps/dt + M) / (eps/dt + k^2) a step; float32."""
    options = {**SMALL, "box": 8.0, "k": 2.0, "store_field": 64, "snapshots": [0, 1e-3, 6e-3]}
    run = ksdp.simulate(**options, out=tmp_path / "a.zarr")
    ds = run.dataset()
    mass, told, memory = 0.0, ds["c"].sum(("x", "y")).values[0] * (8.0 / 64) ** 2, 0.5 / 1e-3
    for step in range(7):
        if step in (0, 1, 6):
            assert told[(0, 1, 6).index(step)] == pytest.approx(mass, rel=1e-5, abs=1e-12)
        mass = (mass * memory + 20.0) / (memory + 4.0)
    assert float(ds["x"][0]) == pytest.approx(-4 + 4 / 64)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("chemistry", ["parabolic", "elliptic"])
def test_the_gradient_of_c_is_stored_and_is_its_gradient(chemistry: str, dim: int, tmp_path: Path) -> None:
    """Against differences of the stored c, of second order in the spacing; and exported with it."""
    options = {
        **SMALL,
        "chemistry": chemistry,
        "kernel": "gaussian",
        "dim": dim,
        "delta2": 0.3,
        "store_gradient": "yes",
    }
    options |= {"store_field": 32, "field_side": 3, "snapshots": [2e-3, 6e-3], "M": [10, 20], "J": 50}
    if chemistry == "elliptic":
        del options["eps"]
    run = ksdp.simulate(**options, out=tmp_path / "a.zarr")
    bare = ksdp.simulate(**{**options, "store_gradient": "no"}, out=tmp_path / "b.zarr")
    assert run.grid is not None
    inside = (slice(1, -1),) * dim
    for case, k in ((0, 0), (1, 1)):
        c, slope = run.field(case, k), run.gradient(case, k)
        assert c.tobytes() == bare.field(case, k).tobytes()
        told = np.stack(np.gradient(c.astype(np.float64), run.grid.h))
        assert np.abs(told - slope)[:, *inside].max() < 0.02 * np.abs(slope).max()
    ds = run.dataset()
    assert ds["grad_c"].dims == ("case", "time", "axis", *"xyz"[:dim])
    assert ds["grad_c"].sel(axis="y").values[1, 1].tobytes() == run.gradient(1, 1)[1].tobytes()
    with pytest.raises(ConfigError, match="no gradient"):
        bare.gradient()
    with pytest.raises(ConfigError, match="field-side"):
        ksdp.simulate(J=10, T=1e-3, field_side=2.0, out=tmp_path / "a.zarr")
    with pytest.raises(ConfigError, match="store-gradient"):
        ksdp.simulate(**{**options, "store_field": 0}, out=tmp_path / "c.zarr")
    file = field_files(run.path, run.header, 0, 1)["grad_c"]
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert run.gradient(0, 0).any()
    with pytest.raises(KsdpError, match="unreadable"):
        run.gradient(0, 1)


@pytest.mark.parametrize("chemistry", ["parabolic", "elliptic"])
def test_with_the_field_a_run_goes_on_to_the_bit_and_moves_as_without(chemistry: str, tmp_path: Path) -> None:
    options = {**SMALL, "chemistry": chemistry, "M": [10, 20], "kernel": "gaussian", "snapshots": [2.5e-3, 6e-3]}
    options |= {"store_gradient": "yes"}
    if chemistry == "elliptic":
        del options["eps"]
    whole = ksdp.simulate(**options, out=tmp_path / "whole.zarr")
    bare = ksdp.simulate(**{**options, "store_field": 0, "store_gradient": "no"}, out=tmp_path / "bare.zarr")
    calls = iter(range(5))
    with pytest.raises(Interrupted):
        ksdp.simulate(**options, out=tmp_path / "cut.zarr", stop=lambda: None if next(calls, None) is not None else 15)
    cut = ksdp.simulate(**options, out=tmp_path / "cut.zarr", resume=True)
    for case in (0, 1):
        for k in (0, 1):
            assert whole.frame(case, k).tobytes() == bare.frame(case, k).tobytes() == cut.frame(case, k).tobytes()
            assert whole.field(case, k).tobytes() == cut.field(case, k).tobytes()
            assert whole.gradient(case, k).tobytes() == cut.gradient(case, k).tobytes()
    alone = ksdp.simulate(**options, out=tmp_path / "alone.zarr", case=1)
    assert alone.progress() == [0, 2]
    assert ksdp.simulate(**options, out=tmp_path / "alone.zarr", case=0).field(1).tobytes() == whole.field(1).tobytes()


def test_a_later_end_keeps_the_grid(tmp_path: Path) -> None:
    options = {**SMALL, "J": 50}
    first = ksdp.simulate(**options, out=tmp_path / "a.zarr")
    longer = ksdp.simulate(**{**options, "T": 0.5, "dt": 1e-3, "snapshots": [6e-3, 8e-3]} | {"T": 8e-3},
                           out=tmp_path / "a.zarr", resume=True)  # fmt: skip
    assert longer.grid == first.grid
    assert longer.field(0, 0).tobytes() == first.field().tobytes()
    with pytest.raises(ConfigError, match="store_field"):
        ksdp.simulate(**{**options, "store_field": 13}, out=tmp_path / "a.zarr", resume=True)


def test_a_blow_up_keeps_the_field_of_its_last_frame(tmp_path: Path) -> None:
    with pytest.raises(NumericalError):
        ksdp.simulate(J=200, M=1e5, T=0.1, dt=1e-2, kernel="coulomb", store_field=8, out=tmp_path / "a.zarr")
    run = ksdp.open_run(tmp_path / "a.zarr")
    assert np.isfinite(run.field()).all()


def test_the_grid_goes_where_the_flow_takes_the_cloud() -> None:
    """A Gaussian's width in the flow alone is not known to a box around its beginning."""
    for flow, A, low, high in (("none", 0, -2.5, 2.5), ("laminar2d", 50, -3, 9)):
        problem = pose({"flow": flow, "T": 0.1, "store_field": 8} | ({"A": A} if A else {}))
        cloud = problem.initial.draw(1000, 2, 0)
        grid = grid_of(problem, cloud)
        assert grid is not None
        assert low < grid.low[0] < -1.3
        assert high > grid.low[0] + grid.side > (1.3 if flow == "none" else 4.0)


def test_fields_that_cannot_be_stored_are_refused(tmp_path: Path) -> None:
    for change, words in (({"dim": 3, "store_field": 800}, "645"), ({"init": "points.npy"}, "field-side")):
        if "init" in change:
            np.save(tmp_path / "points.npy", np.ones((10, 2)))
            change = {"init": str(tmp_path / "points.npy"), "delta2": 0.0, "T": 0.0, "kernel": "coulomb"}
        with pytest.raises(ConfigError) as error:
            ksdp.simulate(**{"J": 10, "store_field": 8} | change, out=tmp_path / "b.zarr")
        assert words in str(error.value) + str(error.value.hint)


def test_a_stored_field_is_the_chemical_at_the_start(tmp_path: Path) -> None:
    """A run that goes on with cloud and chemical of another one begins with its c, smoothed by the blob."""
    known = {**SMALL, "box": 6.0, "k": 3.0, "J": 400, "modes": 96, "store_field": 96, "delta2": 2.5e-3}
    first = ksdp.simulate(**known, out=tmp_path / "a.zarr")
    told = {"init": str(tmp_path / "a.zarr"), "c0": str(tmp_path / "a.zarr"), "T": 2e-3, "snapshots": [0, 2e-3]}
    second = ksdp.simulate(**{**known, **told}, out=tmp_path / "b.zarr")
    q = 2 * math.pi * np.fft.fftfreq(96, 6.0 / 96)
    blob = np.exp(-(q[:, None] ** 2 + q[None, :] ** 2) * known["delta2"] / 4)
    smoothed = np.fft.ifft2(np.fft.fft2(first.field()) * blob).real
    assert np.abs(second.field(0, 0) - smoothed).max() < 2e-3 * smoothed.max()
    assert second.field(0, 1).max() > first.field().max()
    assert second.attrs["chemical"]["sha256"]
    again = ksdp.simulate(**{**known, **told, "T": 4e-3, "snapshots": [0, 2e-3, 4e-3]}, out=tmp_path / "b.zarr",
                          resume=True, workers=1)  # fmt: skip
    assert again.field(0, 1).tobytes() == second.field(0, 1).tobytes()
    bare = ksdp.simulate(J=10, T=0, out=tmp_path / "c.zarr")
    for c0, words in (
        (str(bare.path), "--store-field"),
        ("gaussian:1", "c0 ="),
        ("gaussian:1,0", "width"),
        ("zer", "zer"),
    ):
        with pytest.raises(KsdpError) as error:
            ksdp.simulate(**{**known, "c0": c0}, out=tmp_path / "d.zarr")
        assert words in str(error.value)
    with pytest.raises(ConfigError, match="no memory"):
        ksdp.simulate(J=10, c0="elliptic", out=tmp_path / "d.zarr")


@pytest.mark.parametrize("box", [0.0, 8.0])
def test_a_gaussian_chemical_spreads_as_it_must(box: float) -> None:
    """Without particles' mass c is a heat kernel of mass m e^(-k^2 t / eps) and variance w^2 + 2 t / eps, to which the
    blob adds delta^2 / 2; first order in dt."""
    eps, k, t, m, w = 0.5, 1.0, 0.02, 3.0, 0.3
    c0 = Beginning(m, w)
    facts = Facts(2, 50, 0.0, t, t / 200, delta=0.05, accuracy=1e-3, c0=c0)
    chemistry = Parabolic(Params(eps=eps, k=k, box=box), facts)
    x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    state = chemistry.start(x)
    grid = Grid([np.linspace(-1, 1, 9)] * 2)
    exact = Beginning(m, math.sqrt(w * w + facts.delta**2 / 2))(np.meshgrid(*grid.axes))
    assert np.abs(chemistry.field(state, x, grid) - exact).max() < 0.01 * exact.max()
    for _ in range(200):
        state = chemistry.advance(state, x, t / 200)
    r2 = grid.axes[0][:, None] ** 2 + grid.axes[1][None, :] ** 2
    variance = w * w + facts.delta**2 / 2 + 2 * t / eps
    exact = m * math.exp(-k * k * t / eps) / (2 * math.pi * variance) * np.exp(-r2 / (2 * variance))
    assert np.abs(chemistry.field(state, x, grid) - exact).max() < 0.01 * exact.max()
