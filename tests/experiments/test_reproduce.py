"""``ksdp reproduce`` as a user meets it: from a file to a table, killed and gone on with, changed and refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from ksdp_cli import executors
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.executors import Workers
from ksdp_cli.experiments import reproducing
from ksdp_cli.experiments.reproducing import reproduce
from ksdp_cli.experiments.stages import VALIDATION_SEED
from ksdp_cli.learning.model import Model
from ksdp_cli.store import open_run

PROGRAM = "import sys; from ksdp_cli.cli.app import main; sys.argv[0] = 'ksdp'; main()"


#: Stands still before the first distances until it has read a line, so that a signal finds it on its way.
STANDING = """
from ksdp_cli.experiments import stages
measure = stages.Stages._distances
def stand_still(self, *given):
    stages.Stages._distances = measure
    open("standing", "w").close()
    sys.stdin.readline()
    return measure(self, *given)
stages.Stages._distances = stand_still
"""


def start(folder: Path, *arguments: str, before: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", f"import sys\n{before}\n{PROGRAM}", "reproduce", "tiny.toml", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def wait_for(file: Path, child: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not file.exists():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end, f"{file} did not come"
        time.sleep(0.002)


def numbers(document: dict[str, Any]) -> list[Any]:
    return [[row[name] for name in ("at", "N", "ours_each_seed", "floor", "excess_se")] for row in document["table"]]


def test_killed_at_two_stages_and_given_again_it_ends_with_the_same_numbers(tiny: Path) -> None:
    """SIGKILL while the first network is trained, SIGINT while distances are measured."""
    whole = reproduce(tiny, out=tiny.parent / "whole").as_dict()
    stages = tiny.parent / "runs" / "reproduce-quick" / "tiny" / "stages"
    child = start(tiny.parent)
    wait_for(stages / "train-0.json", child)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    child = start(tiny.parent, before=STANDING)
    wait_for(tiny.parent / "standing", child)
    os.kill(child.pid, signal.SIGINT)
    _, told = child.communicate()
    assert child.returncode == 130, told
    assert "repeat the command" in told
    child = start(tiny.parent, "--json")
    printed, told = child.communicate()
    assert child.returncode == 0, told
    document = json.loads(printed)
    assert numbers(document) == numbers(whole)
    assert {row["stage"]: row["count"] for row in document["stages"]} == {
        "simulate": 1, "train": 2, "reference": 4, "w2": 4, "floor": 2, "figure": 1,
    }  # fmt: skip
    assert all(row["seconds"] > 0 for row in document["stages"])
    assert [Path(path).name for path in document["pictures"]] == ["tiny-moment.png"]


def test_a_second_call_finds_everything_and_another_configuration_is_refused(
    tiny: Path, ksdp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.parent)
    first = reproduce(tiny)
    again = reproduce(tiny)
    assert numbers(again.as_dict()) == numbers(first.as_dict())
    assert all(found for *_, found in again.seconds)
    tiny.write_text(tiny.read_text().replace("steps = 60", "steps = 90"))
    done = ksdp("reproduce", "tiny.toml")
    assert done.returncode == 2
    assert "steps: 60 -> 90" in done.stderr
    assert "--overwrite" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    made = reproduce(tiny, overwrite=True)
    kinds = {kind: found for _, kind, _, _, found in made.seconds}
    assert kinds["simulate"]
    assert kinds["reference"]
    assert kinds["floor"]
    assert not kinds["train"]
    assert not kinds["w2"]
    table = [row for title, _, rows in made.tables() if "squared W2" in title for row in rows]
    assert [row[3] for row in table] == [300, 100]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fig11"], "there is no experiment 'fig11'"),
        (["table2", "--scale", "huge"], "has no scale 'huge'; it has: quick, paper"),
        (["table2", "--seeds", "0"], "--seeds 0"),
    ],
)
def test_wrong_commands(ksdp: Any, tmp_path: Path, arguments: list[str], told: str) -> None:
    done = ksdp("reproduce", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_algorithm_paper_trains_and_validates_on_fresh_runs(tiny: Path, monkeypatch: Any) -> None:
    """In a folder of its own; validation is at the parameters of the other runs, with their seed in the store."""
    monkeypatch.chdir(tiny.parent)
    tiny.write_text(tiny.read_text().replace("[[rows]]", "[validation]\nA = '5,50'\n\n[[rows]]", 1))
    done = reproduce(tiny, algorithm="paper", seeds=1)
    assert done.folder == Path("runs/reproduce-quick-paper")
    model = Model.load(done.folder / "tiny" / "seed-0.safetensors")
    assert (model.training["algorithm"], model.training["held_out"], model.network.form) == ("paper", 0.0, "paper")
    assert model.provenance["result"]["validated_on"] == "150 particles of 2 clouds of other runs"
    assert open_run(done.folder / "tiny" / "validation.zarr").attrs["seed"] == VALIDATION_SEED
    with pytest.raises(ConfigError, match="--algorithm 'papr'"):
        reproduce(tiny, algorithm="papr")


@pytest.mark.parametrize("where", ["out/tiny.json", "out/tiny-moment.png", "out/tiny/seed-0.safetensors"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_files_of_others_in_its_folder_stay(tiny: Path, tmp_path: Path, where: str, overwrite: bool) -> None:
    file = tmp_path / where
    file.parent.mkdir(parents=True)
    file.write_text("a thesis")
    with pytest.raises(DataError, match=file.name):
        reproduce(tiny, seeds=1, out=tmp_path / "out", overwrite=overwrite)
    assert file.read_text() == "a thesis"


class Here(Workers):
    """Every call at once, in this process."""

    def __init__(self, place: str, workers: int | None) -> None:
        pass

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        json.dumps(args)  # an executor may send them by a file
        future = Future[Any]()
        future.set_result(fn(*args, **kwargs))
        return future

    def ask_to_stop(self, number: int) -> None:
        pass

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


@pytest.mark.parametrize("executor", ["here", pytest.param("processes", marks=pytest.mark.slow)])
def test_workers_make_the_same_numbers(tiny: Path, executor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stages by another executor: the same weights and distances, and none of them is made again after it."""
    if executor == "here":
        monkeypatch.setattr(executors, "open_executor", Here)
    made, ahead = dict[Path, int](), reproducing.make_ahead

    def stamps() -> dict[Path, int]:
        return {file: file.stat().st_mtime_ns for file in (tiny.parent / "shared").rglob("stages/*.json")}

    def make_ahead(*arguments: Any) -> None:
        ahead(*arguments)
        made.update(stamps())

    monkeypatch.setattr(reproducing, "make_ahead", make_ahead)
    text = tiny.read_text()
    tiny.write_text(text[: text.index("[[figures]]")] + text[text.index("[scales") :])
    alone = reproduce(tiny, out=tiny.parent / "alone")
    shared = reproduce(tiny, out=tiny.parent / "shared", workers=2)
    assert numbers(shared.as_dict()) == numbers(alone.as_dict())
    weights = [
        [Model.load(at.folder / "tiny" / f"seed-{n}.safetensors").sha256 for n in range(2)] for at in (alone, shared)
    ]
    assert weights[0] == weights[1]
    assert made
    assert made == stamps()
    assert not any(found for *_, found in alone.seconds + shared.seconds)


def test_workers_that_cannot_be_are_refused(tiny: Path) -> None:
    with pytest.raises(ConfigError, match="workers = 0"):
        reproduce(tiny, out=tiny.parent / "a", workers=0)
    with pytest.raises(ConfigError, match="no executor 'nowhere'"):
        reproduce(tiny, out=tiny.parent / "a", executor="nowhere")
    assert not (tiny.parent / "a" / "tiny" / "training.zarr").exists()
