"""Commands that take an ensemble: moments, distances and pictures over seeds, and an exact law that they must meet."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from scipy.stats import t

import ksdp_cli as ksdp
from ksdp_cli.cli.simulate import _of_ensemble
from ksdp_cli.errors import ConfigError
from ksdp_cli.metrics import exact_w2_squared, moments
from ksdp_cli.metrics.ensembles import ensemble_moments, student
from ksdp_cli.store import Run
from ksdp_cli.views.summary import of_run

SWEEP: dict[str, Any] = {"flow": "laminar2d", "A": [1, 10], "J": 60, "dt": 1e-3, "snapshots": [1e-3, 2e-3]}
AT = {"A": 10, "t": 2e-3}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    at = tmp_path_factory.mktemp("ensembles")
    return tuple(  # type: ignore[return-value]
        ksdp.simulate(**SWEEP, seed=list(seeds), out=at / f"{name}.zarr")
        for name, seeds in (("a", range(4)), ("b", range(10, 15)))
    )


def test_an_ensemble_meets_the_exact_law(tmp_path: Path) -> None:
    """Equation (6), E|X(t)|^2 = E|X(0)|^2 + [4 mu - chi M (J - 1) / (2 pi J)] t, for 24 runs of 100 particles.

    The mean over seeds is within Student's t of probability 1e-6. delta = 0.01 takes less than 1e-3 of the attraction
    from so few particles, and a step of 1e-3 adds dt^2 E|drift|^2 < 1e-4: both are small beside the standard error.
    """
    T, M, J = 0.05, 8 * math.pi, 100
    run = ksdp.simulate(J=J, T=T, dt=1e-3, M=M, delta2=1e-4, seed="0:23:24", out=tmp_path / "s.zarr")
    found = ensemble_moments([moments(run.frame(case)) for case in range(24)]).second_moment
    assert found.se is not None
    law = 0.5 + (4 - M * (J - 1) / (2 * math.pi * J)) * T
    assert abs(found.mean - law) < t.isf(5e-7, 23) * found.se
    assert found.se < 0.02


def test_all_pairs_make_the_floor(runs: tuple[Run, Run]) -> None:
    a, b = runs
    found = ksdp.compare(a, b, metrics="w2,sliced,radial", **AT)
    clouds = [a.frame(*a.find(seed=seed, **AT)) for seed in range(4)]
    references = [b.frame(*b.find(seed=seed, **AT)) for seed in range(10, 15)]
    w2 = found.comparison
    assert w2.N == 60  # all of them: twenty pairs and ten are little work
    assert w2.w2_squared == pytest.approx(np.mean([exact_w2_squared(x, y) for x in clouds for y in references]))
    pairs = [exact_w2_squared(references[i], references[j]) for i in range(5) for j in range(i)]
    assert w2.floor == pytest.approx(np.mean(pairs))
    assert w2.floor_source == "between all 10 pairs of 5 seeds"
    assert w2.excess_low is not None
    assert w2.as_dict()["seeds"] == [4, 5]
    assert found.cloud_moments.n == 240
    assert found.parameters == {"A": 10.0, "t": 2e-3}
    assert any("Student's t, 95 %" in note for note in found.notes)
    assert "4 and 5 seeds" in found.tables()[0][2][-1][-1]
    assert found.others[0].floor is not None
    assert found.profiles["radial"].rows


def test_one_run_has_its_place_among_the_seeds(runs: tuple[Run, Run]) -> None:
    one = ksdp.compare(f"{runs[0].path}@seed=2", runs[1], metrics="w2,sliced", **AT)
    assert one.comparison.excess_low is None
    assert "of the 5 seeds are as far from the others (p = " in one.comparison.verdict
    assert "(p = " in one.others[0].verdict


def test_exports_keep_seeds_whole(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    run = ksdp.simulate(J=5, T=1e-3, dt=1e-3, M=0, seed=[2**62, 2**62 + 1], out=tmp_path / "s.zarr")
    for kind in ("csv", "parquet"):
        ksdp.export(run, tmp_path / f"s.{kind}")
        table = getattr(pandas, f"read_{kind}")(tmp_path / f"s.{kind}")
        assert table["seed"].unique().tolist() == [2**62, 2**62 + 1]


def test_unlike_laws_are_told_apart(runs: tuple[Run, Run], tmp_path: Path) -> None:
    far = ksdp.simulate(**SWEEP | {"A": [1, 2000]}, seed=[20, 21, 22], out=tmp_path / "far.zarr")
    found = ksdp.compare(f"{far.path}@A=2000,t=0.002", f"{runs[1].path}@A=10,t=0.002", metrics="w2").comparison
    assert found.excess_low is not None
    assert found.excess_low > 0
    assert "x the floor" in found.verdict


def test_seeds_in_common_are_told(runs: tuple[Run, Run]) -> None:
    found = ksdp.compare(runs[0], f"{runs[0].path}@A=10", metrics="w2", **AT)
    assert any("share particles: seeds 0, 1, 2, 3" in note for note in found.notes)


def test_a_network_is_as_many_clouds_as_there_are_seeds(runs: tuple[Run, Run], tmp_path: Path) -> None:
    part = f"{runs[0].path}@t=0.002"
    model = ksdp.train(part, steps=3, N=20, out=tmp_path / "m.safetensors").path
    found = ksdp.compare(model, f"{runs[1].path}@t=0.002", A=10, metrics="w2").comparison
    assert found.as_dict()["seeds"] == [5, 5]
    assert found.excess_low is not None


def test_one_reference_has_the_usual_floors(runs: tuple[Run, Run]) -> None:
    one = f"{runs[1].path}@seed=10"
    halves = ksdp.compare(runs[0], one, floor="halves", metrics="w2", **AT).comparison
    assert "two halves" in halves.floor_source
    second = ksdp.compare(runs[0], one, floor=f"{runs[1].path}@seed=11", metrics="w2", **AT).comparison
    assert second.floor is not None
    assert second.excess_low is None
    assert "without an interval" in second.verdict


def test_a_picture_has_bands_over_seeds(runs: tuple[Run, Run], tmp_path: Path) -> None:
    drawn = ksdp.plot(runs[0], out=tmp_path / "a.svg")
    assert [path.name for path in drawn.files] == ["a.svg", "a-moments.svg"]
    assert any("4 seeds" in note for note in drawn.notes)
    text = (tmp_path / "a-moments.svg").read_text()
    assert text.count("mean of 4 seeds with its 95 % band") == 2  # A = 1 and A = 10
    assert "s.e." not in text
    beside = ksdp.plot(*runs, out=tmp_path / "b.svg", t=2e-3)
    assert beside.files
    one = ksdp.plot(runs[0], out=tmp_path / "c.svg", seed=2)
    assert one.notes == []
    assert "s.e." in (tmp_path / "c-moments.svg").read_text()


def test_the_table_of_a_run_is_of_means_over_seeds(runs: tuple[Run, Run]) -> None:
    document = of_run(runs[0])
    assert len(document["frames"]) == 16
    assert [(row["parameters"], row["t"], row["seeds"]) for row in document["ensemble"]] == [
        ({"A": a}, t, 4) for a in (1.0, 10.0) for t in (1e-3, 2e-3)
    ]
    each = [moments(runs[0].frame(*runs[0].find(seed=seed, **AT))).second_moment for seed in range(4)]
    found, expected = document["ensemble"][3]["second_moment"], student(each)
    assert (found["mean"], found["low"], found["high"]) == (expected.mean, expected.low, expected.high)
    columns, rows = _of_ensemble(document["ensemble"])
    assert columns == ["A", "t", "seeds", "mean", "E|x|^2", "s.e.", "95 % over seeds"]
    assert len(rows) == 4
    assert rows[0][-1].startswith("[0.")


def test_seeds_in_step_make_no_ensemble(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """A seed for each case: every one is found by its parameters, and keeps the errors of its own particles."""
    path = tmp_path / "s.zarr"
    run = ksdp.simulate(**SWEEP | {"A": [1, 10, 50]}, seed=[7, 8, 9], zip="A,seed", out=path)
    found = ksdp.compare(run, runs[1], metrics="w2", **AT)
    assert found.comparison.as_dict()["seeds"] == [1, 5]
    assert found.parameters == {"A": 10.0, "seed": 8, "t": 2e-3}
    assert "ensemble" not in of_run(run)
    assert ksdp.plot(run, out=tmp_path / "p.svg").notes == []
    assert ksdp.train(run, steps=2, N=20, out=tmp_path / "m.safetensors").trained.model.eta_map.names == ("A", "t")


def test_floors_and_sizes_that_do_not_fit_are_refused(runs: tuple[Run, Run]) -> None:
    with pytest.raises(ConfigError, match="5 seeds"):
        ksdp.compare(*runs, floor="halves", metrics="w2", **AT)
    with pytest.raises(ConfigError, match="--N 60"):
        ksdp.compare(*runs, N=61, metrics="w2", **AT)
    with pytest.raises(ConfigError, match="choose one"):
        ksdp.compare(*runs, metrics="w2", t=2e-3)
