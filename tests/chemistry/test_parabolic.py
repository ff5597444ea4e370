"""The second equation under moving particles: the exact self-similar solution, first order in dt, states to the bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ksdp_cli.chemistry.base import Facts, Grid
from ksdp_cli.chemistry.parabolic import Parabolic, Params
from ksdp_cli.errors import ConfigError
from ksdp_cli.exact.self_similar import SelfSimilar, self_similar
from ksdp_cli.kernels.blob import Blob

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
    assert chemistry.mass(state) == pytest.approx(M * t / eps, rel=5e-3)
    assert all("outgrew" in warning for warning in chemistry.report(state)["warnings"])


def test_the_chemical_is_first_order_in_the_step() -> None:
    """Frozen particles: c at the origin after the same time, by 10, 20, 40 and 320 steps."""
    exact, values = self_similar(1.0, M=M), []
    for steps in (10, 20, 40, 320):
        chemistry, state, x = started(exact, 4000, 0.25 / steps, 0.25)
        for _ in range(steps):
            state = chemistry.advance(state, x, 0.25 / steps)
        values.append(chemistry.field(state, x, Grid([np.zeros(1), np.zeros(1)])).item())
    errors = np.abs(np.array(values[:3]) - values[3])
    # against 320 steps, the exact ratio of a first-order error is (1/10 - 1/320) / (1/20 - 1/320), and so on
    assert errors[0] / errors[1] == pytest.approx(31 / 15, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(15 / 7, rel=0.1)


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
    with pytest.raises(ConfigError, match="modes = 7"):
        Parabolic(Params(modes=7), Facts(dim=2, particles=10, mass=1.0, T=1.0, dt=0.1, delta=0.1))
