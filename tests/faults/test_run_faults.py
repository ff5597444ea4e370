"""``ksdp simulate`` interrupted in every way: the run that goes on is, to the bit, the one that was not interrupted."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from ksdp_cli import open_run
from ksdp_cli.base import checkpoint
from ksdp_cli.errors import DataError

from .conftest import Ksdp

#: Heun, two cases, snapshots on and off the grid of steps, one at t = 0.
SWEEP = (
    *("simulate", "--J", "40", "--flow", "laminar2d", "--A", "1,10", "--scheme", "heun"),
    *("--dt", "1e-3", "--snapshots", "0,1e-3,2.5e-3,4e-3"),
)
WHOLE = ("simulate", "--J", "60", "--T", "6e-3", "--dt", "1e-3", "--dtype", "float64", "--kernel", "gaussian")


def frames(path: Path) -> dict[str, bytes]:
    """Every file of positions, and of the chemical where it is stored, as bytes."""
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for name in ("position", "c")
        for file in sorted((path / name / "c").rglob("*"))
        if file.is_file()
    }


def beside(path: Path) -> list[str]:
    """What lies beside a store and belongs to it."""
    return sorted(file.name for file in path.parent.iterdir() if path.name in file.name and file != path)


@pytest.mark.parametrize("stride", [40, pytest.param(15, marks=pytest.mark.slow)])
def test_killed_at_a_system_call_and_resumed(ksdp: Ksdp, tmp_path: Path, stride: int) -> None:
    """kill -9 all over a run with a checkpoint at every step: between frame, commit mark, checkpoint and end."""
    assert ksdp(*SWEEP, "-o", "whole.zarr").code == 0
    whole, draw, kills = frames(tmp_path / "whole.zarr"), random.Random(0), 0
    assert len(whole) == 8
    for number in range(100):
        path = tmp_path / f"{number}.zarr"
        command = (*SWEEP, "-o", path.name, "--resume")
        done = ksdp(*command, checkpoints=True, call=1 + stride * number + draw.randrange(stride))
        if done.code == 0:
            break
        kills += 1
        assert done.code == -signal.SIGKILL, done.err
        if path.exists():
            run = open_run(path)
            for case in range(2):
                for k in range(len(run.times)):
                    assert run.frame(case, k).tobytes() == open_run(tmp_path / "whole.zarr").frame(case, k).tobytes()
        again = ksdp(*command, checkpoints=True)
        assert again.code == 0, again.err
        assert frames(path) == whole, number
        assert beside(path) == []
    assert kills >= 120 // stride


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_the_state_and_leaves_with_its_code(ksdp: Ksdp, tmp_path: Path, number: int, code: int) -> None:
    assert ksdp(*WHOLE, "-o", "whole.zarr").code == 0
    done = ksdp(*WHOLE, "-o", "a.zarr", "--resume", step=4, signal=number)
    assert done.code == code
    assert done.out == ""
    assert done.err.count("\n") == 1  # too soon to say what to expect
    assert "step 4 of 6" in done.err
    assert "--resume" in done.err
    assert checkpoint.load(tmp_path / "a.zarr.checkpoint" / "0")[0]["step"] == 4
    taken = ksdp(*WHOLE, "-o", "a.zarr")
    assert taken.code == 4
    assert "a.zarr exists" in taken.err
    again = ksdp(*WHOLE, "-o", "a.zarr", "--resume")
    assert again.code == 0
    assert "2 steps of 60 particles" in again.err
    assert frames(tmp_path / "a.zarr") == frames(tmp_path / "whole.zarr")
    assert beside(tmp_path / "a.zarr") == []
    pulls = [open_run(tmp_path / name).attrs["largest_pull"] for name in ("a.zarr", "whole.zarr")]
    assert pulls[0] == pulls[1] > 0


def test_the_tree_and_its_tuner_go_on_to_the_bit(ksdp: Ksdp, tmp_path: Path) -> None:
    """Interrupted before and after the checks of the error, at calls 25 and 50, and while a cheaper order is tried."""
    tree = ("simulate", "--J", "700", "--T", "6e-3", "--engine", "tree", "--accuracy", "1e-3")
    assert ksdp(*tree, "-o", "whole.zarr").code == 0
    command = (*tree, "-o", "a.zarr", "--resume")
    for step in (1, 24, 26, 55):
        assert ksdp(*command, step=step, signal=signal.SIGTERM).code == 143
    assert ksdp(*command, cores=1).code == 0
    assert frames(tmp_path / "a.zarr") == frames(tmp_path / "whole.zarr")
    assert open_run(tmp_path / "a.zarr").attrs["engine"][0]["checked_at_call"] > 25


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_later_end_goes_on_and_equals_the_long_run(ksdp: Ksdp, tmp_path: Path, dtype: str) -> None:
    """From the last frame where it is the whole state, else from t = 0; in both cases the bits of the long run."""
    options = ("simulate", "--J", "50", "--dtype", dtype)
    assert ksdp(*options, "--T", "2e-3", "-o", "a.zarr", "--resume").code == 0
    longer = (*options, "--T", "5e-3", "-o", "a.zarr", "--resume")
    done = ksdp(*longer)
    assert done.code == 0
    assert f"{30 if dtype == 'float32' else 50} steps of" in done.err
    assert ksdp(*options, "--T", "5e-3", "-o", "long.zarr").code == 0
    assert open_run(tmp_path / "a.zarr").times.tolist() == [2e-3, 5e-3]
    assert open_run(tmp_path / "a.zarr").config["T"] == 5e-3
    assert frames(tmp_path / "a.zarr")["position/c/0/1/0/0"] == frames(tmp_path / "long.zarr")["position/c/0/0/0/0"]
    assert open_run(tmp_path / "a.zarr").attrs["largest_pull"] == open_run(tmp_path / "long.zarr").attrs["largest_pull"]
    assert ksdp(*longer).code == 0
    shorter = ksdp(*options, "--T", "1e-3", "-o", "a.zarr", "--resume")
    assert shorter.code == 2
    assert "--snapshots" in shorter.err


def test_a_killed_extension_goes_on_from_where_the_run_ended(ksdp: Ksdp, tmp_path: Path) -> None:
    options = ("simulate", "--J", "50", "-o", "a.zarr", "--resume")
    assert ksdp(*options, "--T", "2e-3").code == 0
    assert ksdp(*options, "--T", "5e-3", step=25, signal=signal.SIGKILL).code == -signal.SIGKILL
    assert "30 steps of" in ksdp(*options, "--T", "5e-3").err
    assert ksdp("simulate", "--J", "50", "--snapshots", "2e-3,5e-3", "-o", "long.zarr").code == 0
    assert frames(tmp_path / "a.zarr") == frames(tmp_path / "long.zarr")


def test_a_complete_run_returns_at_once(ksdp: Ksdp, tmp_path: Path) -> None:
    first = ksdp(*WHOLE, "-o", "a.zarr", "--resume")
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "a.zarr").rglob("*")}
    second = ksdp(*WHOLE, "-o", "a.zarr", "--resume")
    assert (second.code, second.out) == (0, first.out)
    assert " steps of " in first.err
    assert " steps of " not in second.err
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "a.zarr").rglob("*")} == before


def test_other_physics_are_refused_with_every_difference(ksdp: Ksdp, tmp_path: Path) -> None:
    assert ksdp(*WHOLE, "-o", "a.zarr", step=2, signal=signal.SIGTERM).code == 143
    saved = (tmp_path / "a.zarr.checkpoint" / "0").read_bytes()
    done = ksdp(*WHOLE, "--mu", "2", "--seed", "5", "-o", "a.zarr", "--resume")
    assert done.code == 2
    assert "mu: [1.0] -> [2.0]" in done.err
    assert "seed: 0 -> 5" in done.err
    assert done.err.count("\n") == 1
    assert (tmp_path / "a.zarr.checkpoint" / "0").read_bytes() == saved


def interrupted(ksdp: Ksdp, name: str, *, both: bool = False) -> None:
    """A run stopped at step 4, after two checkpoints or one."""
    if both:
        assert ksdp(*WHOLE, "-o", name, "--resume", step=3, signal=signal.SIGTERM).code == 143
    assert ksdp(*WHOLE, "-o", name, "--resume", step=4, signal=signal.SIGTERM).code == 143


@pytest.mark.parametrize("trouble", ["newest damaged", "both damaged", "another run's", "a newer store's", "version"])
def test_a_checkpoint_that_is_no_good_is_named_and_does_no_harm(ksdp: Ksdp, tmp_path: Path, trouble: str) -> None:
    interrupted(ksdp, "a.zarr", both=trouble == "newest damaged")
    file = tmp_path / "a.zarr.checkpoint" / "0"
    header, arrays = checkpoint.load(file)
    if "damaged" in trouble:
        content = bytearray(file.read_bytes())
        content[-100] ^= 1
        file.write_bytes(content)
        said, steps = "SHA-256", 3 if trouble == "newest damaged" else 6
    if trouble == "another run's":
        assert ksdp(*WHOLE, "--seed", "9", "-o", "b.zarr", step=5, signal=signal.SIGTERM).code == 143
        shutil.copy(tmp_path / "b.zarr.checkpoint" / "0", file)
        said, steps = "another run", 6
    if trouble == "a newer store's":
        file.unlink()
        checkpoint.save(file, header | {"k": 1, "step": 0}, arrays)
        said, steps = "0 frames", 6
    if trouble == "version":
        file.unlink()
        checkpoint.save(file, header | {"run": "0" * 64}, arrays)
        said, steps = "another run", 6
    done = ksdp(*WHOLE, "-o", "a.zarr", "--resume")
    assert done.code == 0, done.err
    assert said in done.err
    assert ("going on from" if steps == 3 else "starting from t = 0") in done.err
    assert f"{steps} steps of" in done.err
    assert ksdp(*WHOLE, "-o", "whole.zarr").code == 0
    assert frames(tmp_path / "a.zarr") == frames(tmp_path / "whole.zarr")


def test_a_checkpoint_without_its_store_is_not_taken_for_a_state(ksdp: Ksdp, tmp_path: Path) -> None:
    """What is left when somebody removes a store, or replaces it: the frames before the checkpoint are not there."""
    assert ksdp(*SWEEP, "-o", "whole.zarr").code == 0
    for option in ((), ("--resume",), ("--overwrite",)):
        assert ksdp(*SWEEP, "-o", "a.zarr", step=7, signal=signal.SIGTERM).code == 143
        if option != ("--overwrite",):
            shutil.rmtree(tmp_path / "a.zarr")
        assert ksdp(*SWEEP, "-o", "a.zarr", *option).code == 0
        assert frames(tmp_path / "a.zarr") == frames(tmp_path / "whole.zarr")
        assert beside(tmp_path / "a.zarr") == []
        shutil.rmtree(tmp_path / "a.zarr")


def test_a_file_that_ksdp_did_not_write_stays(ksdp: Ksdp, tmp_path: Path) -> None:
    (tmp_path / "a.zarr.checkpoint").write_text("my notes")
    done = ksdp(*WHOLE, "-o", "a.zarr")
    assert done.code == 4
    assert "a.zarr.checkpoint" in done.err
    assert (tmp_path / "a.zarr.checkpoint").read_text() == "my notes"
    assert ksdp(*WHOLE, "-o", "b.zarr").code == 0
    (tmp_path / "b.zarr.checkpoint").write_text("my notes")
    assert ksdp(*WHOLE, "-o", "b.zarr", "--resume").code == 0
    assert (tmp_path / "b.zarr.checkpoint").read_text() == "my notes"


def test_a_second_process_is_kept_off_the_output(ksdp: Ksdp, tmp_path: Path) -> None:
    pid = ksdp(*WHOLE, "-o", "a.zarr", step=2, sleep=120).code
    try:
        limit = time.monotonic() + 60
        while not (tmp_path / "asleep").exists() and time.monotonic() < limit:
            time.sleep(0.02)
        for option in ((), ("--resume",), ("--overwrite",)):
            done = ksdp(*WHOLE, "-o", "a.zarr", *option)
            assert done.code == 4
            assert f"process {pid}" in done.err
    finally:
        os.kill(pid, signal.SIGKILL)
    assert ksdp(*WHOLE, "-o", "a.zarr", "--resume").code == 0


def test_the_number_of_cores_does_not_change_a_bit(ksdp: Ksdp, tmp_path: Path) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core")
    for name, cores in (("one.zarr", 1), ("all.zarr", len(os.sched_getaffinity(0)))):
        assert ksdp("simulate", "--J", "1500", "--T", "1e-3", "-o", name, cores=cores).code == 0
    assert open_run(tmp_path / "one.zarr").attrs["engine"][0]["threads"] == 1
    assert frames(tmp_path / "one.zarr") == frames(tmp_path / "all.zarr")


def test_a_flipped_bit_in_a_checkpoint_or_an_unfinished_store_never_changes_the_result(
    ksdp: Ksdp, tmp_path: Path
) -> None:
    """Twelve places: the resumed run is refused with exit 4, or ends with the bits of the undamaged one."""
    assert ksdp(*SWEEP, "-o", "whole.zarr").code == 0
    assert ksdp(*SWEEP, "-o", "kept.zarr", step=7, signal=signal.SIGTERM).code == 143
    draw = random.Random(1)
    files = [
        file.relative_to(tmp_path) for file in sorted(tmp_path.rglob("*")) if "kept" in str(file) and file.is_file()
    ]
    refused = 0
    for file in draw.sample(files, 12):
        for name in ("", ".checkpoint"):
            kept, copy = tmp_path / f"kept.zarr{name}", tmp_path / f"a.zarr{name}"
            shutil.copytree(kept, copy, dirs_exist_ok=True)
        damaged = tmp_path / str(file).replace("kept", "a", 1)
        content = bytearray(damaged.read_bytes())
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        damaged.write_bytes(content)
        done = ksdp(*SWEEP, "-o", "a.zarr", "--resume")
        assert done.code in (0, 4), done.err
        refused += done.code == 4
        if done.code == 0:
            try:
                run, truth = open_run(tmp_path / "a.zarr"), open_run(tmp_path / "whole.zarr")
                assert all(
                    run.frame(case, k).tobytes() == truth.frame(case, k).tobytes() for case in (0, 1) for k in range(4)
                ), file
            except DataError:
                pass  # a frame that was committed before is damaged, and says so
        shutil.rmtree(tmp_path / "a.zarr")
        shutil.rmtree(tmp_path / "a.zarr.checkpoint", ignore_errors=True)
    assert refused >= 3
