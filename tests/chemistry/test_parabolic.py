"""The second equation under moving particles: the exact self-similar solution, first order in dt, states to the bit."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ksdp_cli.chemistry.base import Facts, Grid
from ksdp_cli.chemistry.beginning import StoredField, beginning
from ksdp_cli.chemistry.elliptic import Elliptic
from ksdp_cli.chemistry.parabolic import Parabolic, Params
from ksdp_cli.errors import ConfigError
from ksdp_cli.exact.self_similar import SelfSimilar, self_similar
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.gaussian import Gaussian

M, BEGIN = 4 * math.pi, 0.25


def started(exact: SelfSimilar, J: int, dt: float, T: float) -> tuple[Parabolic, Any, np.ndarray]:
    """Particles and chemical of the exact solution at t = BEGIN."""

    def c0(axes: Any) -> np.ndarray:
        return exact.chemical(np.sqrt(axes[0] ** 2 + axes[1] ** 2), BEGIN)

    facts = Facts(dim=2, particles=J, mass=M, T=T, dt=dt, delta=0.1, accuracy=1e-3, c0=c0, threads=2)
    chemistry = Parabolic(Params(eps=exact.eps), facts)
    x = exact.draw(J, BEGIN, 0)
    return chemistry, chemistry.start(x), x


def moved(exact: SelfSimilar, J: int, steps: int, T: float) -> tuple[Parabolic, Any, np.ndarray]:
    dt = T / steps
    chemistry, state, x = started(exact, J, dt, T)
    noise = np.random.default_rng(1)
    for _ in range(steps):
        state = chemistry.advance(state, x, dt)
        x = x + dt * chemistry.gradient(state, x) + math.sqrt(2 * dt) * noise.standard_normal(x.shape)
    return chemistry, state, x


@pytest.mark.parametrize("eps", [0.1, 1.0])
def test_the_self_similar_solution(eps: float) -> None:
    """L10: E|X|^2 = m_2 t, c(0, t) stands still, and the chemical's mass is M t / eps (L1)."""
    exact, T, J = self_similar(eps, M=M), 0.25, 20_000
    chemistry, state, x = moved(exact, J, 50, T)
    t = BEGIN + T
    squared = (x**2).sum(1)
    # four standard errors are met with probability 1 - 6e-5; the step adds its order, below 1 %
    assert abs(squared.mean() - exact.second_moment(t)) < 4 * squared.std() / math.sqrt(J) + 0.01 * squared.mean()
    centre = chemistry.field(state, x, Grid([np.zeros(1), np.zeros(1)])).item()
    assert centre == pytest.approx(float(exact.chemical(0.0, t)), rel=0.03)
    sizes: Any = chemistry.report(state)
    side, last = sizes["side"] * 4.0 ** (sizes["boxes"] - 1), state[f"c.{sizes['boxes'] - 1}"]
    assert last.flat[0].real * side**2 == pytest.approx(M * t / eps, rel=5e-3)
    assert all("outgrew" in warning for warning in chemistry.report(state)["warnings"])


