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


def counted(n: int, noun: str) -> str:
    """Format a count with its noun.

    >>> counted(1, "particle"), counted(20, "step")
    ('1 particle', '20 steps')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def duration(seconds: float) -> str:
    """Format seconds as ``2.1 h``, ``12 min`` or ``0.4 s``."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{_short(seconds / size)} {unit}"
    return f"{_short(seconds)} s"


def bytes_in_words(count: float) -> str:
    """Format bytes as ``1.2 GB``, ``80 MB`` or ``0.8 kB``."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{_short(count / size)} {unit}"
    return f"{_short(count / 1e3)} kB"


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


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
