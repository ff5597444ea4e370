"""The collapse of a case, followed from step to step; and ``--merge stop``, which ends a run there."""

from __future__ import annotations

import math
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.following import CHANGE, is_due
from ksdp_cli.api.references import reference_options
from ksdp_cli.errors import ConfigError, Interrupted
from ksdp_cli.exact.collapse import Collapse
from ksdp_cli.metrics.concentration import concentration
from ksdp_cli.particles.problem import pose

#: Collapses at t = 0.0502; the snapshots say nothing of when.
RUN: dict[str, Any] = {"J": 2000, "dt": "auto", "dt_fraction": 2, "M": "24pi", "delta2": 5e-5, "T": 0.06}
STOP: dict[str, Any] = RUN | {"snapshots": "0.02:0.06:3", "merge": "stop"}


def test_the_time_does_not_hang_on_the_snapshots(tmp_path: Path) -> None:
    """With one frame, after the blow-up; 10 % is asked of one seed of 2000 particles."""
    run = ksdp.simulate(out=tmp_path / "a.zarr", **RUN)
    (looks,), (when,) = run.attrs["followed"], run.attrs["t_b"]
    assert when["t"] == pytest.approx(0.0502, rel=0.1)
    assert when["low"] < when["t"] < when["high"]
    assert 20 < len(looks["t"]) < 100
    assert {len(column) for column in looks.values()} == {len(looks["t"])}
    assert looks["critical_radius"][-1] < looks["critical_radius"][0] / 5
    assert (np.diff(looks["t"]) > 0).all()


def test_looks_come_as_often_as_the_cloud_changes() -> None:
    """R^2 = 1 - t, seen every 1e-6 at most: each look takes a fifth of what is left, so that 50 leave 1e-4 of it; and
    of a cloud that does not change the gaps double."""
    for square_at, most in ((lambda t: 1 - t, 90), (lambda t: 1.0, 25)):
        looks: list[dict[str, Any]] = []
        t = 0.0
        while t < 1 - 1e-4:
            t += 1e-6 if len(looks) < 2 else 1e-4
            if is_due(looks, t):
                looks.append({"t": t, "critical_radius": math.sqrt(square_at(t))})
        assert len(looks) < most
        squares = np.array([one["critical_radius"] ** 2 for one in looks])
        assert (squares[1:] > (1 - CHANGE) * squares[:-1] - 2e-4).all()


@pytest.mark.parametrize("radius", [None, 1.0])
def test_noise_is_not_looked_at_at_every_step(radius: float | None) -> None:
    """Densities, or squares of R, that are noise of a third: 5000 steps, and some 200 looks."""
    generator = np.random.default_rng(0)
    looks: list[dict[str, Any]] = []
    for t in np.linspace(0, 1, 5001)[1:]:
        if is_due(looks, t):
            noise = float(np.exp(0.3 * generator.standard_normal()))
            looks.append({"t": t, "density": noise, "critical_radius": radius and radius * noise})
    assert 20 < len(looks) < 300


def test_a_core_below_delta_is_looked_at_no_more(tmp_path: Path) -> None:
    """One percent of the mass is within four delta from the first step on: there is nothing to follow."""
    space: dict[str, Any] = {"dim": 3, "M": 300, "kernel": "plummer", "J": 200, "delta2": 0.1, "flow": "none"}
    run = ksdp.simulate(out=tmp_path / "a.zarr", dt=1e-3, T=0.1, chi=1, **space)
    assert len(run.attrs["followed"][0]["t"]) == 1


def test_no_critical_mass_is_nothing_to_follow(tmp_path: Path) -> None:
    """With mu = 0 the critical mass is 0, and its radius says nothing."""
    plane: dict[str, Any] = {"J": 100, "mu": 0, "M": "24pi", "T": 0.01, "dt": 1e-3}
    assert not {"followed", "t_b"} & set(ksdp.simulate(out=tmp_path / "a.zarr", **plane).attrs)
    with pytest.raises(ConfigError, match="mu = 0"):
        ksdp.simulate(out=tmp_path / "b.zarr", merge="stop", **plane)


