"""Format values for titles, tables and axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")
#: What a store of each kind holds, in words.
KINDS = {"simulation": "simulation", "samples": "network samples", "clouds": "own clouds"}


def label(values: Mapping[str, float], digits: int = 6) -> str:
    """Values by name.

    >>> label({"A": 50.0, "t": 0.1})
    'A = 50, t = 0.1'
    """
    return ", ".join(f"{name} = {written(value, digits)}" for name, value in values.items())


def written(value: float, digits: int = 6) -> str:
    """A number with so many digits; a whole one, as a seed, with all of its own."""
    return str(value) if isinstance(value, int) else f"{value:.{digits}g}"


def several(words: Iterable[str], most: int = 12, between: str = ", ") -> str:
    """Join all, or the first ``most`` with the total number.

    >>> several("abc", most=2)
    'a, b and so on, 3 in all'
    """
    every = list(words)
    return between.join(every) if len(every) <= most else f"{between.join(every[:most])} and so on, {len(every)} in all"


def cell(value: object) -> str:
    """A table cell: four significant digits, empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def axis(name: str, units: Mapping[str, str]) -> str:
    """The title of an axis: ``t [time]``, or a parameter with what ``units`` says of it."""
    return "t [time]" if name == "t" else f"{name}, {units.get(name, '')}".rstrip(", ")


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most ``most`` (2 or more) of ``items``, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]
