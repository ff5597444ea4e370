"""Which clouds `compare` takes: cases, snapshots, floors, fresh references; and what it says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api import references
from ksdp_cli.api.comparing import MERGED, QUIET, compare_each
from ksdp_cli.api.comparison import ways_to_decide
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.exact.critical import slope
from ksdp_cli.learning.model import Model
from ksdp_cli.metrics import exact_w2_squared
from ksdp_cli.store import Run, open_run

SMALL = {"flow": "laminar2d", "J": 120, "dt": 1e-3}
SWEEP = SMALL | {"A": [10, 50], "snapshots": [0.002, 0.004]}
CHEAP = {"metrics": "w2"}
ALONE = CHEAP | {"floor": "halves", "N": 120}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep twice with two seeds, one case alone, and a network of the sweep's amplitudes."""
    at = tmp_path_factory.mktemp("compare")
    for seed in (0, 1):
        ksdp.simulate(out=at / f"sweep-{seed}.zarr", seed=seed, **SWEEP)
    ksdp.simulate(out=at / "alone.zarr", seed=2, **(SMALL | {"A": 50, "T": 0.004}))
    run = ksdp.simulate(out=at / "trained.zarr", seed=3, **(SMALL | {"A": [10, 50], "T": 0.004}))
    ksdp.train(run, out=at / "model.safetensors", N=50, steps=20, validate_every=20)
    return at


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def store(folder: Path, name: str) -> Run:
    return open_run(folder / f"{name}.zarr")


def test_reference_and_floor_are_taken_at_the_case_and_time_asked_for(folder: Path) -> None:
    first, second = store(folder, "sweep-0"), store(folder, "sweep-1")
    found = ksdp.compare(first, store(folder, "trained"), floor=second, A=50, t=0.004, **CHEAP).comparison
    expected = exact_w2_squared(store(folder, "trained").frame(1, 0), second.frame(1, 1))
    assert found.N == 120
    assert found.floor == pytest.approx(expected)
    earlier = ksdp.compare(first, second, A=10, t=0.002, **ALONE).comparison
    assert earlier.w2_squared == pytest.approx(exact_w2_squared(first.frame(0, 0), second.frame(0, 0)))


def test_quiet_runs_have_quiet_references_networks_random_ones_and_a_mixture_is_told(folder: Path) -> None:
    quiet = ksdp.simulate(out="quiet.zarr", seed=5, sampling="quiet", **(SMALL | {"A": 50, "T": 0.004}))
    assert "sampling" not in references.reference_options(quiet.config, {"t": 0.004})
    mixed = ksdp.compare(store(folder, "alone"), quiet, **ALONE)
    assert any("reference is of --sampling quiet" in note for note in mixed.notes)
    alike = ksdp.compare(quiet, "simulate", **CHEAP).notes
    assert [note for note in alike if "quiet" in note] == [QUIET]
    made = set(Path("runs").glob("*.zarr"))
    assert [open_run(path).config.get("sampling") for path in made] == ["quiet"] * 2
    network = Model.load(folder / "model.safetensors")
    network.provenance["simulation"]["sampling"] = "quiet"
    assert not any("quiet" in note for note in ksdp.compare(network, "simulate", A=20, **CHEAP).notes)
    others = set(Path("runs").glob("*.zarr")) - made
    assert [open_run(path).config.get("sampling") for path in others] == [None] * 2


def test_rows_of_a_heavy_particle_are_told_not_to_be_independent(folder: Path) -> None:
    """One of M = 60 pi is heavy at t = 0.02, and none at the start."""
    run = ksdp.simulate(out="m.zarr", J=300, M="60pi", merge="delta", snapshots=[0.0, 0.02], dt=1e-3, delta2=1e-2)
    for t, told in ((0.02, True), (0.0, False)):
        found = ksdp.compare(f"{run.path}@t={t}", store(folder, "alone"), **ALONE)
        assert (MERGED in found.notes) == told


