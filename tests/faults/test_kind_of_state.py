"""A state of one engine or device is not gone on with by another: the bits would change on the way, without a word."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

import ksdp_cli
from ksdp_cli import open_run
from ksdp_cli.api import training
from ksdp_cli.api.headers import END_STATE, MADE_BY, require_same_kind
from ksdp_cli.base import checkpoint, device
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.particles.tree.accuracy import Tuner, ladder
from ksdp_cli.store.build import seal

from .conftest import Ksdp
from .test_run_faults import frames

RUN = ("simulate", "--J", "60", "--dt", "1e-3", "--snapshots", "2e-3,6e-3")
CPU, CARD = ({"device": name, "engine": "direct"} for name in ("cpu", "cuda"))


def rewrite(file: Path, change: dict[str, Any], without: tuple[str, ...] = ()) -> None:
    """The checkpoint with fields changed and removed."""
    header, arrays = checkpoint.load(file)
    checkpoint.remove(file)
    kept = {name: value for name, value in (header | change).items() if name not in (*without, "source")}
    checkpoint.save(file, kept, arrays)


def test_a_state_of_another_device_is_refused_with_what_to_do_and_nothing_is_lost(ksdp: Ksdp, tmp_path: Path) -> None:
    assert ksdp(*RUN, "-o", "whole.zarr").code == 0
    assert ksdp(*RUN, "-o", "a.zarr", step=4, signal=signal.SIGTERM).code == 143
    file = tmp_path / "a.zarr.checkpoint" / "0"
    assert checkpoint.load(file)[0][MADE_BY] == CPU
    assert open_run(tmp_path / "a.zarr").attrs[MADE_BY] == CPU
    for other in (CARD, {"device": "cuda", "engine": "tree"}):
        rewrite(file, {MADE_BY: other})
        kept = file.read_bytes()
        done = ksdp(*RUN, "-o", "a.zarr", "--resume")
        assert done.code == 2
        assert done.err.count("\n") == 1
        assert f"{other['engine']} engine on cuda" in done.err
        assert "--device cuda" in done.err
        assert file.read_bytes() == kept
    rewrite(file, {MADE_BY: CPU})
    done = ksdp(*RUN, "--device", "cpu", "-o", "a.zarr", "--resume")  # another word for the same device
    assert done.code == 0, done.err
    assert "2 steps of" in done.err
    assert frames(tmp_path / "a.zarr") == frames(tmp_path / "whole.zarr")


def test_a_checkpoint_of_all_cases_in_one_file_is_refused_and_overwritten(ksdp: Ksdp, tmp_path: Path) -> None:
    """As it was before each case had its own."""
    assert ksdp(*RUN, "-o", "a.zarr", step=4, signal=signal.SIGTERM).code == 143
    folder = tmp_path / "a.zarr.checkpoint"
    (folder / "0").rename(tmp_path / "old")
    folder.rmdir()
    (tmp_path / "old").rename(folder)
    refused = ksdp(*RUN, "-o", "a.zarr", "--resume")
    assert refused.code == 4
    assert "earlier version" in refused.err
    assert folder.is_file()
    assert ksdp(*RUN, "-o", "a.zarr", "--overwrite").code == 0
    assert not folder.exists()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_complete_run_of_another_device_is_not_made_longer(tmp_path: Path, dtype: str) -> None:
    """In float64 there is no end state, and a longer run would begin at t = 0 behind frames of the other device."""
    options: dict[str, Any] = {"J": 50, "dtype": dtype, "out": tmp_path / "a.zarr", "resume": True}
    run = ksdp_cli.simulate(T=1e-3, **options)
    changes: dict[str, Any] = {MADE_BY: CARD}
    if END_STATE in run.attrs:
        changes[END_STATE] = json.dumps(json.loads(run.attrs[END_STATE]) | {MADE_BY: CARD})
    seal(tmp_path / "a.zarr", changes)
    with pytest.raises(ConfigError, match=r"direct.* cuda.*direct.* cpu"):
        ksdp_cli.simulate(T=2e-3, **options)
    assert open_run(tmp_path / "a.zarr").complete
    assert ksdp_cli.simulate(T=1e-3, **options).complete  # asks for nothing new
    seal(tmp_path / "a.zarr", {name: changes[name].replace("cuda", "cpu") for name in changes if name == END_STATE})
    seal(tmp_path / "a.zarr", {MADE_BY: CPU})
    assert len(ksdp_cli.simulate(T=2e-3, **options).times) == 2


def test_frames_without_a_state_keep_their_kind(ksdp: Ksdp, tmp_path: Path) -> None:
    """A run that was killed before its first checkpoint, or has lost it."""
    assert ksdp(*RUN, "-o", "a.zarr", step=4, signal=signal.SIGKILL).code == -signal.SIGKILL
    assert not (tmp_path / "a.zarr.checkpoint").exists()
    seal(tmp_path / "a.zarr", {MADE_BY: CARD})
    assert ksdp(*RUN, "-o", "a.zarr", "--resume").code == 2
    seal(tmp_path / "a.zarr", {MADE_BY: CPU})
    assert ksdp(*RUN, "-o", "a.zarr", "--resume").code == 0


def test_the_engine_of_an_old_state() -> None:
    for engines, engine in (([{}], "direct"), ([{"rung": 3}], "tree")):
        require_same_kind({"engines": engines}, {"device": "cpu", "engine": engine}, "it")
        with pytest.raises(ConfigError, match=rf"{engine} .*cpu.*--device cpu"):
            require_same_kind({"engines": engines}, {"device": "cuda", "engine": "direct"}, "it")
    with pytest.raises(ConfigError, match=r"tree.* cpu"):
        require_same_kind({"engines": [{"rung": 3}]}, CPU, "it")
    require_same_kind({"engine": [{"engine": "tree"}]}, {"device": "cpu", "engine": "tree"}, "it")


def test_a_setting_that_the_ladder_lacks_is_no_index_error() -> None:
    tuner = Tuner(1e-4, ladder(2, "float32"))
    state = tuner.state() | {"rung": len(tuner.rungs)}
    rungs = len(tuner.rungs)
    with pytest.raises(DataError, match=rf"setting {rungs} .* are {rungs}; .*--overwrite"):
        tuner.restore(state)


def test_a_training_of_another_device_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.checkpoint"
    state = {"step": 3, "history": [], "seconds": 1.0}
    for about, kept in (({"device": "cuda"}, "cuda"), ({"device": "cpu"}, "cpu"), ({}, "cpu")):
        checkpoint.save(file, {"run": "one", "trainer": state} | about, {})
        assert training._restore(file, "one", kept)[0] == state
        other = "cpu" if kept == "cuda" else "cuda"
        with pytest.raises(ConfigError, match=f"--device {kept}"):
            training._restore(file, "one", other)


def test_a_driver_is_seen_by_either_of_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some sandboxes show /dev/nvidiactl and no /proc/driver/nvidia."""
    assert {"/proc/driver/nvidia/version", "/dev/nvidiactl"} <= set(device.DRIVER_FILES)
    files = tuple(str(tmp_path / name) for name in ("version", "nvidiactl"))
    monkeypatch.setattr(device, "DRIVER_FILES", files)
    assert not device.nvidia_present()
    assert device.choose("auto") == "cpu"
    for file in files:
        Path(file).touch()
        assert device.nvidia_present()
        Path(file).unlink()
