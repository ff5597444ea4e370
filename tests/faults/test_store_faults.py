"""A store under kill -9 and two writers: every acknowledged frame stays, and none is torn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli.errors import DataError, KsdpError
from ksdp_cli.store import create, open_run

#: What both the writers that are killed and the tests know: the store and its frames.
SHARED = """
import os, random, signal, sys, time
import numpy as np
from ksdp_cli.store import Header, create

def header_of(steps):
    times = tuple(0.1 * k for k in range(steps))
    return Header("simulation", times, 3000, 2, {"A": (1.0, 2.0)}, 2, config={"T": times[-1], "J": 3000})

def frame_of(k):
    return np.random.default_rng(k).standard_normal((2, 3000, 2), dtype=np.float32)

def fill(path, say=lambda committed: None, **options):
    with create(path, header_of(options.pop("steps")), **options) as writer:
        for k in range(writer.committed, len(writer.times)):
            writer.write(k, frame_of(k))
            say(k + 1)
        writer.annotate(seconds=1.0)
        writer.finish()

def work(path):
    acknowledged = os.open(path + ".ack", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    say = lambda committed: os.write(acknowledged, b"%d\\n" % committed)
    fill(path, say, steps=2, resume=True)
    fill(path, say, steps=3, resume=True)
    say(0)
    fill(path, say, steps=3, overwrite=True)
"""

#: One process that has imported zarr and forks a writer for every kill: an import of its own would cost each a second.
KILLER = (
    SHARED
    + """
import zarr, zarr.codecs, ksdp_cli.store.durable

def at_call(number):
    counter = [number]
    def counted(real):
        def call(*args, **kwargs):
            counter[0] -= 1
            if counter[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        return call
    for name in ("fsync", "replace", "rename", "link", "unlink", "rmdir", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))

folder, mode = sys.argv[1:]
chosen = random.Random(0)
survivors = 0
for number in range(8 if mode == "moment" else 400):
    # each of the first ten calls, which make the folder and its mark, then one of every thirteen
    step = 1 + number if number < 10 else 11 + 13 * (number - 10) + chosen.randrange(13)
    child = os.fork()
    if child == 0:
        if mode == "call":
            at_call(step)
        work(f"{folder}/{number}.zarr")
        os._exit(0)
    if mode == "moment":
        time.sleep(chosen.uniform(0.01, 0.5))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), f"writer {number} failed by itself"
    if status == 0 and mode == "call":
        break
print(number)
"""
)

known: dict[str, Any] = {}
exec(SHARED, known)


def same_as_written(path: Path, at_least: int) -> None:
    run = open_run(path)
    assert len(run.times) >= at_least
    for k in range(len(run.times)):
        for case in range(2):
            assert np.array_equal(run.frame(case, k), known["frame_of"](k)[case]), (path, case, k)


@pytest.mark.parametrize("mode", ["moment", "call"])
def test_kill_9_leaves_every_acknowledged_frame_and_no_torn_one(tmp_path: Path, mode: str) -> None:
    """Killed at random moments, and at chosen system calls from the first to the last of a whole life of a store."""
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path), mode], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= (7 if mode == "moment" else 25)
    for log in sorted(tmp_path.glob("*.ack")):
        path = log.with_suffix("")
        lines = log.read_text().split()
        acknowledged = int(lines[-1]) if lines else 0
        if path.exists():
            same_as_written(path, acknowledged)
        elif acknowledged:
            with pytest.raises(DataError, match="--resume"):
                open_run(path)
        known["fill"](path, steps=3, resume=True)
        same_as_written(path, 3)
        assert open_run(path).complete
        log.unlink()
        assert not list(tmp_path.glob(f".{path.name}*")), "something is left beside it"
        assert not list(path.rglob("*.partial"))


@pytest.mark.parametrize("new_one", [True, False])
def test_a_kill_between_the_two_renames_of_a_replacement_is_undone(tmp_path: Path, new_one: bool) -> None:
    """The moment that the kills above seldom hit: the old store is aside and the new one not yet in its place."""
    path, old, new = (tmp_path / name for name in ("a.zarr", ".a.zarr.ksdp-old", ".a.zarr.ksdp-new"))
    known["fill"](path, steps=3)
    path.rename(old)
    if new_one:
        known["fill"](new, steps=3)
    with pytest.raises(DataError, match="--resume"):
        open_run(path)
    with pytest.raises(DataError, match="exists"):
        create(path, known["header_of"](3))
    same_as_written(path, 3)
    assert not old.exists()
    assert not new.exists()


def test_two_processes_do_not_write_one_store(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    program = SHARED + "\nwriter = create(sys.argv[1], header_of(2))\nprint('held', flush=True)\ntime.sleep(60)\n"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        try:
            for options in ({}, {"resume": True}, {"overwrite": True}):
                with pytest.raises(DataError, match=str(other.pid)):
                    create(path, known["header_of"](2), **options)
        finally:
            other.kill()
    known["fill"](path, steps=2, resume=True)
    assert open_run(path).complete


def test_an_error_of_ours_is_never_taken_for_the_disk(tmp_path: Path) -> None:
    with pytest.raises(KsdpError, match="process"), create(tmp_path / "a.zarr", known["header_of"](1)):
        create(tmp_path / "a.zarr", known["header_of"](1))
