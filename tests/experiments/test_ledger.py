"""The ledger: work that is done is found, and never taken for that of another configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ksdp_cli.config import SimulateConfig, TrainConfig
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.experiments.ledger import Ledger


class Work:
    """Counts its calls, and remembers whether they were told to begin afresh."""

    def __init__(self) -> None:
        self.calls: list[bool] = []

    def __call__(self, afresh: bool) -> dict[str, Any]:
        self.calls.append(afresh)
        return {"number": len(self.calls)}


def test_finished_stages_are_found_by_the_next_process(tmp_path: Path) -> None:
    work = Work()
    first = Ledger(tmp_path).stage("train", {"steps": 3}, work)
    second = Ledger(tmp_path).stage("train", {"steps": 3}, work)
    assert (first.found, second.found) == (False, True)
    assert second.result == first.result == {"number": 1}
    assert second.seconds == first.seconds
    assert work.calls == [False]


def test_stages_of_other_processes_are_not_said_to_be_found(tmp_path: Path) -> None:
    work = Work()
    Ledger(tmp_path).stage("data", {}, work)
    (tmp_path / "other.json").write_text("{}")
    ledger = Ledger(tmp_path)
    ledger.note_done()
    Ledger(tmp_path).stage("train", {"steps": 3}, work)  # by a worker
    assert [ledger.stage(name, config, work).found for name, config in (("data", {}), ("train", {"steps": 3}))] == [
        True,
        False,
    ]
    assert len(work.calls) == 2


def test_a_changed_configuration_is_refused_with_its_differences(tmp_path: Path) -> None:
    work = Work()
    Ledger(tmp_path).stage("train", {"steps": 3, "N": 5}, work)
    with pytest.raises(ConfigError, match=r"steps: 3 -> 4.* -o"):
        Ledger(tmp_path).stage("train", {"steps": 4, "N": 5}, work)
    assert Ledger(tmp_path, overwrite=True).stage("train", {"steps": 4, "N": 5}, work).result == {"number": 2}
    assert work.calls == [False, True]
    assert Ledger(tmp_path, overwrite=True).stage("train", {"steps": 4, "N": 5}, work).found


def test_a_stage_that_was_cut_off_is_known_by_its_configuration(tmp_path: Path) -> None:
    def cut(_: bool) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Ledger(tmp_path).stage("train", {"steps": 3}, cut)
    work = Work()
    with pytest.raises(ConfigError, match="steps: 3 -> 4"):
        Ledger(tmp_path).stage("train", {"steps": 4}, work)
    before = json.loads((tmp_path / "train.json").read_text())["seconds"]
    assert Ledger(tmp_path).stage("train", {"steps": 3}, work).seconds >= before > 0
    assert work.calls == [False]


def test_a_stage_whose_output_is_gone_is_made_again_and_what_is_no_record_is_not_replaced(
    tmp_path: Path,
) -> None:
    work, output = Work(), tmp_path / "weights"
    output.touch()
    Ledger(tmp_path).stage("train", {}, work, output)
    assert Ledger(tmp_path).stage("train", {}, work, output).found
    output.unlink()
    assert not Ledger(tmp_path).stage("train", {}, work, output).found
    output.touch()
    for content in ('{"done": true', "[]", '{"digest": 1, "config": {}, "done": true, "seconds": 1, "result": {}}'):
        (tmp_path / "train.json").write_text(content)
        with pytest.raises(DataError, match=r"train\.json"):
            Ledger(tmp_path).stage("train", {}, work, output)
        assert (tmp_path / "train.json").read_text() == content
    assert not Ledger(tmp_path, overwrite=True).stage("train", {}, work, output).found
    assert len(work.calls) == 3


def test_an_interrupted_replacement_still_replaces(tmp_path: Path) -> None:
    def cut(_: bool) -> dict[str, Any]:
        raise KeyboardInterrupt

    work = Work()
    Ledger(tmp_path).stage("train", {"steps": 3}, work)
    with pytest.raises(KeyboardInterrupt):
        Ledger(tmp_path, overwrite=True).stage("train", {"steps": 4}, cut)
    assert not Ledger(tmp_path).stage("train", {"steps": 4}, work).found
    assert Ledger(tmp_path).stage("train", {"steps": 4}, work).found
    assert work.calls == [False, True]


def test_the_summary_counts_by_kind(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for name in ("train-0", "train-1", "train-0", "simulate"):
        ledger.stage(name, {}, Work())
    kinds = {kind: (count, found) for kind, count, _, found in ledger.summary()}
    assert kinds == {"train": (2, False), "simulate": (1, False)}


def simulated(**options: Any) -> dict[str, Any]:
    return SimulateConfig(flow="laminar2d", **options).model_dump(mode="json", exclude={"device"})


def trained(**options: Any) -> dict[str, Any]:
    return TrainConfig(**options).model_dump(mode="json", exclude={"device"}) | {"data": simulated()}


def without(config: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in names}


def test_records_older_than_an_option_have_its_default(tmp_path: Path) -> None:
    """Options that came later, with defaults that change nothing: their absence is no other configuration."""
    work = Work()
    old = {
        "simulate": without(simulated(mu=(1.0, 10.0)), "merge", "halvings", "store_field"),
        "train": without(trained(N=500), "decay", "keep", "validate_n")
        | {"data": without(simulated(), "chemistry", "c0", "chemistry_params", "zip")},
        "paper": without(trained(algorithm="paper"), "decay", "keep"),
    }
    new = {"simulate": simulated(mu=(1.0, 10.0)), "train": trained(N=500), "paper": trained(algorithm="paper")}
    for name, config in old.items():
        Ledger(tmp_path).stage(name, config, work)
        assert Ledger(tmp_path).stage(name, new[name], work).found, name
    assert len(work.calls) == 3


def test_an_option_that_is_not_what_was_done_before_is_refused(tmp_path: Path) -> None:
    work = Work()
    Ledger(tmp_path).stage("simulate", without(simulated(), "merge"), work)
    with pytest.raises(ConfigError, match=r'merge: "none" -> "delta".* -o'):
        Ledger(tmp_path).stage("simulate", simulated(merge="delta"), work)
    Ledger(tmp_path).stage("train", without(trained(), "optimiser"), work)
    with pytest.raises(ConfigError, match=r'"soap".*optimiser.* -o') as caught:
        Ledger(tmp_path).stage("train", trained(), work)
    assert "\n" not in str(caught.value)
    assert len(work.calls) == 2
