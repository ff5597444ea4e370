"""Heavy particles: mass and centre to rounding, L14, and runs beyond the blow-up that resume to the bit."""

from __future__ import annotations

import math
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import ot
import pytest

import ksdp_cli as ksdp
from ksdp_cli.errors import ConfigError, Interrupted
from ksdp_cli.metrics import exact_w2_squared
from ksdp_cli.metrics.moments import moments
from ksdp_cli.particles.case_run import CaseRun
from ksdp_cli.particles.merging import Merging
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.simulation import Simulation

#: Blows up at 0.05.
BEYOND: dict[str, Any] = {"J": 400, "M": "24pi", "delta2": 1e-3, "dt": 1e-3, "T": 0.08, "merge": "delta"}


def moved(options: dict[str, Any]) -> CaseRun:
    simulation = Simulation(pose(options), "cpu")
    simulation.start()
    simulation.run(lambda k, clouds: None, lambda done: None)
    return simulation.runs[0]


def test_a_heavy_particle_holds_more_than_the_critical_mass() -> None:
    run = moved(BEYOND)
    (heavy,) = run.stepper.report()["heavy"]
    assert heavy["mass"] >= 8 * math.pi
    (rows,) = run.merging.members  # type: ignore[union-attr]
    assert heavy["mass"] == pytest.approx(24 * math.pi * len(rows) / 400)
    assert np.ptp(run.state.x[rows], axis=0).tolist() == [0, 0]
    away = np.delete(run.state.x, rows, axis=0) - run.state.x[rows[0]]
    assert np.linalg.norm(away, axis=1).min() > 4 * math.sqrt(1e-3)


def test_the_mean_of_all_particles_moves_as_it_would_have() -> None:
    """By the mean of the noise alone, through every merger, to the rounding of float64."""
    options = BEYOND | {"dtype": "float64", "engine": "direct"}
    run = moved(options)
    assert run.merging and run.merging.members  # noqa: PT018
    start = CaseRun(run.problem, run.case, "cpu")
    start.start()
    noise = sum(start.stepper.noise(np.dtype("f8"), step, 1e-3).mean(0) for step in range(80))
    np.testing.assert_allclose(run.state.x.mean(0), start.state.x.mean(0) + noise, rtol=0, atol=1e-13)


def test_a_merger_keeps_mass_and_centre() -> None:
    x = np.random.default_rng(0).standard_normal((300, 2))
    x[:90] *= 0.01
    x[90:180] = 0.01 * x[90:180] + 1.0
    merging = Merging(0.1, 60)
    y = merging.after(x)
    # E|x|^2 falls by what each group had about its own mean, and by nothing else
    lost = sum(((x[rows] - x[rows].mean(0)) ** 2).sum() for rows in merging.members) / 300
    assert lost > 1e-5
    assert (x**2).sum(1).mean() - (y**2).sum(1).mean() == pytest.approx(lost, rel=1e-9)
    assert [len(rows) >= 90 for rows in merging.members] == [True, True]
    np.testing.assert_allclose(y.mean(0), x.mean(0), rtol=0, atol=1e-15)
    for rows in merging.members:
        np.testing.assert_allclose(y[rows[0]], x[rows].mean(0), rtol=0, atol=1e-15)
    y[merging.members[1]] = y[merging.members[0][0]] + 0.05  # two heavy ones within the radius are one
    z = merging.after(y)
    assert len(merging.members) == 1
    np.testing.assert_allclose(z.mean(0), y.mean(0), rtol=0, atol=1e-15)
    again = Merging(0.1, 60)
    again.restore(z)
    assert np.array_equal(again.members[0], merging.members[0])