def test_a_store_with_one_case_chooses_for_the_others(folder: Path) -> None:
    """The cloud alone is at A = 50, t = 0.004, so that is where the sweep is looked at when nothing is asked."""
    samples = ksdp.sample(folder / "model.safetensors", n=120, A=10, seed=4, out="samples.zarr")
    sweep = store(folder, "sweep-0")
    found = ksdp.compare(samples, sweep, **ALONE)
    assert found.comparison.w2_squared == pytest.approx(exact_w2_squared(samples.frame(), sweep.frame(0, 1)))
    assert found.parameters == {"A": 10.0}
    assert not found.notes


def test_places_that_differ_are_noted(folder: Path) -> None:
    samples = ksdp.sample(folder / "model.safetensors", n=120, A=10, out="samples.zarr")
    told: list[str] = []
    found = ksdp.compare(samples, folder / "alone.zarr", tell=told.append, **ALONE)
    assert told == found.notes == ["the cloud is at A = 10, the reference at A = 50"]
    same = ksdp.compare(folder / "alone.zarr", folder / "alone.zarr", **CHEAP)
    assert "the cloud and the reference are the same particles" in same.notes


def test_a_model_against_a_run_and_against_fresh_runs(folder: Path) -> None:
    model = Model.load(folder / "model.safetensors")
    against = ksdp.compare(model, folder / "alone.zarr", A=50, metrics="radial,sliced", floor="halves")
    assert against.exact is None
    assert [other.metric for other in against.others] == ["sliced"]
    assert len(against.profiles["radial"].rows) == 7
    with pytest.raises(ConfigError, match="w2"):
        _ = against.comparison
    fresh = ksdp.compare(folder / "model.safetensors", A=20, **CHEAP)
    made = sorted(Path("runs").glob("reference-*.zarr"))
    assert len(made) == 2
    runs = [open_run(path) for path in made]
    assert {run.config["flow_params"]["A"][0] for run in runs} == {20.0}
    assert fresh.comparison.floor == pytest.approx(exact_w2_squared(runs[0].frame(), runs[1].frame()))
    before = [path.stat().st_mtime_ns for path in made]
    again = ksdp.compare(folder / "model.safetensors", "simulate", A=20, **CHEAP)
    assert again.as_dict() == fresh.as_dict()
    assert [path.stat().st_mtime_ns for path in made] == before


def test_a_store_against_fresh_runs_of_its_own_configuration(folder: Path) -> None:
    found = ksdp.compare(folder / "sweep-0.zarr", "simulate", A=10, t=0.002, **CHEAP)
    run = open_run(found.reference)
    assert (run.config["flow_params"]["A"], run.times[-1], run.J) == ([10.0], 0.002, 120)
    assert not found.notes
    clouds = {run.frame().tobytes() for run in map(open_run, Path("runs").glob("*.zarr"))}
    assert len(clouds | {store(folder, "sweep-0").frame(0, 0).tobytes()}) == 3


def test_a_floor_that_is_simulated_is_a_run_of_the_reference(folder: Path) -> None:
    cloud, reference = store(folder, "trained"), store(folder, "sweep-0")
    found = ksdp.compare(cloud, reference, floor="simulate", A=10, t=0.004, **CHEAP).comparison
    (path,) = Path("runs").glob("*.zarr")
    run = open_run(path)
    assert (run.config["flow_params"]["A"], run.times[-1], run.J) == ([10.0], 0.004, 120)
    assert found.floor == pytest.approx(exact_w2_squared(reference.frame(0, 1), run.frame()))


def test_without_a_floor_a_second_run_is_simulated_and_said(folder: Path) -> None:
    told: list[str] = []
    cloud, reference = store(folder, "trained"), store(folder, "sweep-0")
    found = ksdp.compare(cloud, reference, A=10, t=0.004, tell=told.append, **CHEAP)
    assert found.second is not None
    run = open_run(found.second)
    assert (run.config["flow_params"]["A"], run.times[-1], run.J) == ([10.0], 0.004, 120)
    assert found.comparison.floor == pytest.approx(exact_w2_squared(reference.frame(0, 1), run.frame()))
    assert found.as_dict()["second_reference"] == found.second
    assert told == found.notes
    assert told[0] == f"a second reference was simulated for the floor, J = 120, seed 1000004: {found.second}"
    again = ksdp.compare(cloud, found.second, A=10, t=0.004, **CHEAP)
    assert again.second is not None
    assert open_run(again.second).attrs["seed"] == 1_000_006


