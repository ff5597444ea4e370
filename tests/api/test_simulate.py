"""What `simulate` promises beside the physics: its grid of times, its doubts, what it refuses, and a blow-up's end."""

from __future__ import annotations

import itertools
import math
import shutil
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

import ksdp_cli as ksdp
from ksdp_cli.api.headers import extend
from ksdp_cli.base.memory import available_memory
from ksdp_cli.errors import ConfigError, DataError, NumericalError, ResourceError
from ksdp_cli.particles.intervals import intervals
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.simulation import Simulation
from ksdp_cli.plugin import Params

#: The same examples every time, however slow the machine is.
SAME = settings(derandomize=True, deadline=None, database=None)
TIMES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=6, unique=True).map(sorted)


@SAME
@given(times=TIMES, dt=st.floats(1e-3, 0.3))
def test_steps_cover_the_time_without_gap_or_overlap(times: list[float], dt: float) -> None:
    parts = list(intervals(tuple(times), dt))
    steps = [part.step(index) for part in parts for index in range(part.count)]
    assert [part.first for part in parts] == [sum(p.count for p in parts[:k]) for k in range(len(parts))]
    for (t, length), (following, _) in itertools.pairwise(steps):
        assert t + length == pytest.approx(following, abs=1e-12)
    assert all(0 <= length <= dt * (1 + 1e-12) for _, length in steps)
    for part, time in zip(parts, times, strict=True):
        assert part.end * dt == pytest.approx(time, abs=2e-6 * dt)


@SAME
@given(numbers=st.lists(st.integers(0, 500), min_size=1, max_size=6, unique=True).map(sorted))
def test_snapshots_at_multiples_of_dt_do_not_touch_the_steps(numbers: list[int]) -> None:
    dt = 1e-4
    steps = [part.step(i) for part in intervals(tuple(n * dt for n in numbers), dt) for i in range(part.count)]
    assert steps == [(float(n) * dt, dt) for n in range(numbers[-1])]


def test_a_run_extends_by_later_snapshots() -> None:
    def times(stored: tuple[float, ...], **asked: Any) -> tuple[float, ...]:
        return extend(pose(asked), stored).config.snapshots

    assert times((0.1,), T=0.1) == (0.1,)
    assert times((0.1,), T=0.2) == (0.1, 0.2)
    assert times((0.1, 0.2), T=0.2) == (0.1, 0.2)
    assert times((0.1,), snapshots=(0.1, 0.15, 0.2)) == (0.1, 0.15, 0.2)
    assert times((0.1 + 1e-17, 0.3), T=0.3) == (0.1 + 1e-17, 0.3)
    assert times((0.1, 0.2), T=0.1) == (0.1,)  # an earlier end, which the store refuses
    assert times((0.1, 0.2), snapshots=(0.15, 0.3)) == (0.15, 0.3)  # a snapshot that was passed by


class Drift:
    """A flow that carries everything along: the cloud leaves its place by thousands of its width."""

    dims = (2,)

    class Params(Params):
        speed: float = Field(1e6, description="speed [length / time]")

    def __init__(self, params: Any, dim: int) -> None:
        self.params = params

    def velocity(self, x: Any, t: float) -> Any:
        return 0 * x + self.params.speed


class Jump(Drift):
    """Nothing until t = 1e-3; then, not a number."""

    def velocity(self, x: Any, t: float) -> Any:
        return x * (math.nan if t > 1e-3 else 0.0)


def test_a_translation_is_no_blow_up(tmp_path: Path) -> None:
    run = ksdp.simulate(flow=Drift, J=100, T=1e-3, M=0, out=tmp_path / "a.zarr")
    assert run.frame().mean() == pytest.approx(1e3, rel=1e-3)


def test_the_default_runs_have_no_doubts(tmp_path: Path) -> None:
    said: list[str] = []
    flows = ("none", "laminar2d", "laminar3d", "kolmogorov", "hyperbolic")
    for name in flows:
        ksdp.simulate(flow=name, J=200, T=2e-4, out=tmp_path / f"{name}.zarr", warn=said.append)
    ksdp.simulate(dim=3, J=200, T=2e-4, out=tmp_path / "3d.zarr", warn=said.append)
    assert said == []