class Two:
    """Two point masses at a distance of 2, one of a quarter of the particles."""

    dims: ClassVar[tuple[int, ...]] = (2,)

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> np.ndarray:
        x = np.zeros((n, 2), np.float32)
        x[: n // 4, 0] = 2.0
        return x


def test_two_heavy_particles_meet_when_they_must() -> None:
    """L14: r^2 falls at the rate chi M / pi, whatever the two masses are, and they stay on their centre.

    They merge at r = 4 delta, and delta takes delta^2 / r^2 of the force: r^2 + 2 delta^2 log r is linear.
    """
    delta, M = 0.02, 20 * math.pi
    options = {"init": Two, "J": 40, "M": M, "mu": 1e-12, "delta2": delta**2, "dtype": "float64", "merge": "delta"}
    simulation = Simulation(pose(options | {"dt": 1e-4, "T": 0.25}), "cpu")
    simulation.start()
    run, met = simulation.runs[0], []

    def look(done: int) -> None:
        if not met and len(run.merging.members) == 1:  # type: ignore[union-attr]
            met.append(run.time())

    assert sorted(len(rows) for rows in run.merging.members) == [10, 30]  # type: ignore[union-attr]
    simulation.run(lambda k, clouds: None, look)
    r = 4 * delta
    fall = 4 - r**2 + 2 * delta**2 * math.log(2 / r)
    assert met[0] == pytest.approx(math.pi * fall / M, rel=0.01)
    np.testing.assert_allclose(run.state.x[0], [0.5, 0], atol=1e-5)
    assert run.stepper.report()["heavy"][0]["mass"] == pytest.approx(M)


def test_without_a_crowd_nothing_changes() -> None:
    options = BEYOND | {"T": 0.02}
    assert np.array_equal(moved(options).state.x, moved(options | {"merge": "none"}).state.x)
    assert moved(options | {"M": "4pi"}).merging is None


@pytest.mark.parametrize(
    "options", [{}, {"dt": "auto", "delta2": 4e-3}, {"engine": "tree"}], ids=["fixed", "auto", "tree"]
)
def test_a_run_beyond_its_blow_up_goes_on_to_the_same_bits(options: dict[str, Any], tmp_path: Path) -> None:
    run = BEYOND | options
    whole = ksdp.simulate(out=tmp_path / "whole.zarr", **run)
    taken = whole.attrs["engine"][0].get("steps_taken", 80)
    steps, out = count(), tmp_path / "parts.zarr"
    with pytest.raises(Interrupted):
        ksdp.simulate(out=out, resume=True, stop=lambda: 2 if next(steps) == int(0.9 * taken) else None, **run)
    parts = ksdp.simulate(out=out, resume=True, **run)
    assert np.array_equal(whole.frame(), parts.frame())
    assert whole.attrs["engine"][0]["heavy"] == parts.attrs["engine"][0]["heavy"] != []
    later = ksdp.simulate(out=out, resume=True, **run | {"T": 0.09})
    once = ksdp.simulate(out=tmp_path / "once.zarr", **run | {"snapshots": "0.08,0.09", "T": 0.09})
    assert np.array_equal(later.frame(), once.frame())


def test_rows_are_weights_for_moments_distances_and_networks(tmp_path: Path) -> None:
    run = ksdp.simulate(out=tmp_path / "a.zarr", **BEYOND | {"snapshots": "0.04,0.08"})
    points, weights = run.points()
    assert weights.max() > 1 / 3
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    (heavy,) = run.attrs["engine"][0]["heavy"]
    assert heavy["mass"] == pytest.approx(24 * math.pi * weights.max())
    np.testing.assert_allclose(points[weights.argmax()], heavy["centre"], rtol=1e-6)
    found = moments(run.frame().astype(np.float64))
    np.testing.assert_allclose(found.mean, weights @ points, atol=1e-8)
    assert found.second_moment == pytest.approx(weights @ (points.astype(np.float64) ** 2).sum(1))
    frame, other = run.frame(), np.random.default_rng(0).permutation(run.frame())
    assert exact_w2_squared(frame, other) == pytest.approx(0, abs=1e-12)
    compared = ksdp.compare(run, run, t=0.08, N=50, metrics="radial").as_dict()
    assert compared["second_moment_law"] is None  # which is below 0 by then
    early = run.frame(0, 0)
    costs = ((early[:, None].astype(np.float64) - points) ** 2).sum(2)
    weighted = ot.emd2(np.full(400, 1 / 400), weights, costs)
    assert exact_w2_squared(early, frame) == pytest.approx(weighted, rel=1e-6)
    trained = ksdp.train(run, out=tmp_path / "net.safetensors", steps=3, N=60, validate_n=60)
    assert np.isfinite(ksdp.open_model(trained.path)(early, t=0.08)).all()


def test_options_that_exclude_merging_are_refused() -> None:
    for options in ({"dim": 3}, {"device": "cuda"}, {"kernel": "coulomb", "delta2": 0}, {"origin": "moving"}):
        with pytest.raises(ConfigError, match="--merge delta"):
            pose(BEYOND | options)
