"""Defaults as help texts show them."""

from __future__ import annotations

import math


def shown(value: object) -> str:
    """A default as a user would type it; multiples of pi as such."""
    if isinstance(value, (tuple, list)):
        return ",".join(shown(entry) for entry in value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "" if value is None else str(value)
    times = value / math.pi
    if times and times == round(times):
        return f"{times:g}pi"
    if isinstance(value, int):
        return str(value)
    power = f"{value:.0e}".replace("e-0", "e-")
    return min(f"{value:g}", power, key=len) if float(power) == value else f"{value:g}"