def test_a_step_too_long_for_the_flow_is_doubted_at_the_worst_case(tmp_path: Path) -> None:
    """max |grad v| = 2 pi A: at dt = 1e-3 and A = 50 a step carries a particle over 0.31 of the length scale."""
    said: list[str] = []
    options: dict[str, Any] = {"flow": "kolmogorov", "A": (1.0, 50.0), "J": 50, "M": 0, "T": 0.01, "dt": 1e-3}
    ksdp.simulate(**options, out=tmp_path / "a.zarr", warn=said.append)
    assert len(said) == 1
    assert "by 0.31 of its length scale in one step of dt = 0.001 at A = 50: E|X|^2 may be off by over 1%" in said[0]
    assert "use --dt 0.0003 or --dt auto --scheme heun" in said[0]
    said.clear()
    ksdp.simulate(**options, scheme="heun", out=tmp_path / "b.zarr", warn=said.append)
    assert len(said) == 1
    assert "use --dt 0.0003 --scheme heun or --dt auto" in said[0]


class Pair:
    """Two particles at a distance of 2 delta = 0.2."""

    dims: ClassVar[tuple[int, ...]] = (2,)

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> np.ndarray:
        return np.array([[-0.1, 0], [0.1, 0]], np.float32)


def test_a_step_too_long_for_the_kernel_is_doubted_with_the_drift_that_was_met(tmp_path: Path) -> None:
    """Each of two particles moves with M/2 r / (2 pi (r^2 + delta^2)) = M / pi for r = 0.2, delta = 0.1."""
    said: list[str] = []
    options: dict[str, Any] = {"init": Pair, "J": 2, "delta2": 0.01, "mu": 0, "dt": 1e-3, "T": 1e-3}

    def warn(message: str) -> None:
        if "in one step" in message:  # delta and the distance are doubted too
            said.append(message)

    ksdp.simulate(**options, M=50 * math.pi, out=tmp_path / "a.zarr", warn=warn)
    assert said == []
    run = ksdp.simulate(**options, M=60 * math.pi, out=tmp_path / "b.zarr", warn=warn)
    assert run.attrs["largest_pull"] == pytest.approx(0.6, rel=1e-6)
    assert len(said) == 1
    assert "by t = 0.001 the attraction moves particles by 0.6 delta in one step of dt = 0.001" in said[0]
    assert "use --dt 0.0008" in said[0]