def test_the_chemical_is_first_order_in_the_step() -> None:
    """Frozen particles: c at the origin after the same time, by 10, 20, 40 and 80 steps."""
    exact, values = self_similar(1.0, M=M), []
    for steps in (10, 20, 40, 80):
        chemistry, state, x = started(exact, 4000, 0.25 / steps, 0.25)
        for _ in range(steps):
            state = chemistry.advance(state, x, 0.25 / steps)
        values.append(chemistry.field(state, x, Grid([np.zeros(1), np.zeros(1)])).item())
    errors = np.abs(np.array(values[:3]) - values[3])
    # against 80 steps, the exact ratio of a first-order error is (1/10 - 1/80) / (1/20 - 1/80), and so on; 4.2 and 5
    # of a second-order one
    assert errors[0] / errors[1] == pytest.approx(7 / 3, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(3, rel=0.1)


def test_a_state_goes_on_to_the_bit_in_another_instance() -> None:
    exact = self_similar(1.0, M=M)
    one, state, x = started(exact, 3000, 0.01, 0.1)
    for _ in range(2):
        state = one.advance(state, x, 0.01)
    kept = {name: array.copy() for name, array in state.items()}
    after = one.advance(state, x, 0.005)
    other, _, _ = started(exact, 3000, 0.01, 0.1)
    again = other.advance(kept, x[np.random.default_rng(2).permutation(3000)], 0.005)
    assert all(np.array_equal(after[name], again[name]) for name in after if name.startswith("c."))
    assert all(np.array_equal(state[name], kept[name]) for name in kept)  # advance changes nothing in place


def test_cases_outside_of_parabolic_chemistry_are_refused() -> None:
    facts = Facts(dim=2, particles=10, mass=1.0, T=1.0, dt=0.1, delta=0.1, kernel=Blob)
    with pytest.raises(ConfigError, match="--kernel gaussian"):
        Parabolic(Params(), facts)
    own = type("Gaussian", (), {"__module__": "my_kernel"})  # of this name, and another force
    for delta in (0.0, 0.1):
        with pytest.raises(ConfigError, match=r"my_kernel\.Gaussian"):
            Parabolic(Params(modes=8), replace(facts, kernel=own, delta=delta))
    assert Parabolic(Params(modes=8), replace(facts, delta=0.0))
    with pytest.raises(ConfigError, match="modes = 7"):
        Parabolic(Params(modes=7), Facts(dim=2, particles=10, mass=1.0, T=1.0, dt=0.1, delta=0.1))


@pytest.mark.parametrize(("dim", "eps"), [(2, 1e-5), (2, 0.1), (3, 1e-5)])
def test_c_of_a_fixed_particle_is_the_convolution_of_heat_kernels(dim: int, eps: float) -> None:
    """c(r, t) = (M / eps) int_0^t H(r, s / eps + delta^2 / 4) ds, also where c has spread far beyond the cloud."""
    delta, T, steps, mass = 0.4, 0.1, 40, 3.0
    chemistry = Parabolic(Params(eps=eps), Facts(dim, 1, mass, T, T / steps, delta, 1e-2))
    x = np.full((1, dim), 0.3)
    state = chemistry.start(x)
    for _ in range(steps):
        state = chemistry.advance(state, x, T / steps)
    u, weight = np.polynomial.legendre.leggauss(200)
    top = math.log1p(4 * T / eps / delta**2)
    width2 = delta**2 * np.exp(top * (u + 1) / 2)  # 4 s / eps + delta^2
    r = np.array([0.0, 0.5, 1.0])
    kernels = np.exp(-(r[:, None] ** 2) / width2) / (math.pi * width2) ** (dim / 2)
    exact = mass * top / 8 * (kernels * width2 * weight).sum(1)
    line = Grid([0.3 + r, *[np.array([0.3])] * (dim - 1)])
    assert chemistry.field(state, x, line).ravel() == pytest.approx(exact, abs=6e-3 * exact[0])


@pytest.mark.parametrize("dim", [2, 3])
def test_the_elliptic_start_is_the_potential_of_the_kernel_and_stands_still(dim: int) -> None:
    facts = Facts(dim, 2, 3.0, 1.0, 0.1, 0.4, 1e-3, "elliptic", kernel=Gaussian, kernel_args=(0.16,))
    x, grid = np.array([[-0.5] * dim, [0.4] * dim]), Grid([np.array([-0.5, 0.1, 0.6])] * dim)
    chemistry = Parabolic(Params(eps=1e-3), facts)
    state = chemistry.start(x)
    exact = Elliptic(Elliptic.Params(), facts).field({}, x, grid)
    for _ in range(2):
        assert chemistry.field(state, x, grid) == pytest.approx(exact, abs=1e-3)
        state = chemistry.advance(state, x, 0.1)


@pytest.mark.parametrize(
    ("width", "params"), [(1e-3, Params(boxes=2)), (3.0, Params(box=4.0)), (30.0, Params(boxes=1))]
)
def test_an_initial_chemical_whose_mass_the_mesh_cannot_hold_is_refused(width: float, params: Params) -> None:
    facts = Facts(2, 100, 1.0, 0.01, 1e-3, 0.1, 1e-2, beginning(f"gaussian:2,{width}"))
    x = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    with pytest.raises(ConfigError, match="c0 has the mass 2"):
        Parabolic(params, facts).start(x)
    # free space takes boxes that are wide enough, also for a cloud elsewhere
    state = Parabolic(Params(), replace(facts, c0=beginning("gaussian:2,30"))).start(x + 20.0)
    assert state["c.0"].shape == (56, 29)


def test_a_periodic_run_goes_on_in_its_box_from_its_stored_chemical() -> None:
    nodes = 2.0 * ((np.arange(16) + 0.5) / 16 - 0.5)
    values = 1.0 + 0.5 * np.cos(math.pi * nodes)[:, None] * np.ones(16)
    stored = StoredField("a.zarr", [nodes, nodes], values.astype(np.float32), box=2.0)
    facts = Facts(2, 10, 1.0, 0.1, 0.01, 0.1, 1e-3, stored.within(2.0))
    x = np.random.default_rng(0).uniform(-1, 1, (10, 2))
    chemistry = Parabolic(Params(box=2.0), facts)
    c = chemistry.field(chemistry.start(x), x, Grid([nodes, nodes]))
    blob = math.exp(-((math.pi * 0.1) ** 2) / 4)
    assert c == pytest.approx(1.0 + blob * (values - 1.0), abs=1e-3)
    with pytest.raises(ConfigError, match="--box 2"):
        stored.within(3.0)


def test_too_few_boxes_for_c_are_told() -> None:
    facts = Facts(2, 10, 1.0, 0.1, 0.01, 0.1, 1e-2)
    x = np.random.default_rng(0).uniform(-1, 1, (10, 2))
    for boxes, eps, told in ((3, 1e-5, 1), (3, 1.0, 0), (0, 1e-5, 0)):
        chemistry = Parabolic(Params(eps=eps, boxes=boxes), facts)
        warnings: Any = chemistry.report(chemistry.start(x))["warnings"]
        assert sum("more --boxes" in one for one in warnings) == told


def test_an_elliptic_start_survives_boxes_that_are_outgrown() -> None:
    """The field of infinite mass reaches the edge of any box; in larger ones it is that of large boxes throughout."""
    facts = Facts(2, 300, 20.0, 0.2, 0.01, 0.15, 1e-3, "elliptic")
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (300, 2))
    corners = np.array([[-4.0, -4.0], [4.0, 4.0]])
    chemistry, large = (Parabolic(Params(eps=0.1), facts) for _ in range(2))
    state, other = chemistry.start(x), dict(large.start(np.concatenate([corners, x])))
    nested = large._of(other)
    other |= {f"c.{n}": modes for n, modes in enumerate(large._elliptic(nested, list(x.T)))}
    for factor in (1.0, 2.0, 4.0):
        state, other = chemistry.advance(state, factor * x, 0.01), large.advance(other, factor * x, 0.01)
    reports: Any = [one.report(held) for one, held in ((chemistry, state), (large, other))]
    assert [one["renewed"] > 0 for one in reports] == [True, False]
    slopes = [one.gradient(held, 4.0 * x) for one, held in ((chemistry, state), (large, other))]
    assert np.linalg.norm(slopes[0] - slopes[1]) < 5e-3 * np.linalg.norm(slopes[1])