def test_a_second_run_has_fewer_particles_if_it_takes_long(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds of the store, for each step and particle; 0 of them are affordable, or those of a third of it."""
    cloud, reference = store(folder, "trained"), store(folder, "sweep-0")
    whole = reference.attrs["seconds"] / reference.attrs["steps"] * 4
    monkeypatch.setattr(references, "AFFORDABLE", whole / 3)
    thin = ksdp.compare(cloud, reference, A=10, t=0.004, **CHEAP)
    assert thin.second is not None
    assert (open_run(thin.second).J, thin.comparison.N) == (30, 30)
    for options, least in ((CHEAP | {"N": 40}, 40), (CHEAP, 24)):
        none = ksdp.compare(cloud, reference, A=10, t=0.004, **options)
        assert (none.second, none.comparison.N) == (None, least)
        assert "a second simulation takes about" in none.notes[0]
        assert "--floor simulate" in none.notes[0]
        monkeypatch.setattr(references, "AFFORDABLE", 0.0)


def test_halves_are_two_samples_where_particles_are_independent(folder: Path) -> None:
    samples = ksdp.sample(folder / "model.safetensors", n=120, A=10, seed=5, out="samples.zarr")
    found = ksdp.compare(folder / "sweep-0.zarr", samples, A=10, t=0.004, **CHEAP)
    assert found.second is None
    assert not any("halves of the reference" in note for note in found.notes)


def test_a_second_run_that_fails_is_said(folder: Path) -> None:
    Path("runs").write_text("a file where the folder should be")
    found = ksdp.compare(folder / "trained.zarr", folder / "sweep-0.zarr", A=10, t=0.004, **CHEAP)
    assert found.second is None
    assert "a second simulation was not possible" in found.notes[0]


def test_one_seed_of_both_is_noted(folder: Path) -> None:
    """A sample and a simulation of one seed start from the same particles."""
    samples = ksdp.sample(folder / "model.safetensors", n=120, A=10, out="samples.zarr")
    found = ksdp.compare(samples, folder / "sweep-0.zarr", A=10, t=0.004, **ALONE)
    assert found.notes == ["the cloud and the reference start from the same particles, of seed 0: use another --seed"]
    assert ksdp.compare(samples, folder / "sweep-1.zarr", A=10, t=0.004, **ALONE).notes == []


def test_several_points_are_several_comparisons(folder: Path) -> None:
    found = compare_each(folder / "model.safetensors", folder / "sweep-0.zarr", A="10,50", **CHEAP)
    assert [one.parameters for one in found] == [{"A": 10.0}, {"A": 50.0}]
    both = compare_each(folder / "sweep-0.zarr", folder / "sweep-1.zarr", A=(10, 50), t=[0.002, 0.004], **CHEAP)
    assert [tuple(one.parameters.values()) for one in both] == [(10, 0.002), (10, 0.004), (50, 0.002), (50, 0.004)]


def test_the_moment_law_stands_beside_what_it_holds_for(folder: Path) -> None:
    run = ksdp.simulate(J=100, T=0.004, dt=1e-3, mu=[1.0, 2.0], M=40.0, out="plain.zarr")
    found = ksdp.compare(run, run, mu=2.0, N=50, **CHEAP)
    assert found.law == pytest.approx(0.5 + 0.004 * slope(mu=2.0, chi=1.0, M=40.0, J=100))
    assert any("equation (6)" in row[0] for row in found.tables()[1][2])
    flowing = ksdp.compare(folder / "alone.zarr", folder / "alone.zarr", N=50, **CHEAP)
    assert flowing.law is None


def test_clouds_of_two_sizes_say_what_is_left_out(folder: Path) -> None:
    large = ksdp.sample(folder / "model.safetensors", n=1000, A=50, out="large.zarr")
    found = ksdp.compare(large, folder / "alone.zarr", floor=folder / "sweep-0.zarr", metrics="w2,binned")
    assert "exact W2 takes 1 x 120 of the 1000 particles of the cloud" in found.notes
    assert found.others[0].whole is not None
    plain = found.as_dict()
    assert plain["binned"]["whole"] == found.others[0].whole
    assert plain["N"] == 120


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({}, ConfigError, "choose one"),
        ({"A": 11}, ConfigError, "A = 11.*A = 10; A = 50"),
        ({"A": 10, "t": 0.003}, ConfigError, "t = 0.003.*0.002, 0.004"),
        ({"A": 10, "mu": 2}, ConfigError, "mu = 1, not 2"),
        ({"A": 10, "flor": "2.zarr"}, ConfigError, "'2.zarr'.*--floor"),
        ({"A": 10, "B": 2}, ConfigError, "'B'.*: A"),
        ({"A": "10,50"}, ConfigError, "10,50.*compare_each"),
        ({"A": 10, "N": 121}, ConfigError, "--N 120"),
        ({"A": 10, "N": 0}, ConfigError, "N = 0"),
        ({"A": 10, "repeats": -1}, ConfigError, "repeats = -1"),
        ({"A": 10, "metrics": "w2,w3"}, ConfigError, "no metric 'w3'"),
        ({"A": 10, "estimator": "sinkhorn"}, ConfigError, "sinkhorn"),
    ],
)
def test_wrong_options_are_refused(folder: Path, options: dict[str, object], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        ksdp.compare(folder / "sweep-0.zarr", folder / "sweep-1.zarr", **options)


def test_errors_of_what_is_compared(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"reference.*--reference"):
        ksdp.compare(folder / "alone.zarr")
    with pytest.raises(ConfigError, match="is a model; give"):
        ksdp.compare(folder / "alone.zarr", folder / "model.safetensors")
    with pytest.raises(DataError, match=r"no file nowhere\.zarr"):
        ksdp.compare("nowhere.zarr", folder / "alone.zarr")
    with pytest.raises(DataError, match="second reference"):
        ksdp.compare(folder / "sweep-0.zarr", folder / "alone.zarr", floor=folder / "alone.zarr", A=50, t=0.004)
    deep = ksdp.simulate(dim=3, J=120, T=0.001, dt=1e-3, out="deep.zarr")
    with pytest.raises(DataError, match=r"cloud.* 3 .*reference.* 2"):
        ksdp.compare(deep, folder / "alone.zarr")
    with pytest.raises(ConfigError, match="'B'"):
        ksdp.compare(folder / "model.safetensors", folder / "alone.zarr", B=1)


def test_rows_that_are_not_finite_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = Run.frame

    def broken(self: Run, case: int = 0, k: int = -1) -> np.ndarray:
        found = frame(self, case, k).copy()
        found[5:8] = np.nan
        return found

    monkeypatch.setattr(Run, "frame", broken)
    with pytest.raises(DataError, match=r"3 of 120 .*finite.* 5"):
        ksdp.compare(folder / "alone.zarr", folder / "trained.zarr")


def test_what_may_decide_is_what_the_clouds_allow(folder: Path) -> None:
    """A store can be simulated again and an array not; N = J / 2 of halves cannot grow; seeds are for many."""
    a, b = (references.frame(store(folder, f"sweep-{seed}"), {"A": 10, "t": 0.004}) for seed in (0, 1))
    array = references.alone(b.cloud, "array")
    found = ksdp.compare(a.cloud, b.cloud, floor="halves", N=60, **CHEAP).comparison
    assert ways_to_decide(replace(found, verdict="different: so"), [a], [b], False) == []
    open_one = replace(found, verdict="undecided: so")
    assert ways_to_decide(open_one, [a], [array], False) == ["more particles"]
    assert ways_to_decide(replace(open_one, N=40), [a], [array], False) == ["a larger --N"]
    again = ways_to_decide(open_one, [a], [b], False)
    assert again[0] == "more particles"
    assert again[1].startswith("--floor simulate")
    assert ways_to_decide(open_one, [a], [b, b], True)[-1] == "more seeds"