@pytest.mark.parametrize(
    "options",
    [
        {"M": 1e8},
        {"kernel": "coulomb", "M": 1e6},
        {"flow": "hyperbolic", "A": 3e4},
        {"M": 1e36, "dtype": "float64"},
    ],
)
def test_an_exploding_step_stops_the_run(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(NumericalError) as caught:
        ksdp.simulate(J=300, T=0.01, out=tmp_path / "a.zarr", **options)
    message = str(caught.value)
    for part in ("blow-up after t = ", "smallest pair distance", "delta = 0.0316", "against the critical 8 pi", "--dt"):
        assert part in message
    run = ksdp.open_run(tmp_path / "a.zarr")
    assert run.complete
    assert np.isfinite(run.frame()).all()
    assert "particles move by" in run.attrs["blow_up"]


def test_the_last_good_frame_is_the_one_before_the_step_that_failed(tmp_path: Path) -> None:
    options: dict[str, Any] = {"flow": Jump, "J": 50, "snapshots": (5e-4, 0.1)}
    for resume in (False, True):  # and the same command fails in the same way again
        with pytest.raises(NumericalError, match=r"blow-up .*0\.0011"):
            ksdp.simulate(**options, out=tmp_path / "a.zarr", resume=resume)
        run = ksdp.open_run(tmp_path / "a.zarr")
        assert run.times.tolist() == [5e-4, pytest.approx(1.1e-3)]
    good = ksdp.simulate(**options | {"snapshots": (5e-4, run.times[-1])}, out=tmp_path / "b.zarr")
    assert all(np.array_equal(run.frame(0, k), good.frame(0, k)) for k in (0, 1))


def test_a_sweep_keeps_the_frames_that_all_cases_have(tmp_path: Path) -> None:
    with pytest.raises(NumericalError, match=r"M = 1e\+08.*\(1\)"):
        ksdp.simulate(M=(1.0, 1e8), J=50, snapshots=(0, 0.01), out=tmp_path / "a.zarr")
    assert ksdp.open_run(tmp_path / "a.zarr").times.tolist() == [0.0]


class Hole(Pair):
    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> np.ndarray:
        return np.full((n, dim), np.nan, np.float32)


def test_a_cloud_that_is_not_finite_is_no_blow_up(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not finite"):
        ksdp.simulate(init=Hole, J=5, T=1e-3, out=tmp_path / "a.zarr")


def test_runs_too_large_are_refused_before_any_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResourceError, match=r"6\.71e\+04 GiB"):
        ksdp.simulate(J=10**12, out=tmp_path / "a.zarr")
    with pytest.raises(ConfigError, match=r"1e\+13 steps"):
        ksdp.simulate(dt=1e-14, out=tmp_path / "a.zarr")
    with pytest.raises(ConfigError, match="float32"):
        ksdp.simulate(M=1e39, out=tmp_path / "a.zarr")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10**6))
    with pytest.raises(ResourceError, match=r"50000 .*1\.6 MB.* 1 MB free"):
        ksdp.simulate(J=50_000, snapshots=(0, 1e-4, 2e-4), out=tmp_path / "new" / "a.zarr")
    with pytest.raises(ResourceError, match=r"^1 frame .*1\.6 MB"):
        ksdp.simulate(J=50_000, mu=(1, 2), snapshots=(1e-4,), out=tmp_path / "a.zarr")
    assert not list(tmp_path.iterdir())


def test_available_memory_is_less_than_there_is() -> None:
    assert 10e6 < available_memory() < 1e15


def test_the_first_steps_tell_what_to_expect(tmp_path: Path) -> None:
    told: list[str] = []
    run = ksdp.simulate(J=200, A=(1, 2), flow="laminar2d", T=3e-3, out=tmp_path / "a.zarr", tell=told.append)
    assert len(told) == 1
    assert told[0].startswith("60 steps of 200 particles in 2 cases, direct engine on cpu")
    assert "kB of disk" in told[0]
    assert run.attrs["steps"] == 60


def test_the_state_of_a_checkpoint_is_the_one_after_the_last_step() -> None:
    simulation = Simulation(pose({"J": 30, "T": 1e-3}), "cpu")
    simulation.start()
    seen: list[tuple[int, float, np.ndarray]] = []
    simulation.run(
        lambda k, frame: None,
        lambda done: seen.append((done, simulation.moving.time(), simulation.snapshot()[0].x)),
    )
    assert [done for done, _, _ in seen] == list(range(1, 11))
    assert [t for _, t, _ in seen] == pytest.approx([1e-4 * n for n in range(1, 11)])
    assert all(not np.array_equal(a, b) for (_, _, a), (_, _, b) in itertools.pairwise(seen))


def test_a_tree_that_misses_its_accuracy_is_doubted_once(tmp_path: Path) -> None:
    """About the first case of a sweep that does; the store holds the worst error. float32 cannot keep 2e-7."""
    told: list[str] = []
    options: dict[str, Any] = {"J": 1500, "T": 2e-3, "dt": 1e-3, "M": [20, 50], "engine": "tree", "warn": told.append}
    run = ksdp.simulate(out=tmp_path / "a.zarr", accuracy=2e-7, **options)
    (doubt,) = told
    assert "--accuracy 2e-07" in doubt
    assert "M = 20" in doubt
    assert all(report["worst_error"] > 2e-7 for report in run.attrs["engine"])
    told.clear()
    ksdp.simulate(out=tmp_path / "b.zarr", accuracy=1e-4, **options)
    assert told == []
