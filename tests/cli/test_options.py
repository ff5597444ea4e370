"""Options of the command line are the fields of the configurations: none is missing, none says another default."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import typer
from typer.main import get_command

from ksdp_cli.cli import _defaults, _fields
from ksdp_cli.cli.assembly import app
from ksdp_cli.config import CompareConfig, SampleConfig, Settings, SimulateConfig, TrainConfig

MODELS = {"simulate": SimulateConfig, "train": TrainConfig, "sample": SampleConfig, "compare": CompareConfig}
#: Fields that are given by the names of parameters.
BY_NAME = {"flow_params", "kernel_params", "chemistry_params", "init_params"}
OTHERS = {"sample": {"eta"}}


def options(verb: str) -> dict[str, Any]:
    command: Any = get_command(app)
    return {option.opts[0]: option for option in command.commands[verb].params if option.param_type_name == "option"}


@pytest.mark.parametrize("verb", MODELS)
def test_every_field_is_an_option_with_its_text(verb: str) -> None:
    there = options(verb)
    for name, field in MODELS[verb].model_fields.items():
        if name in BY_NAME | OTHERS.get(verb, set()):
            continue
        text = there[f"--{name.replace('_', '-')}"].help.casefold()
        assert (field.description or "").casefold() in text
        assert "default" in text


@pytest.mark.parametrize("verb", MODELS)
def test_no_option_has_a_default_of_its_own(verb: str) -> None:
    """Commands pass on what was given and no more, so that the configuration alone decides."""
    for name in MODELS[verb].model_fields:
        option = options(verb).get(f"--{name.replace('_', '-')}")
        assert option is None or option.default is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-4, "1e-4"), (3e-3, "3e-3"), (0.99, "0.99"), (10_000, "10000"), (16 * math.pi, "16pi"), ((1.0,), "1"),
     (("w2", "sliced"), "w2,sliced"), (None, ""), ("auto", "auto")],
)  # fmt: skip
def test_defaults_are_shown_as_one_types_them(value: Any, text: str) -> None:
    assert _defaults.shown(value) == text


def test_help_has_units_groups_and_an_example(ksdp: Callable[..., Any]) -> None:
    text = ksdp("simulate", "--help").stdout
    for part in ("[length^2 / time]", "Particles and time:", "Pair sum:", "Example: ksdp simulate", "Default 16pi"):
        assert part in text


def test_a_command_gets_what_is_given_by_field() -> None:
    class Model(Settings):
        size: int = 3

    given: list[dict[str, str | None]] = []
    made = typer.Typer()

    @made.command()
    @_fields.options_of(Model, {})
    def run(**options: str | None) -> None:
        given.append(options)

    made(["--size", "5"], standalone_mode=False)
    made([], standalone_mode=False)
    assert given == [{"size": "5"}, {"size": None}]