def test_a_run_stops_at_its_collapse(tmp_path: Path) -> None:
    """It is the run that goes on, until the critical mass is within four delta; and it is complete."""
    told: list[str] = []
    run = ksdp.simulate(out=tmp_path / "a.zarr", tell=told.append, **STOP)
    whole = ksdp.simulate(out=tmp_path / "b.zarr", **STOP | {"merge": "none"})
    stopped = run.attrs["stopped"]
    assert run.complete
    assert 0.0475 < stopped["t"] < 0.0577
    assert [float(t) for t in run.times] == [0.02, 0.04, stopped["t"]]
    assert stopped["not_reached"] == [0.06]
    assert any("collapsed" in one and "not reached: t = 0.06" in one for one in told)
    for k in range(2):
        assert np.array_equal(run.frame(0, k), whole.frame(0, k))
    assert run.attrs["t_b"][0]["t"] == pytest.approx(0.0502, rel=0.1)
    x = run.frame(0, 2).astype(np.float64)
    near = np.sort(np.linalg.norm(x[:, None] - x[None, ::20], axis=2), axis=0)[len(x) // 3]
    assert near.min() < 4 * math.sqrt(5e-5)
    assert ksdp.info(run.path)["stopped"] == stopped
    with pytest.raises(ConfigError, match="t ="):
        ksdp.compare(run.path, whole.path, t=0.06)


LAST: dict[str, Any] = {"flow": "none", "J": 400, "dt": 1e-4, "chi": 1, "M": 100, "delta2": 1e-3, "merge": "stop"}
#: Stops within a step.
HALVED: dict[str, Any] = {"flow": "none", "J": 60, "dt": "auto", "M": 200, "T": 0.2, "merge": "stop"}


def test_a_collapse_seen_at_the_last_step(tmp_path: Path) -> None:
    """Whatever T is from there on, the run stops at the same time; nothing is left where T is that time."""
    first = ksdp.simulate(out=tmp_path / "a.zarr", T=0.05, **LAST).attrs["stopped"]
    assert first["not_reached"] == [0.05]
    assert ksdp.info(tmp_path / "a.zarr")["command"].endswith("--T 0.05")
    run = ksdp.simulate(out=tmp_path / "b.zarr", T=first["t"], **LAST)
    assert run.complete
    assert run.attrs["stopped"] == first | {"not_reached": []}
    told: list[str] = []
    ksdp.simulate(out=tmp_path / "a.zarr", T=0.08, resume=True, tell=told.append, **LAST)
    assert any("not reached: t = 0.05; nor does it go on to t = 0.08" in one for one in told)


@pytest.mark.parametrize(
    "where", ["api.integrating.change_times", "api.integrating.finish", "store.owner.Owner.annotate"]
)
@pytest.mark.parametrize("options", [LAST | {"T": 0.05}, HALVED], ids=["whole steps", "halved steps"])
def test_a_run_killed_where_it_stops_is_completed(
    where: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ksdp.simulate(out=tmp_path / "whole.zarr", **options)
    with monkeypatch.context() as patch:
        patch.setattr(f"ksdp_cli.{where}", _kill)
        with pytest.raises(KeyboardInterrupt):
            ksdp.simulate(out=tmp_path / "a.zarr", **options)
    run = ksdp.simulate(out=tmp_path / "a.zarr", resume=True, **options)
    assert run.complete
    assert np.array_equal(run.times, whole.times)
    for name in ("stopped", "followed", "t_b", "no_t_b"):
        assert run.attrs.get(name) == whole.attrs.get(name)
    assert np.array_equal(run.frame(0, 0), whole.frame(0, 0))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.zarr", "whole.zarr"]


def _kill(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_later_end_keeps_the_looks(tmp_path: Path) -> None:
    run: dict[str, Any] = RUN | {"T": None}
    whole = ksdp.simulate(out=tmp_path / "a.zarr", **run | {"snapshots": "0.03,0.06"})
    ksdp.simulate(out=tmp_path / "b.zarr", **run | {"snapshots": "0.03"})
    later = ksdp.simulate(out=tmp_path / "b.zarr", resume=True, **run | {"snapshots": "0.03,0.06"})
    for name in ("followed", "t_b"):
        assert later.attrs[name] == whole.attrs[name]


def test_a_run_that_stopped_has_no_later_end(tmp_path: Path) -> None:
    run, out = STOP | {"snapshots": "0.02,0.06", "T": None}, tmp_path / "a.zarr"
    times = ksdp.simulate(out=out, **run).times
    for later in (run, run | {"snapshots": "0.02,0.06,0.07"}):
        assert np.array_equal(ksdp.simulate(out=out, resume=True, **later).times, times)
    with pytest.raises(ConfigError, match="--snapshots"):
        ksdp.simulate(out=out, resume=True, **run | {"snapshots": "0.01,0.06"})
    with pytest.raises(ConfigError, match="another run"):
        ksdp.simulate(out=out, resume=True, **run | {"merge": "none"})


def test_a_run_stopped_by_a_signal_sees_the_same(tmp_path: Path) -> None:
    whole = ksdp.simulate(out=tmp_path / "whole.zarr", **STOP)
    out = tmp_path / "parts.zarr"
    for after in (20, 15):
        steps = count()
        with pytest.raises(Interrupted):
            ksdp.simulate(out=out, resume=True, stop=lambda n=steps, s=after: 2 if next(n) == s else None, **STOP)
    parts = ksdp.simulate(out=out, resume=True, **STOP)
    for name in ("followed", "stopped", "t_b", "concentration"):
        assert parts.attrs[name] == whole.attrs[name]
    assert np.array_equal(parts.frame(0, 2), whole.frame(0, 2))


def test_a_reference_of_it_goes_on() -> None:
    """Another seed may collapse earlier, and the frame that is compared would be missing."""
    stored = pose(STOP).config.model_dump(mode="json")
    assert reference_options(stored, {"t": 0.04})["merge"] == "none"
    assert reference_options(stored | {"merge": "delta"}, {"t": 0.04})["merge"] == "delta"


def test_a_collapse_in_space_is_followed(tmp_path: Path) -> None:
    """The exact collapse at T = 0.05, of which a core four delta wide holds 1 % of the mass somewhat before that."""
    exact = Collapse(0.05)
    space: dict[str, Any] = {"dim": 3, "init": "collapse", "M": exact.M, "kernel": "plummer", "J": 1500}
    run = ksdp.simulate(out=tmp_path / "a.zarr", dt="auto", dt_fraction=1, delta2=1e-4, T=0.06, merge="stop", **space)
    assert 0.02 < run.attrs["stopped"]["t"] < 0.06
    assert run.attrs["followed"][0]["critical_radius"][0] is None


def test_a_run_without_a_collapse_does_not_stop(tmp_path: Path) -> None:
    run = ksdp.simulate(out=tmp_path / "a.zarr", J=100, M="4pi", T=0.01, dt=1e-3, merge="stop")
    assert run.complete
    assert not {"stopped", "followed"} & set(run.attrs)


def test_options_that_exclude_merge_stop_are_refused(tmp_path: Path) -> None:
    for options in ({"delta2": 0, "kernel": "coulomb"}, {"device": "cuda"}, {"M": "20pi,24pi"}, {"seed": "0:1:2"}):
        with pytest.raises(ConfigError, match="--merge stop"):
            ksdp.simulate(out=tmp_path / "a.zarr", **{"J": 10, "T": 1e-3, "merge": "stop"} | options)
    with pytest.raises(ConfigError, match="--merge stop"):
        ksdp.simulate(out=tmp_path / "a.zarr", J=10, T=1e-3, merge="stop", case=0)


def test_a_densest_point_among_fewer() -> None:
    """A core of a tenth of the mass, 1e-2 wide: its centre is found, and radii are those of all particles."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((8000, 2))
    x[::10] = 0.01 * generator.standard_normal((800, 2)) + (1, 1)
    whole, thin = (concentration(x, 1.0, 0.05, 0.1, most=most) for most in (None, 1000))
    assert np.linalg.norm(thin.centre - (1, 1)) < 0.02
    assert thin.within == pytest.approx(whole.within, rel=0.05)
    assert thin.radii == pytest.approx(whole.radii, rel=0.1)
    assert thin.critical_radius is not None
    assert thin.density == pytest.approx(whole.density, rel=0.5)
