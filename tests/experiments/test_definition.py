"""The experiments as data: those that ship agree with the paper, and a wrong file is refused with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ksdp_cli.config import TrainConfig, build
from ksdp_cli.errors import ConfigError
from ksdp_cli.experiments import definition
from ksdp_cli.experiments.targets import jobs
from ksdp_cli.particles.problem import pose

#: Table 2 of the paper: validation and prediction W^2.
PAPER = {
    "ks2d-time": {0.05: 0.0086, 0.12: 0.0120},
    "laminar2d-time": {0.05: 0.0116, 0.12: 0.0190},
    "laminar2d-amplitude": {50: 0.0041, 130: 0.0311},
    "laminar3d-amplitude": {50: 0.0217, 130: 0.0946},
    "kolmogorov-amplitude": {50: 0.0410, 110: 0.0619},
}


def test_the_five_experiments_of_table_2_hold_the_papers_entries() -> None:
    found = {
        name: {next(iter(row.at.values())): row.paper for row in definition.read(name).rows if row.paper is not None}
        for name in definition.TABLE2
    }
    assert found == PAPER


@pytest.mark.parametrize("name", definition.names())
def test_rows_called_validation_lie_inside_the_trained_range_and_predictions_outside(name: str) -> None:
    experiment = definition.read(name)
    config = pose(experiment.simulate_options("paper")).config
    trained = dict(config.swept()) | ({"t": config.snapshots} if len(config.snapshots) > 1 else {})
    for row in experiment.rows:
        inside = all(min(trained[key]) <= value <= max(trained[key]) for key, value in row.at.items())
        assert inside == (row.role == "validation"), row
        on_grid = all(any(abs(value / t - 1) < 1e-9 for t in trained[key] if t) for key, value in row.at.items())
        assert not on_grid or "time" in name or "joint" in name, f"{row.at} is trained on"


def test_each_of_the_ten_figures_belongs_to_one_experiment() -> None:
    for number in range(1, 11):
        (job,) = jobs(f"fig{number}")
        assert job.figures == (f"fig{number}",)
        assert not job.rows


def test_targets() -> None:
    assert [job.experiment.name for job in jobs("table2")] == list(definition.TABLE2)
    assert {job.experiment.name for job in jobs("all")} == set(definition.names())
    with pytest.raises(ConfigError, match="laminar2d-time"):
        jobs("laminar2d-tyme")
    with pytest.raises(ConfigError, match="there are: table2"):
        jobs("figure")


def test_a_file_of_ones_own(tiny: Path) -> None:
    experiment = definition.read(tiny)
    assert experiment.name == "tiny"
    assert experiment.train_options("quick", 7)["steps"] == 60
    with pytest.raises(ConfigError, match=r"tiny .*'paper'.*quick"):
        experiment.scale("paper")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('role = "validation"', 'role = "valid"', r"rows\.0\.role"),
        ("paper = 0.0041", "paper = -1", r"rows\.0\.paper"),
        ("paper = 0.0041", "papr = 1", r"rows\.0\.papr = 1"),
        ("at = { A = 50 }", "at = { B = 50 }", r"rows\.0\.at .*B.* A"),
        ("at = { A = 50 }", "at = { A = 50, t = 1 }", r"rows\.0\.at .*A, t"),
        ("along = { A = [1, 50] }", "along = { t = [1, 50] }", "figures.tiny-moment.along .*t"),
        ("A = \"1,10,100\"", "A = 100", "nothing varies"),
        ('flow = "laminar2d"', 'flow = "laminar9d"', "'laminar9d'.*laminar3d"),
        ("dt = 1e-3", "dt = -1", r"dt = -1\.0"),
        ("dt = 1e-3", "dtt = 1e-3", "--dtt"),
        ("steps = 60", "stepps = 60", "--steps"),
        ("N = [300, 100]", "N = [301]", "scales.quick.N = 301.* 300"),
        ("references = 3", "references = 1", r"scales\.quick\.references"),
        ("[scales.quick]", "[scales.slow]", r"scales\.slow"),
        ("summary =", "summary", "not valid TOML"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_place(tiny: Path, old: str, new: str, told: str) -> None:
    text = tiny.read_text()
    assert old in text
    tiny.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=told) as caught:
        definition.read(tiny)
    assert str(tiny) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such"):
        definition.read("nowhere.toml")


def test_figure_1_validates_on_fresh_runs_at_the_paper_s_times_every_10_steps() -> None:
    experiment = definition.read("ks2d-time")
    for scale in experiment.scales:
        assert experiment.train_options(scale, 0)["validate_every"] == 10
        posed = pose(experiment.validation_options(scale)).config
        assert posed.snapshots == (0.005, 0.025, 0.045, 0.065, 0.095)
        assert posed.J == pose(experiment.simulate_options(scale)).config.J


def test_any_experiment_can_be_trained_by_the_paper_s_algorithm() -> None:
    for experiment in definition.shipped():
        found = build(TrainConfig, experiment.train_options("paper", 3, "paper"))
        assert (found.algorithm, found.solver, found.optimiser, found.seed) == ("paper", "iterative-lp", "adam", 3)
        assert (found.renew_batch, found.renew_gamma, found.N) == (1000, 200, 2000)


@pytest.mark.parametrize("name", ["../escape", "/tmp/x", "..", ".", "", "a/b", "\u0000", "a" * 300])
def test_a_name_does_not_leave_the_folder(name: str, tiny: Path) -> None:
    tiny.write_text(f"name = {json.dumps(name)}\n" + tiny.read_text())
    with pytest.raises(ConfigError, match="name"):
        definition.parse(tiny)


def test_the_name_of_a_file_becomes_one_of_a_folder(tiny: Path) -> None:
    other = tiny.with_name(".. my é experiment.toml")
    tiny.rename(other)
    assert definition.parse(other).name == "my-experiment"


def test_the_quick_scale_says_what_it_is_not() -> None:
    quick = definition.read("laminar2d-amplitude")
    told = quick.smaller("quick")
    assert told is not None
    assert "J = 4000 for 10000" in told
    assert "networks = 1 for 5" in told
    assert "networks" not in (quick.smaller("quick", 5) or "")
    assert quick.smaller("paper") is None
