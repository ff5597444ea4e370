"""Numbers as people write them."""

from __future__ import annotations

import math

import pytest

from ksdp_cli.base.parsing import integer, number, sweep
from ksdp_cli.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e6", 1e6), ("1_000_000", 1e6), ("16pi", 16 * math.pi), ("16 * pi", 16 * math.pi), ("-pi", -math.pi), (3, 3.0)],
)
def test_number(text: object, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "", "ten", "1,2", None, True, [1]])
def test_what_is_no_number(text: object) -> None:
    with pytest.raises(ConfigError):
        number(text)


def test_integer_is_exact_beyond_floats() -> None:
    assert integer("9007199254740993") == 9007199254740993
    assert integer("1e7") == 10_000_000
    with pytest.raises(ConfigError, match="whole"):
        integer("2.5")


def test_the_papers_amplitudes() -> None:
    amplitudes = sweep("1:100:11log")
    assert amplitudes == pytest.approx([10 ** (0.2 * i) for i in range(11)], rel=1e-12)
    assert amplitudes[0] == 1.0
    assert amplitudes[-1] == 100.0


def test_linear_range_and_list() -> None:
    assert sweep("0:0.1:11")[3] == 0.03
    assert sweep("1,10,100") == sweep("1, 10, 100,") == (1.0, 10.0, 100.0)
    assert sweep([1, "2"]) == (1.0, 2.0)
    assert sweep(5) == (5.0,)


@pytest.mark.parametrize("text", ["1:2", "1:2:3:4", "0:1:1", "0:1:5log", ",", "1,,", ",1", "", "1:2:x", []])
def test_bad_ranges(text: object) -> None:
    with pytest.raises(ConfigError):
        sweep(text)