def test_an_elliptic_start_survives_a_step_out_of_the_first_box() -> None:
    """A cloud that grows by 4 in one step, beside one whose boxes were large from the start."""
    facts = Facts(2, 300, 20.0, 0.2, 0.01, 0.3, 1e-3, "elliptic")
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (300, 2))
    corners = np.array([[-4.0, -4.0], [4.0, 4.0]])
    chemistry, large = (Parabolic(Params(eps=10.0), facts) for _ in range(2))
    state, other = chemistry.start(x), dict(large.start(np.concatenate([corners, x])))
    other |= {f"c.{n}": modes for n, modes in enumerate(large._elliptic(large._of(other), list(x.T)))}
    state, other = chemistry.advance(state, 4.0 * x, 0.01), large.advance(other, 4.0 * x, 0.01)
    slopes = [one.gradient(held, 4.0 * x) for one, held in ((chemistry, state), (large, other))]
    assert np.linalg.norm(slopes[0] - slopes[1]) < 4e-3 * np.linalg.norm(slopes[1])  # 5.4e-3 with a wrapped cloud


def test_a_later_end_has_the_boxes_that_c_needs() -> None:
    """Particles at rest, in a run to 2e-3 that goes on to 2 and in one to 2 from the start."""
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (300, 2))
    short, long = (Parabolic(Params(eps=0.1), Facts(2, 300, 20.0, T, 0.01, 0.15, 1e-3)) for T in (2e-3, 2.0))
    state, whole = short.start(x), long.start(x)
    assert len(state) < len(whole)
    state, whole = short.advance(state, x, 2e-3), long.advance(whole, x, 2e-3)
    for _ in range(40):
        state, whole = long.advance(state, x, 0.05), long.advance(whole, x, 0.05)
    assert {name: array.shape for name, array in state.items()} == {n: a.shape for n, a in whole.items()}
    grid = Grid([np.linspace(-6.0, 6.0, 7)] * 2)
    c, exact = long.field(state, x, grid), long.field(whole, x, grid)
    assert np.abs(c - exact).max() < 1e-4 * exact.max()
    assert long.report(state)["warnings"] == []


