"""Help at 80 columns, what completion offers, and how much is told."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from ksdp_cli.cli import _boundary, _components, _options
from ksdp_cli.cli.assembly import app


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    before = _boundary.LOG.level
    yield
    _boundary.LOG.setLevel(before)


@pytest.mark.parametrize("words", [[], ["plugins"]])
def test_no_summary_is_cut(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    app([*words, "--help"], standalone_mode=False)
    told = capsys.readouterr().out
    assert "..." not in told.partition("Commands:")[2]
    assert max(map(len, told.splitlines())) <= 80


def subcommands(group: Any) -> dict[str, Any]:
    return dict(getattr(group, "commands", {}))


def every() -> list[str]:
    """All commands, those of groups and the groups; of ksdp alone, for plugins may add some."""
    found = []
    for name, command in subcommands(typer.main.get_command(app)).items():
        found += [name, *(f"{name} {inner}" for inner in subcommands(command))]
    return found


@pytest.mark.parametrize("name", every())
def test_each_help_ends_with_an_example_that_parses(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    app([*name.split(), "--help"], standalone_mode=False)
    told = capsys.readouterr().out
    assert "[default:" not in told  # it is said in words
    assert max(map(len, told.splitlines())) <= 80
    example = told.splitlines()[-1].strip()
    assert example.startswith(f"Example: ksdp {name}")
    words = shlex.split(example.removeprefix("Example: ksdp"))
    command: Any = typer.main.get_command(app)
    with contextlib.ExitStack() as contexts:
        while words:
            command = subcommands(command)[words[0]]
            context = contexts.enter_context(command.make_context(words[0], words[1:]))
            words = words[1:] if subcommands(command) else []
    places = [context.params[one.name] for one in command.params if one.param_type_name == "argument"]
    given = [str(word) for place in places for word in (place if isinstance(place, (list, tuple)) else [place])]
    _options.words_and_names([*given, *context.args], [])  # what is left are --NAME VALUE, or this raises


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["--flow", "laminar3d"], ["Parameters of flow laminar3d:", "--A SWEEP", "[length / time]"]),
        (["--init=gaussian"], ["Parameters of init gaussian:", "--width"]),
        (["--flow", "none"], ["--A SWEEP"]),
    ],
)
def test_help_knows_the_parameters_of_what_is_named(
    words: list[str], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    app(["simulate", *words, "--help"], standalone_mode=False)
    told = capsys.readouterr().out
    assert all(line in told for line in lines)
    assert told.count("--A SWEEP") <= 1
    assert "Example: ksdp simulate" in told


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ksdp simulate --flow lam", {"laminar2d", "laminar3d"}),
        ("ksdp simulate --kernel pl", {"plummer"}),
        ("ksdp simulate --init gau", {"gaussian"}),
        ("ksdp simulate --preset sipf-ball-8", {"sipf-ball-80"}),
        ("ksdp simulate --init gaussian --wi", {"--width"}),
        ("ksdp compare a.zarr --metrics w2,bi", {"w2,binned"}),
        ("ksdp pre", {"presets"}),
    ],
)
def test_completion_offers_what_is_registered(line: str, offered: set[str]) -> None:
    env = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1), "_KSDP_COMPLETE": "complete_bash"}
    program = "import sys; sys.argv[0] = 'ksdp'; from ksdp_cli.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | env, capture_output=True, text=True, timeout=300
    )
    assert set(done.stdout.split()) == offered, done.stderr


def test_quiet_and_verbose_may_stand_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["ksdp", "simulate", "--quiet", "--J", "5"]
    _boundary.listen(words)
    assert words == ["ksdp", "simulate", "--J", "5"]
    _boundary.say("10 steps")
    _boundary.say("coarse", logging.WARNING)
    _boundary.say("no", logging.ERROR)
    assert capsys.readouterr().err == "ksdp: warning: coarse\nksdp: error: no\n"
    _boundary.listen(["ksdp", "-v"])
    assert _boundary.LOG.isEnabledFor(logging.DEBUG)
    kept = ["ksdp", "simulate", "--", "--quiet"]
    _boundary.listen(kept)
    assert kept[-1] == "--quiet"


def test_words_of_a_command_line() -> None:
    assert _components.value_of("flow", ["simulate", "--flow", "a", "--J", "3"]) == "a"
    assert _components.value_of("flow", ["--flow=b"]) == "b"
    assert _components.value_of("flow", ["--flow"]) is None
    assert not _components.parameters(["--flow", "nothing-of-that-name"])
