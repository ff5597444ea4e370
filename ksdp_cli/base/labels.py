"""Format values for titles, tables and axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")
#: The words for each kind of store.
KINDS = {"simulation": "simulation", "samples": "network samples", "clouds": "own clouds"}


def label(values: Mapping[str, float], digits: int = 6) -> str:
    """Format values with their names.

    >>> label({"A": 50.0, "t": 0.1})
    'A = 50, t = 0.1'
    """
    return ", ".join(f"{name} = {number_text(value, digits)}" for name, value in values.items())


def number_text(value: float, digits: int = 6) -> str:
    """Format a number with ``digits`` significant digits; an integer, such as a seed, in full."""
    return str(value) if isinstance(value, int) else f"{value:.{digits}g}"


def several(words: Iterable[str], most: int = 12, between: str = ", ") -> str:
    """Join all words, or the first ``most`` with the total number.

    >>> several("abc", most=2)
    'a, b and so on, 3 in all'
    """
    every = list(words)
    return between.join(every) if len(every) <= most else f"{between.join(every[:most])} and so on, {len(every)} in all"


def cell(value: object) -> str:
    """Format a table cell: four significant digits, empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def axis(name: str, units: Mapping[str, str]) -> str:
    """Return the title of an axis: ``t [time]``, or the parameter's name and its unit."""
    return "t [time]" if name == "t" else f"{name}, {units.get(name, '')}".rstrip(", ")


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most ``most`` (2 or more) of ``items``, evenly spaced, with the first and the last."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]
