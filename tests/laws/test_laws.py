"""Every law holds for what ships, and is broken when its term is: a sign, a factor, a centre, a source, the noise."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli import laws
from ksdp_cli.base.params import Params
from ksdp_cli.chemistry.parabolic import Parabolic
from ksdp_cli.cli._boundary import exit_code_of
from ksdp_cli.cli.assembly import app
from ksdp_cli.errors import ConfigError
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.laws import (
    base,
    brownian,
    chemical_decay,
    chemical_mass,
    collapse,
    critical_mass,
    divergence,
    few_particles,
    field_energy,
    frozen_modes,
    linear,
    momentum,
    scaling,
    scaling_run,
    second_moment,
    second_moment_run,
    short_run,
    spreading,
    standing,
    third_law,
    two_particles,
)
from ksdp_cli.particles.engines.direct_cpu import DirectCPU
from ksdp_cli.particles.problem import pose


class Repelling(Blob):
    """Of the wrong sign."""

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return -1.0 / (6.283185307179586 * (r2 + delta2))


class Doubled(Blob):
    """By the factor 2 of a forgotten half."""

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return 1.0 / (3.141592653589793 * (r2 + delta2))


class Unscaled(Blob):
    """With a length of its own beside delta."""

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return 1.0 / (6.283185307179586 * (r2 + delta2) * (1.0 + r2))


class DoubledInSpace(Plummer):
    """By the factor 2 of a forgotten half."""

    @staticmethod
    def g3d(r2: float, delta2: float) -> float:
        return 1.0 / (6.283185307179586 * (r2 + delta2) * math.sqrt(r2 + delta2))


class Hasty(Parabolic):
    """In steps of twice their length."""

    def advance(self, state: Any, x: Any, dt: float) -> Any:
        return super().advance(state, x, 2.0 * dt)


class Repelled(Parabolic):
    """With a gradient of the wrong sign, and a bias."""

    def gradient(self, state: Any, x: Any, scale: float = 1.0) -> Any:
        return 0.1 * scale - super().gradient(state, x, scale)


class Lengthy(Parabolic):
    """With a length of its own."""

    def gradient(self, state: Any, x: Any, scale: float = 1.0) -> Any:
        return super().gradient(state, x, scale) * (1.0 + x * x)


class Source:
    """v = x."""

    dims = (2,)
    Params = Params

    def __init__(self, params: Any, dim: int) -> None:
        pass

    def velocity(self, x: Any, t: float) -> Any:
        return 1.0 * x


@pytest.mark.parametrize(
    "options",
    [{"flow": "laminar2d"}, {"kernel": "plummer"}, {"kernel": "gaussian", "flow": "hyperbolic", "dim": 2},
     {"dim": 3}, {"dim": 3, "kernel": "coulomb", "flow": "laminar3d"}],
    ids=str,
)  # fmt: skip
def test_the_laws_hold_for_shipped_flows_and_kernels(options: dict[str, Any]) -> None:
    found = list(laws.check(options))
    assert {f.law: f.verdict for f in found} == {f.law: "holds" for f in found}
    plane = options.get("dim") != 3
    of_kernel = 3 * plane  # its critical mass, and those of few particles, but for one of a user's
    assert len(found) == 5 + ("flow" in options) + plane + of_kernel + (not plane)


@pytest.mark.parametrize("options", [{"eps": 0.1}, {"eps": 2.0, "mu": 0.5, "dim": 3}], ids=str)
def test_the_laws_hold_for_parabolic_chemistry(options: dict[str, Any]) -> None:
    found = list(laws.check({"chemistry": "parabolic"} | options))
    assert {f.law: f.verdict for f in found} == {f.law: "holds" for f in found}
    assert len(found) == 8 + 3 * (options.get("dim") != 3)


BROKEN: list[tuple[Any, dict[str, Any]]] = [
    (second_moment, {"kernel": Repelling}),
    (second_moment, {"kernel": Doubled}),
    (scaling, {"kernel": Unscaled}),
    (second_moment_run, {"kernel": Doubled}),
    (second_moment_run, {"kernel": Repelling}),
    (divergence, {"flow": Source}),
    (few_particles, {"kernel": Doubled}),
    (few_particles, {"kernel": Repelling}),
    (two_particles, {"kernel": Doubled}),
    (scaling_run, {"kernel": Unscaled}),
    (scaling_run, {"chemistry": Lengthy}),
    (collapse, {"kernel": DoubledInSpace, "dim": 3}),
    (momentum, {"chemistry": Repelled}),
    (spreading, {"chemistry": Repelled}),
    *((law, {"chemistry": Hasty}) for law in (chemical_mass, chemical_decay, frozen_modes)),
    *((law, {"chemistry": Hasty}) for law in (field_energy, linear, standing)),
]


@pytest.mark.parametrize(("law", "options"), BROKEN)
def test_a_wrong_term_breaks_its_law(law: Any, options: dict[str, Any]) -> None:
    assert law.check(pose(options)).verdict == "broken"


def test_a_force_that_does_not_come_back_breaks_the_third_law(monkeypatch: pytest.MonkeyPatch) -> None:
    class OneSided(DirectCPU):
        def __call__(self, x: Any) -> Any:
            force = super().__call__(x)
            force[0] *= 1.001
            return force

    monkeypatch.setattr(base, "DirectCPU", OneSided)
    assert third_law.check(pose({})).verdict == "broken"


def test_forces_of_another_size_break_the_critical_mass(monkeypatch: pytest.MonkeyPatch) -> None:
    class Louder(DirectCPU):
        def __call__(self, x: Any) -> Any:
            return 1.001 * super().__call__(x)

    monkeypatch.setattr(base, "DirectCPU", Louder)
    assert critical_mass.check(pose({})).verdict == "broken"


def test_noise_of_another_size_breaks_diffusion(monkeypatch: pytest.MonkeyPatch) -> None:
    def louder(*args: Any, **options: Any) -> Any:
        begin, end = short_run.ends(*args, **options)
        return begin, begin + 1.1 * (end - begin)

    assert brownian.check(pose({})).verdict == "holds"
    monkeypatch.setattr(brownian, "ends", louder)
    assert brownian.check(pose({})).verdict == "broken"


def test_the_factor_of_finite_particles_is_seen() -> None:
    """1 - 1/J at J = 400 is 1/400 of the attraction; the tolerance of the virial is 1e-6 of it."""
    problem = pose({})
    found = second_moment.check(problem)
    pull = problem.cases[0].chi * problem.cases[0].mass / (2 * np.pi)
    assert found.exact == pytest.approx(4.0 - pull * (1 - 1 / base.PARTICLES), rel=1e-12)
    assert pull / base.PARTICLES > 100 * found.tolerance


class OneSpeed:
    """A flow that forgets the axis."""

    dims = (2,)
    Params = Params

    def __init__(self, params: Params, dim: int) -> None: ...

    def velocity(self, x: Any, t: float) -> Any:
        return x[:, 0]


@pytest.mark.parametrize(("options", "says"), [({"flow": OneSpeed}, "returned shape"), ({"mu": [1, 2]}, "2 cases")])
def test_what_no_law_can_be_of_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        list(laws.check(options))


def test_laws_that_do_not_apply_are_left_out() -> None:
    """A flow that is not there has no divergence, and equation (6) is of the plane."""
    assert not divergence.holds(pose({}))
    assert not second_moment_run.holds(pose({"dim": 3}))


def test_options_that_no_law_uses_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Before the laws run; here the kernel, which is not there, ends the command first."""
    words = ["laws", "--dim", "3", "--J", "500", "--T", "1", "--delta2", "1e-3", "--kernel", "plumer"]
    assert exit_code_of(lambda: app(words, standalone_mode=False)) == 2
    told, error = capsys.readouterr().err.splitlines()
    assert told.startswith("ksdp: warning: no law uses --J, --T: ")
    assert "plumer" in error


def test_every_law_is_broken_once_and_is_in_the_documents() -> None:
    """By a wrong term above, or by a test of its own."""
    assert {law for law, _ in BROKEN} | {third_law, brownian, critical_mass} == set(laws.LAWS)
    page = (Path(__file__).parents[2] / "docs" / "laws.md").read_text(encoding="utf-8")
    for law in laws.LAWS:
        assert f"`{law.__name__.rpartition('.')[2]}`" in page
