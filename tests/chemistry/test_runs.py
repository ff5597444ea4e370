"""Runs with parabolic chemistry: an exact solution, the elliptic limit, sweeps, and going on to the bit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.clouds import chemical
from ksdp_cli.cli.info import _engines
from ksdp_cli.errors import ConfigError, Interrupted
from ksdp_cli.exact.self_similar import self_similar
from ksdp_cli.initial.ball import Ball
from ksdp_cli.particles.problem import pose

SMALL: dict[str, Any] = {
    "chemistry": "parabolic", "eps": 0.5, "J": 200, "dt": 1e-3, "T": 6e-3, "delta2": 0.05, "M": 20, "accuracy": 1e-3,
}  # fmt: skip


class Point(Ball):
    """All mass at the origin, where the self-similar solution begins, with c = 0."""

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
        return np.float32(1e-4) * super().draw(n, dim, seed, start, stream)


@pytest.mark.parametrize("eps", [pytest.param(0.1, marks=pytest.mark.slow), 1.0])
def test_the_self_similar_solution(eps: float, tmp_path: Path) -> None:
    """L10: E|X|^2 = m_2 t. Three standard errors fail for 1 of 370 seeds; delta and the step add less than 3 %."""
    J, M, T = 1500, 4 * math.pi, 0.5
    run = ksdp.simulate(
        chemistry="parabolic", eps=eps, M=M, J=J, T=T, dt=1e-2, delta2=5e-3, init=Point, accuracy=1e-3,
        out=tmp_path / "a.zarr",
    )  # fmt: skip
    squared = (run.frame().astype(float) ** 2).sum(1)
    exact = self_similar(eps, M=M).second_moment(T)
    assert abs(squared.mean() - exact) < 3 * squared.std() / math.sqrt(J) + 0.03 * exact
    assert abs(squared.mean() - 4 * T) > 10 * squared.std() / math.sqrt(J)  # that of particles without attraction


@pytest.mark.parametrize(("dim", "scheme"), [(2, "euler"), pytest.param(3, "heun", marks=pytest.mark.slow)])
def test_small_eps_is_the_elliptic_run_with_the_same_kernel(dim: int, scheme: str, tmp_path: Path) -> None:
    """The same Brownian path, so that the clouds differ by O(eps); at eps = 1 they are elsewhere."""
    known = {**SMALL, "dim": dim, "scheme": scheme, "c0": "elliptic"}
    known.pop("eps")
    known |= {"T": 3e-3, "J": 80, "delta2": 0.3} if dim == 3 else {}
    still = {name: known[name] for name in known if name != "c0"}
    elliptic = ksdp.simulate(
        **{**still, "chemistry": "elliptic", "kernel": "gaussian", "engine": "direct"}, out=tmp_path / "e.zarr"
    ).frame()
    far = {}
    for eps in (1e-4, 1.0):
        cloud = ksdp.simulate(**{**still, "c0": "zero"}, eps=eps, out=tmp_path / f"{eps}.zarr").frame()
        far[eps] = float(np.abs(cloud - elliptic).max())
    assert far[1e-4] < 0.05 * far[1.0]


def test_a_sweep_over_eps_is_the_runs_alone_and_goes_on_to_the_bit(tmp_path: Path) -> None:
    """Stopped twice, with heun: the modes come back. A case alone has the stream of number 0."""
    options = {**SMALL, "eps": [0.1, 1.0], "scheme": "heun", "snapshots": [2.5e-3, 6e-3]}
    whole = ksdp.simulate(**options, out=tmp_path / "whole.zarr")
    for stop in (4, 5):
        calls = iter(range(stop))
        with pytest.raises(Interrupted):
            ksdp.simulate(
                **options, out=tmp_path / "cut.zarr", resume=True,
                stop=lambda calls=calls: None if next(calls, None) is not None else 15,
            )  # fmt: skip
    cut = ksdp.simulate(**options, out=tmp_path / "cut.zarr", resume=True)
    for case in (0, 1):
        for k in (0, 1):
            assert cut.frame(case, k).tobytes() == whole.frame(case, k).tobytes()
    alone = ksdp.simulate(**{**options, "eps": 0.1}, out=tmp_path / "alone.zarr")
    assert alone.frame().tobytes() == whole.frame(0).tobytes()
    assert [case["eps"] for case in whole.cases] == [0.1, 1.0]


def test_a_run_in_stretched_boxes_goes_on_to_the_bit(tmp_path: Path) -> None:
    options = {**SMALL, "flow": "laminar2d", "A": 2000, "c0": "zero"}
    whole = ksdp.simulate(**options, threads=1, out=tmp_path / "whole.zarr")
    report = whole.attrs["engine"][0]
    assert max(report["stretch"]) > 2
    told = " x ".join(str(report["modes"] * times) for times in report["stretch"])
    assert f", {told} modes, boxes" in _engines([report])[0]
    cube = {name: value for name, value in report.items() if name != "stretch"}
    assert f", {report['modes']} modes an axis, boxes" in _engines([cube])[0]
    assert f", up to {told} modes, boxes" in _engines([cube, report])[0]
    calls = iter(range(4))
    with pytest.raises(Interrupted):
        ksdp.simulate(**options, out=tmp_path / "cut.zarr", stop=lambda: None if next(calls, None) is not None else 15)
    cut = ksdp.simulate(**options, threads=2, out=tmp_path / "cut.zarr", resume=True)
    assert cut.frame().tobytes() == whole.frame().tobytes()


def test_a_later_end_goes_on_from_the_modes(tmp_path: Path) -> None:
    """In a periodic box, whose sizes do not depend on the end: the bits of the run that was long from the start."""
    options = {**SMALL, "box": 8.0}
    ksdp.simulate(**options, out=tmp_path / "a.zarr")
    told: list[str] = []
    longer = {**options, "T": 9e-3, "snapshots": [6e-3, 9e-3]}
    extended = ksdp.simulate(**longer, out=tmp_path / "a.zarr", resume=True, tell=told.append)
    assert told[0].startswith("3 steps")
    assert extended.frame(0, 1).tobytes() == ksdp.simulate(**longer, out=tmp_path / "b.zarr").frame(0, 1).tobytes()


def test_a_stored_cloud_without_its_chemical_is_told(tmp_path: Path) -> None:
    known = {**SMALL, "T": 2e-3}
    first = ksdp.simulate(**known, store_field=8, field_side=16, out=tmp_path / "a.zarr")
    for c0, told in (("zero", 1), (str(first.path), 0), ("elliptic", 0)):
        said: list[str] = []
        ksdp.simulate(**known, init=str(first.path), c0=c0, out=tmp_path / f"{told}{c0[0]}.zarr", warn=said.append)
        assert sum("c starts from 0" in one for one in said) == told


def test_sizes_and_errors_are_in_the_store_and_a_delta_that_is_not_held_is_told(tmp_path: Path) -> None:
    warned: list[str] = []
    run = ksdp.simulate(**{**SMALL, "modes": 12}, out=tmp_path / "a.zarr", warn=warned.append)
    (report,) = run.attrs["engine"]
    assert report["engine"] == "parabolic"
    assert report["modes"] == 12
    assert {"boxes", "image_error", "aliasing_error"} <= set(report)
    assert any("delta" in warning and "--modes" in warning for warning in warned)
    assert run.config["chemistry_params"]["eps"] == [0.5]


def test_options_that_exclude_parabolic_chemistry_are_refused() -> None:
    for options in (
        {"kernel": "plummer"},
        {"eps": 0},
        {"chemistry": "parabolik"},
        {"chemistry": "elliptic"},
        {"engine": "tree"},
        {"box": 4, "boxes": 2},
    ):
        with pytest.raises(ConfigError):
            ksdp.simulate(**{**SMALL, **options})


def test_the_self_similar_solution_from_the_command_line_alone(command: Any, tmp_path: Path) -> None:
    """L10: with its chemical from the start, c(0, t) = 2 V_0 at once for mu = 2 chi. Three standard errors fail for 1
    of 370 seeds; the blob takes 1 % off the middle."""
    M, J, pull = 8 * math.pi, 2000, 4 * math.pi
    law = f"--init self_similar --pull {pull!r} --inertia 1 --age 0.25 --t0 0.5 --T 0.1 --snapshots 0,0.1"
    words = f"--chemistry parabolic --c0 exact --eps 2 --mu 0.5 --chi 0.25 --M {M!r} {law}"
    numerical = f"--delta2 2e-3 --accuracy 1e-3 --J {J} --dt 5e-3 --store-field 3 --field-side 3 -o a.zarr"
    told = command("simulate", *words.split(), *numerical.split(), cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    run, exact = ksdp.open_run(tmp_path / "a.zarr"), self_similar(1.0, M=pull)
    for k, age in enumerate((0.25, 0.3)):
        squared = (run.frame(0, k).astype(float) ** 2).sum(1)
        assert abs(squared.mean() - exact.second_moment(age)) < 3 * squared.std() / math.sqrt(J)
        assert run.field(0, k)[1, 1] == pytest.approx(2 * float(exact.chemical(0.0, age)), rel=0.03)


def test_an_exact_chemical_of_another_problem_is_refused() -> None:
    known: dict[str, Any] = {"chemistry": "parabolic", "c0": "exact", "eps": 1.0, "M": 4 * math.pi}
    known |= {"init": "self_similar", "inertia": 1.0}
    pose(known)
    for change, why in (
        ({"M": 12}, "chi M / mu = 12"), ({"eps": [1, 2]}, "eps mu = 2"), ({"k": 1}, "k = 1"),
        ({"init": "ball", "inertia": None}, "self_similar"), ({"chemistry": "elliptic", "eps": None}, "no memory"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=why):
            pose(known | change)


def test_a_stored_run_with_an_option_that_changes_nothing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As stores hold from before such options were refused."""
    options = {**SMALL, "engine": "direct", "box": 8.0, "boxes": 2, "T": 2e-3}
    with monkeypatch.context() as patch:
        patch.setattr("ksdp_cli.particles.preflight.require_meaning", lambda problem: None)
        ksdp.simulate(**options, out=tmp_path / "a.zarr")
    longer = {**options, "T": 3e-3, "snapshots": [2e-3, 3e-3]}
    assert ksdp.simulate(**longer, out=tmp_path / "a.zarr", resume=True).complete
    with pytest.raises(ConfigError, match="drop --engine"):
        ksdp.simulate(**longer, out=tmp_path / "b.zarr")