@pytest.mark.parametrize("dim", [2, 3])
def test_an_endless_c_is_that_of_a_point_outside_the_last_box(dim: int) -> None:
    facts = Facts(dim, 2, 3.0, 1.0, 0.1, 0.4, 1e-2, "elliptic", kernel=Gaussian, kernel_args=(0.16,))
    x = np.array([[-0.5] * dim, [0.5] * dim])
    chemistry = Parabolic(Params(eps=1e-3), facts)
    state = chemistry.start(x)
    far = 2.0 * chemistry._of(state).boxes[-1].side
    grid = Grid([np.array([0.1, far])] * dim)
    elliptic = Elliptic(Elliptic.Params(), facts)
    assert chemistry.field(state, x, grid) == pytest.approx(elliptic.field({}, x, grid), abs=1e-3)
    corner, h = (1,) * dim, 1e-3 * far
    line = Grid([far + h * np.array([-1.0, 0.0, 1.0]), *[np.array([far])] * (dim - 1)])
    c = chemistry.field(state, x, line).ravel()
    slope = chemistry.field_gradient(state, x, grid)
    assert slope[(0, *corner)] == pytest.approx((c[2] - c[0]) / (2 * h), rel=1e-4)


@pytest.mark.parametrize(("speed", "flow"), [(200.0, "shift"), (200.0, "shear")])
def test_a_flow_that_carries_or_draws_out_the_cloud(speed: float, flow: str) -> None:
    """Against the same steps in one large periodic box, by sums over all modes; c that is left behind is no image."""
    rng, eps, delta, T, steps = np.random.default_rng(0), 1.0, 0.4, 0.1, 25
    x0, dt, mass = rng.uniform(-1, 1, (100, 2)), T / steps, 20.0
    chemistry = Parabolic(Params(eps=eps), Facts(2, 100, mass, T, dt, delta, 1e-3, threads=2))
    state, sides = chemistry.start(x0), (speed * T + 12.0, 12.0)
    kx, ky = (2 * math.pi / side * np.arange(-n, n + 1) for side, n in zip(sides, (210, 42), strict=True))
    q2, modes, memory = kx[:, None] ** 2 + ky**2, np.zeros((421, 85), complex), eps / dt

    def waves(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.exp(1j * np.outer(kx, x[:, 0])), np.exp(1j * np.outer(ky, x[:, 1]))

    for n in range(steps):
        x = x0.copy()
        x[:, 0] += speed * n * dt * (1.0 if flow == "shift" else np.exp(-(x0[:, 1] ** 2)))
        state = chemistry.advance(state, x, dt)
        one, two = waves(x)
        density = one.conj() @ two.conj().T * mass / len(x) / math.prod(sides)
        modes = (memory * modes + density) / (q2 + memory)
    modes *= np.exp(-q2 * delta**2 / 4)
    exact = np.array(
        [np.einsum("qn,qn->n", one, part @ two).real for part in (1j * kx[:, None] * modes, 1j * ky * modes)]
    ).T
    assert np.linalg.norm(chemistry.gradient(state, x) - exact) < 2e-3 * np.linalg.norm(exact)
    report: Any = chemistry.report(state)
    assert report["stretch"][1] == 1 < report["stretch"][0]
    assert sum(array.size for name, array in state.items() if name[:2] == "c.") < 30_000
    assert all("outgrew" in warning for warning in report["warnings"])


def test_a_stored_state_of_a_periodic_box_goes_on() -> None:
    """It holds what it held before boxes were stretched."""
    chemistry = Parabolic(Params(box=4.0), Facts(2, 10, 1.0, 0.1, 0.01, 0.1, 1e-3))
    x = np.random.default_rng(0).uniform(-1, 1, (10, 2))
    assert sorted(chemistry.advance(chemistry.start(x), x, 0.01)) == ["c.0", "centre", "told", "width"]


def test_forces_that_cancel_have_no_error() -> None:
    """One particle, and all at one point: what rounding leaves is not compared with itself."""
    for x in (np.full((1, 2), 0.3), np.zeros((10, 2))):
        chemistry = Parabolic(Params(eps=0.1), Facts(2, len(x), 20.0, 0.1, 1e-3, 0.1, 1e-3))
        state = chemistry.advance(chemistry.start(x), x, 1e-3)
        assert np.abs(chemistry.gradient(state, x)).max() < 1e-12
        assert chemistry.report(state)["warnings"] == []
