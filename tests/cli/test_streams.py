"""Where the output goes: full, closed, without a reader, of another encoding; and what a terminal would obey."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ksdp_cli as ksdp
from ksdp_cli.cli._boundary import exit_code_of, say
from ksdp_cli.cli.assembly import app
from ksdp_cli.store import layout

PROGRAM = "import sys; sys.argv[0] = 'ksdp'; from ksdp_cli.cli.app import main; main()"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return ksdp.simulate(out=tmp_path / "s.zarr", J=20, T=1e-3, dt=1e-3).path


def run(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, *words]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=300, **more)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full device")
@pytest.mark.parametrize("words", [["--version"], ["--help"], ["info"]])
def test_a_full_output_is_one_line(words: list[str], store: Path) -> None:
    with open("/dev/full", "w") as full:
        done = run(*words, *([str(store)] if words == ["info"] else []), stdout=full)
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("ksdp: error: No space left")


@pytest.mark.parametrize("words", [["--help"], ["plugins"], ["info"]])
def test_a_reader_that_left_is_no_error(words: list[str], store: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = run(*words, *([str(store)] if words == ["info"] else []), stdout=write)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_closed_streams_and_ascii(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run("info", str(store), stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "particles" in done.stdout
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    say("nobody is there")
    assert app(["info", str(store)], standalone_mode=False) in (0, None)
    assert app(["info", "nowhere"], standalone_mode=False) == 4


def test_control_characters_of_a_file_are_shown(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metadata = json.loads((store / "zarr.json").read_text())
    metadata["attributes"] |= {"hardware": "\x1b[31mRED\x1b]0;title\x07", "command": "\x1b[2J\ud800", "seed": 1}
    metadata["attributes"][layout.ROOT_DIGEST] = layout.root_digest(metadata)
    (store / "zarr.json").write_text(json.dumps(metadata))
    assert app(["info", str(store)], standalone_mode=False) in (0, None)
    assert app(["info", str(store.parent / "\x1b[31mx")], standalone_mode=False) == 4
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert r"\x1b[31mRED\x1b]0;title\x07" in shown.out
    assert r"\x1b[2J\ud800" in shown.out
    assert r"\x1b[31mx" in shown.err
    for verb in ("report", "plot"):
        out = store.parent / ("x.html" if verb == "report" else "x.png")
        assert app([verb, str(store), "-o", str(out)], standalone_mode=False) in (0, None)


def test_a_name_that_is_no_text_is_drawn_and_reported(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = os.fsdecode(b"\xff\xfe\x1b.zarr")
    monkeypatch.chdir(store.parent)
    store.rename(odd)
    assert app(["report", odd, "-o", "x.html"], standalone_mode=False) in (0, None)
    assert app(["plot", odd, "-o", "x.png"], standalone_mode=False) in (0, None)
    assert r"\xff\xfe\x1b" in Path("x.html").read_text()


def test_no_more_threads_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    def refused() -> int:
        raise RuntimeError("can't start new thread")

    assert exit_code_of(refused) == 5
    assert "no more threads" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
@pytest.mark.parametrize("module", ["typer", "pydantic", "pluggy", "ksdp_cli.cli.train", "numpy"])
def test_an_interruption_while_everything_is_imported_is_one_line(module: str) -> None:
    """Ctrl-C at the moment that a module is looked for, from the first that the command line needs."""
    hook = (
        "import os, signal, sys\n"
        "class Once:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            sys.meta_path.remove(self)\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Once())\n"
    )
    command = [sys.executable, "-c", hook + PROGRAM.replace("; ", "\n"), "info", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (130, "ksdp: interrupted\n")


FILE = 'flow = "laminar2d"\nA = [1, 10]\nJ = 20\nT = 1e-3\ndt = 1e-3\n'


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ('out = "t.zarr"', 0, ""),
        ('out = "t.zarr"\noverwrite = true', 0, ""),
        ('out = "t.zarr"\nresume = true', 0, ""),
        ("out = 3", 2, "out = 3"),
        ('overwrite = "yes"', 2, "true or false"),
        *[(f"{name} = 1", 2, f"--{name}") for name in ("progress", "stop", "warn", "tell", "store")],
    ],
)
def test_a_file_of_options_says_where_to_write(
    line: str, code: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.toml").write_text(FILE + line + "\n")
    found = app(["simulate", "--config", "c.toml"], standalone_mode=False)
    assert (found or 0) == code
    assert told in capsys.readouterr().err
    if code:
        assert os.listdir() == ["c.toml"]
        return
    assert ksdp.open_run("t.zarr").J == 20
    again = app(["simulate", "--config", "c.toml"], standalone_mode=False)
    assert (again or 0) == (0 if "true" in line else 4)
    assert (app(["simulate", "--config", "c.toml", "-o", "u.zarr"], standalone_mode=False) or 0) == 0
    train = (
        FILE.split("T =")[0].split("flow")[0] + f'N = 10\nsteps = 2\nout = "m.safetensors"\n{line.partition("out")[0]}'
    )
    Path("d.toml").write_text(train)
    assert (app(["train", "t.zarr", "--config", "d.toml"], standalone_mode=False) or 0) == 0
    assert Path("m.safetensors").exists()


@pytest.mark.parametrize("megabytes", [700, 1000])
def test_an_address_space_too_small_for_the_libraries_is_told(tmp_path: Path, megabytes: int) -> None:
    """Below their need the compiler aborts the process, or waits for ever."""
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 10**6, resource.RLIM_INFINITY))

    command = [sys.executable, "-m", "ksdp_cli", "simulate", "--J", "10", "--T", "0", "-o", "a.zarr"]
    done = subprocess.run(command, cwd=tmp_path, preexec_fn=limit, capture_output=True, text=True, timeout=300)
    assert done.returncode == 5, done.stderr
    assert done.stderr.count("\n") == 1
    assert "ulimit -v" in done.stderr
    assert list(tmp_path.iterdir()) == []
