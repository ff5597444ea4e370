"""One body for each way that values are written, and the first of pydantic's errors."""

from __future__ import annotations

import itertools

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ksdp_cli.base.labels import axis, cell, evenly, label
from ksdp_cli.base.validation import first_error


def test_labels() -> None:
    assert label({"A": 50.0, "t": 0.1}) == "A = 50, t = 0.1"
    assert label({"A": 1.23456}, 3) == "A = 1.23"
    assert label({}) == ""
    assert [cell(value) for value in (None, True, 0.123456, 7, "x")] == ["", "yes", "0.1235", "7", "x"]
    assert axis("t", {}) == "t [time]"
    assert axis("A", {"A": "amplitude [1]"}) == "A, amplitude [1]"
    assert axis("A", {}) == "A"


@pytest.mark.parametrize("count", [0, 1, 2, 5, 17, 100])
@pytest.mark.parametrize("most", [2, 4, 6])
def test_an_even_spread_keeps_order_and_both_ends(count: int, most: int) -> None:
    chosen = evenly(range(count), most)
    assert len(chosen) == min(count, most)
    assert chosen == sorted(set(chosen))
    if count:
        assert {chosen[0], chosen[-1]} == {0, count - 1}
    gaps = {b - a for a, b in itertools.pairwise(chosen)}
    assert not gaps or max(gaps) - min(gaps) <= 1


class Sized(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int = Field(1, ge=1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [({"size": 0}, "size = 0: input should be"), ({"sise": 2}, "sise = 2: there is no such key")],
)
def test_the_first_error_names_entry_and_value(values: dict[str, int], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Sized.model_validate(values)
    assert first_error(caught.value).startswith(expected)


def test_a_long_value_is_cut_short() -> None:
    with pytest.raises(ValidationError) as caught:
        Sized.model_validate({"size": "x" * 1000})
    assert len(first_error(caught.value)) < 200