@pytest.mark.parametrize("earlier", [{}, {"parabolic": 2}])
def test_a_run_of_an_earlier_version_is_returned_and_does_not_go_on(
    earlier: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its c has another constant and other boxes; in a periodic box nothing has changed."""
    cut = {**SMALL, "snapshots": [1e-3, 6e-3]}
    with monkeypatch.context() as patch:
        patch.setattr("ksdp_cli.api.headers.MEANINGS", earlier)
        path = ksdp.simulate(**{**SMALL, "T": 1e-3}, out=tmp_path / "a.zarr").path
        calls = iter(range(4))
        with pytest.raises(Interrupted):
            ksdp.simulate(**cut, out=tmp_path / "cut.zarr", stop=lambda: None if next(calls, None) is not None else 15)
    with pytest.raises(ConfigError, match="earlier version"):
        ksdp.simulate(**cut, out=tmp_path / "cut.zarr", resume=True)
    again = ksdp.simulate(**{**SMALL, "T": 1e-3}, out=path, resume=True)
    assert again.complete
    assert again.attrs.get("meaning") == earlier.get("parabolic")
    with pytest.raises(ConfigError, match="earlier version"):
        ksdp.simulate(**{**SMALL, "T": 2e-3}, out=path, resume=True)
    for options in ({"box": 8.0}, {"chemistry": "elliptic", "eps": None}):
        assert (
            "meaning"
            not in ksdp.simulate(**{**SMALL, **options, "T": 1e-3}, out=tmp_path / f"{len(options)}.zarr").attrs
        )


def test_a_later_end_in_free_space_is_the_long_run_to_its_accuracy(tmp_path: Path) -> None:
    """The boxes grow with T. One Brownian path: the clouds differ by the error of the force, of order 1, until T."""
    short = {**SMALL, "eps": 0.05, "c0": "zero"}
    ksdp.simulate(**short, out=tmp_path / "a.zarr")
    longer, warned = {**short, "T": 0.05, "snapshots": [6e-3, 0.05]}, list[str]()
    extended = ksdp.simulate(**longer, out=tmp_path / "a.zarr", resume=True, warn=warned.append)
    whole = ksdp.simulate(**longer, out=tmp_path / "b.zarr")
    boxes = [run.attrs["engine"][0]["boxes"] for run in (extended, whole)]
    assert boxes[0] == boxes[1]
    assert not [text for text in warned if "boxes" in text]
    assert np.abs(extended.frame() - whole.frame()).max() < 1e-3


def test_a_delta_that_is_lost_in_boxes_that_grow_is_told_when_it_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although the run has already told that the boxes grow."""
    monkeypatch.setattr("ksdp_cli.api.watch.PAUSE", 0.0)
    monkeypatch.setattr("ksdp_cli.api.watch.PAUSE_COST", 0.0)
    warned: list[str] = []
    stretched = {**SMALL, "flow": "hyperbolic", "A": 200, "T": 1e-2, "modes": 64, "c0": "zero"}
    ksdp.simulate(**stretched, out=tmp_path / "a.zarr", warn=warned.append)
    told = [next((n for n, text in enumerate(warned) if word in text), -1) for word in ("outgrew", "not resolved")]
    assert 0 <= told[0] < told[1]


def test_the_chemical_of_a_stored_case_has_the_box_of_that_case(tmp_path: Path) -> None:
    """Of two periodic boxes the grid is the larger one; c of the smaller box is not periodic in that."""
    run = ksdp.simulate(**{**SMALL, "T": 1e-3, "box": [4.0, 8.0]}, store_field=8, out=tmp_path / "a.zarr")
    sides = {box: chemical(f"{run.path}@box={box}").box for box in (4, 8)}  # type: ignore[attr-defined]
    assert sides == {4: 0.0, 8: 8.0}
