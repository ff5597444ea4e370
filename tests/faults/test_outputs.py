"""What is written: each of several at once keeps its own, and nothing that ksdp did not make is ever replaced."""

from __future__ import annotations

import errno
import json
import multiprocessing as mp
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.training_place import beside, checkpoint_of
from ksdp_cli.base import checkpoint, disk, namespace, outputs
from ksdp_cli.base.outputs import Lock, write_whole
from ksdp_cli.base.whole import HOST
from ksdp_cli.errors import Busy, ConfigError, DataError, KsdpError, ResourceError, Taken
from ksdp_cli.views.plotting import plot
from ksdp_cli.views.report.reporting import report

SMALL: dict[str, Any] = {"flow": "laminar2d", "A": [1, 10, 100], "J": 200, "T": 1e-3, "dt": 1e-3}
TRAIN: dict[str, Any] = {"N": 50, "steps": 4}
fork = mp.get_context("fork") if "fork" in mp.get_all_start_methods() else mp.get_context()
pytestmark = [
    pytest.mark.skipif("fork" not in mp.get_all_start_methods(), reason="the system has no fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and a model."""
    at = tmp_path_factory.mktemp("made")
    ksdp.train(ksdp.simulate(out=at / "s.zarr", **SMALL), out=at / "m.safetensors", **TRAIN)
    return at


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with the same, which is the working directory."""
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def simulated(seed: int) -> tuple[str, bytes]:
    run = ksdp.simulate(J=30, T=1e-3, dt=1e-3, seed=seed)
    return str(run.path), run.frame().tobytes()


def trained(seed: int) -> tuple[str, bytes]:
    done = ksdp.train("s.zarr", seed=seed, **TRAIN)
    return str(done.path), done.trained.model.theta.tobytes()


def sampled(seed: int) -> tuple[str, bytes]:
    run = ksdp.sample("m.safetensors", n=50, seed=seed)
    return str(run.path), run.frame().tobytes()


def plotted(_: int) -> tuple[str, bytes]:
    path = plot("s.zarr").files[0]
    return str(path), path.read_bytes()


def reported(_: int) -> tuple[str, bytes]:
    path = report("s.zarr").path
    return str(path), path.read_bytes()


@pytest.mark.parametrize("verb", [simulated, trained, sampled, plotted, reported])
def test_array_jobs_without_names_in_one_folder(verb: Callable[[int], tuple[str, bytes]], folder: Path) -> None:
    """All end, under names of their own, with what each alone gives."""
    count = 8 if verb in (simulated, trained, sampled) else 3
    with fork.Pool(count) as pool:
        found = pool.map_async(verb, range(count)).get(timeout=200)
    assert len({path for path, _ in found}) == count
    for seed in (0, count - 1):
        assert verb(seed)[1] == found[seed][1]
    left = [name for name in os.listdir("runs") if name.startswith(".") or "partial" in name]
    assert left == []


def hold(path: str, seconds: float) -> None:
    with Lock(Path(path)):
        Path("held").touch()
        time.sleep(seconds)


@pytest.mark.parametrize("name", ["new.safetensors", "new.png", "new.html", "new.csv", "new.zarr"])
def test_a_second_on_one_output_is_told_who_writes_it(name: str, folder: Path) -> None:
    verbs: dict[str, Callable[[str], Any]] = {
        ".safetensors": lambda out: ksdp.train("s.zarr", out=out, **TRAIN),
        ".png": lambda out: plot("s.zarr", out=out),
        ".html": lambda out: report("s.zarr", out=out),
        ".csv": lambda out: exported("s.zarr", out),
        ".zarr": lambda out: ksdp.sample("m.safetensors", n=5, out=out),
    }
    process = fork.Process(target=hold, args=(name, 600))
    process.start()
    while not Path("held").exists():
        time.sleep(0.01)
    before = sorted(os.listdir())
    with pytest.raises(Busy, match=rf"{name}.* {process.pid}"):
        verbs[Path(name).suffix](name)
    assert sorted(os.listdir()) == before
    process.kill()
    process.join()
    verbs[Path(name).suffix](name)  # a lock goes with its process


def exported(store: str, out: str, **more: Any) -> Any:
    from ksdp_cli.api.exporting import export

    return export(store, out, **more)


def test_two_comparisons_make_one_reference_together(folder: Path) -> None:
    """Both want the same run: the second waits for the first and takes it."""
    ksdp.simulate(out="one.zarr", J=100, T=1e-3, dt=1e-3)
    with fork.Pool(2) as pool:
        found = pool.map_async(compared, [0, 0]).get(timeout=300)
    assert found[0] == found[1]


def compared(_: int) -> float:
    return ksdp.compare("one.zarr", "simulate", N=40, metrics="w2").comparison.w2_squared


THESIS = "a thesis\n"


@pytest.mark.parametrize("flags", [{}, {"resume": True}, {"overwrite": True}], ids=["none", "resume", "overwrite"])
@pytest.mark.parametrize("which", ["model", "last", "history", "checkpoint", "previous"])
def test_a_training_replaces_nothing_that_it_did_not_make(which: str, flags: dict[str, bool], folder: Path) -> None:
    target = Path("f.safetensors")
    last, history = beside(target)
    saved = checkpoint_of(target)
    there = {"model": target, "last": last, "history": history, "checkpoint": saved}
    file = there.get(which, saved.with_name(saved.name + ".previous"))
    file.write_text(THESIS)
    before = sorted(os.listdir())
    with pytest.raises(DataError) as caught:
        ksdp.train("s.zarr", out=target, **flags, **TRAIN)
    told = str(caught.value)
    assert told.startswith(f"{file.name} ")
    if isinstance(caught.value, Taken):
        assert not flags
        assert "exists; use --overwrite" in told
    else:
        assert "move it elsewhere" in told
        assert ("not a ksdp checkpoint" if which in ("checkpoint", "previous") else "did not write it") in told
    assert file.read_text() == THESIS
    assert sorted(os.listdir()) == before


def test_a_trainings_own_files_need_a_flag(folder: Path) -> None:
    model = Path("m.safetensors").read_bytes()
    with pytest.raises(Taken, match="--overwrite"):
        ksdp.train("s.zarr", out="m.safetensors", seed=1, **TRAIN)
    with pytest.raises(ConfigError, match=r"m\.safetensors belongs to a"):
        ksdp.train("s.zarr", out="m.safetensors", seed=1, resume=True, **TRAIN)
    assert Path("m.safetensors").read_bytes() == model
    ksdp.train("s.zarr", out="m.safetensors", resume=True, **TRAIN)  # this very one: the same weights again
    ksdp.train("s.zarr", out="m.safetensors", seed=1, overwrite=True, **TRAIN)
    assert Path("m.safetensors").read_bytes() != model
    Path("m.safetensors").unlink()
    with pytest.raises(Taken, match=r"m\.last\.safetensors exists"):
        ksdp.train("s.zarr", out="m.safetensors", **TRAIN)


def test_an_interrupted_training_is_not_lost_to_the_next(folder: Path) -> None:
    def stop() -> int:
        return int(signal.SIGTERM)

    for out in (None, "cut.safetensors"):
        with pytest.raises(KsdpError, match="signal"):
            ksdp.train("s.zarr", out=out, stop=stop, **TRAIN)
    with pytest.raises(Taken, match="--resume"):
        ksdp.train("s.zarr", out="cut.safetensors", **TRAIN)
    assert ksdp.train("s.zarr", **TRAIN).path.name == "s-A-002.safetensors"  # 001 is the one that was interrupted
    resumed = ksdp.train("s.zarr", resume=True, **TRAIN)
    assert resumed.path.name == "s-A-001.safetensors"
    assert not checkpoint.exists(checkpoint_of(resumed.path))
    assert ksdp.train("s.zarr", out="cut.safetensors", resume=True, **TRAIN).path.exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_pictures_pages_and_exports_of_others_stay(overwrite: bool, folder: Path) -> None:
    for name in ("x.png", "x.svg", "x.html", "x.csv", "x.npz"):
        Path(name).write_text(THESIS)
        write = {".html": lambda: report("s.zarr", out=name, overwrite=overwrite)}.get(  # noqa: B023
            Path(name).suffix,
            (lambda: plot("s.zarr", out=name, overwrite=overwrite))  # noqa: B023
            if Path(name).suffix in (".png", ".svg")
            else (lambda: exported("s.zarr", name, overwrite=overwrite)),  # noqa: B023
        )
        with pytest.raises(DataError, match=name):
            write()
        assert Path(name).read_text() == THESIS
    Path("y-moments.png").write_text(THESIS)  # a picture that would come with the first
    with pytest.raises(DataError, match=r"y-moments\.png"):
        plot("s.zarr", out="y.png", overwrite=overwrite)
    assert not Path("y.png").exists()


def on_a_full_disk(verb: str) -> tuple[str, str, list[str]]:
    """What a verb says when no file may exceed 8 kB, and what it leaves."""
    import resource

    sys.dont_write_bytecode = True  # Python would keep modules that are cut short, and fail where they are imported
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
    before = set(os.listdir())
    verbs: dict[str, Callable[[], Any]] = {
        "simulate": lambda: ksdp.simulate(out="new.zarr", J=3000, T=1e-3, dt=1e-3),
        "train": lambda: ksdp.train("s.zarr", out="new.safetensors", **TRAIN),
        "sample": lambda: ksdp.sample("m.safetensors", n=3000, out="new.zarr"),
        "plot": lambda: plot("s.zarr", out="new.png"),
        "report": lambda: report("s.zarr", out="new.html"),
    }
    try:
        verbs.get(verb, lambda: exported("s.zarr", f"new.{verb}"))()
    except KsdpError as error:
        return type(error).__name__, str(error), sorted(set(os.listdir()) - before)
    return "", "", []


#: Calls `on_a_full_disk` in a new process.
APART = """
import importlib.util, json, sys
found = importlib.util.spec_from_file_location("outputs", sys.argv[1])
module = importlib.util.module_from_spec(found)
found.loader.exec_module(module)
print(json.dumps(module.on_a_full_disk(sys.argv[2])))
"""
EXPORTS = ("csv", "npz", "nc", "vtkhdf", "parquet")


@pytest.mark.parametrize("verb", ["simulate", "train", "sample", "plot", "report", *EXPORTS])
def test_a_full_disk_is_told_with_the_file_and_leaves_no_half(verb: str, folder: Path) -> None:
    if verb in ("nc", "vtkhdf"):  # HDF5 may hang in a process forked from one with threads
        done = subprocess.run([sys.executable, "-c", APART, __file__, verb], capture_output=True, text=True, check=True)
        kind, told, left = json.loads(done.stdout)
    else:
        with fork.Pool(1) as pool:
            kind, told, left = pool.apply_async(on_a_full_disk, [verb]).get(timeout=300)
    assert kind == ResourceError.__name__, told
    assert os.strerror(errno.EFBIG) in told
    assert "new." in told or verb == "report"  # whose pictures are drawn in the system's temporary folder
    # a store keeps the frames that it has, a training what came before; all under their own names
    assert [name for name in left if name.startswith(".") or "partial" in name] == []
    if verb in ("plot", "report", *EXPORTS):
        assert left == []


def killed(path: str) -> None:
    with write_whole(Path(path)) as temporary:
        temporary.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_next_writer_removes_what_a_killed_one_left_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    process = fork.Process(target=killed, args=(str(path),))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    with subprocess.Popen(["sleep", "60"]) as other:  # a process that writes the same file
        active, elsewhere, old = (
            tmp_path / f".a.json.{writer}{outputs.UNFINISHED}"
            for writer in (f"{outputs.HERE}-{other.pid}", "zzzz-1", "1234")
        )
        for file in (active, elsewhere, old):
            file.touch()
        os.utime(old, (time.time() - 2 * outputs.DAY,) * 2)
        with write_whole(path) as temporary:
            temporary.write_text("whole")
        other.kill()
    assert path.read_text() == "whole"
    assert sorted(tmp_path.iterdir()) == sorted([path, active, elsewhere]), left


def test_containers_with_one_name_leave_the_files_of_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of a process in another container may be of none here, or of another."""
    path, there = tmp_path / "a.json", tmp_path / "store"
    process = fork.Process(target=os.getpid)
    process.start()
    process.join()
    with monkeypatch.context() as patch:
        patch.setattr(os, "readlink", lambda _: "pid:[1]")
        mark = namespace.mark()
    writing = tmp_path / f".a.json.{mark[:4]}-{process.pid}{outputs.UNFINISHED}"
    part = there / f".0.{HOST.replace(namespace.NAMESPACE, mark)}.{process.pid}.0{disk.PARTIAL}"
    lock, owner = tmp_path / ".s.zarr.case-0.ksdp-lock", f"process {process.pid} on {platform.node()}"
    there.mkdir()
    for file in (writing, part):
        file.touch()
    lock.write_text(f"{owner}\npid:[1]\n")
    with write_whole(path) as temporary:
        temporary.write_text("whole")
    assert writing.exists()
    assert list(disk.leftovers(there)) == []
    assert Lock.holder(tmp_path / "s.zarr.case-0") == owner
    lock.write_text(f"{owner}\n{namespace.process_numbers()}\n")
    assert Lock.holder(tmp_path / "s.zarr.case-0") is None


def test_a_name_is_too_long_at_the_start(folder: Path) -> None:
    before = sorted(os.listdir())
    for name, verb in ((".safetensors", ksdp.train), (".zarr", ksdp.sample)):
        with pytest.raises(DataError, match=r"has 2\d\d bytes"):
            verb({".zarr": "m.safetensors"}.get(name, "s.zarr"), out="n" * (240 - len(name)) + name)
    assert sorted(os.listdir()) == before
    longest = "n" * (223 - len(".safetensors")) + ".safetensors"
    assert ksdp.train("s.zarr", out=longest, **TRAIN).path.exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_in_the_place_of_a_summary_stops_a_reproduction_at_once(overwrite: bool, folder: Path) -> None:
    from ksdp_cli.experiments.reproducing import reproduce

    Path("out").mkdir()
    Path("out/table2.json").write_text(THESIS)
    with pytest.raises(DataError, match=r"table2\.json"):
        reproduce("table2", out="out", overwrite=overwrite)
    assert os.listdir("out") == ["table2.json"]


def test_one_body_writes_files_whole() -> None:
    """Syncing and renaming stand in `base.whole`; the store's folders are renamed in `store.create`."""
    package = Path(ksdp.__file__).parent
    renames = re.compile(r"\bos\.(replace|rename)\(")
    bodies = {str(f.relative_to(package)) for f in package.rglob("*.py") if renames.search(f.read_text())}
    assert bodies == {"base/whole.py", "store/create.py"}
