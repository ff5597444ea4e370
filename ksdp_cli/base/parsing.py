"""Numbers and ranges as people write them: ``1e6``, ``1_000_000``, ``16pi``, ``1,10,100``, ``1:100:11log``.

>>> number("16pi"), integer("1e6"), sweep("1:100:3log")
(50.26548245743669, 1000000, (1.0, 10.0, 100.0))
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import SupportsFloat, SupportsIndex

from ..errors import ConfigError

#: Most values in a range.
MOST = 100_000
NUMBER_FORM = "write it as 100, 1e6, 1_000_000 or 16pi"
ONE = "give one, with a decimal point; several are for physical parameters and the seed"
RANGE_FORM = "write a number, a comma list, START:STOP:COUNT, or START:STOP:COUNTlog for equal ratios"


@contextlib.contextmanager
def option(name: str) -> Iterator[None]:
    """Put the name of an option before the message of a `ConfigError` on its value."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"--{name.replace('_', '-')}: {error.message}", error.hint) from None


def number(value: object) -> float:
    """Parse one finite real number.

    Raises `ConfigError` for anything else, also for nan and infinity.
    """
    try:
        if isinstance(value, str):
            text = value.strip().lower()
            if text.endswith("pi"):
                factor = text[:-2].rstrip("* ")
                result = (float(factor) if factor not in ("", "-") else float(factor + "1")) * math.pi
            else:
                result = float(text)
        elif isinstance(value, bool):
            raise ValueError
        elif isinstance(value, SupportsFloat | SupportsIndex):
            result = float(value)
        else:
            raise TypeError
    except (TypeError, ValueError, OverflowError):
        many = isinstance(value, (list, tuple)) or (isinstance(value, str) and ("," in value or ":" in value))
        raise ConfigError(f"{value!r} is not a number", ONE if many else NUMBER_FORM) from None
    if not math.isfinite(result):
        raise ConfigError(f"{value!r} is not finite", "give a finite number")
    return result


def integer(value: object) -> int:
    """Parse one whole number, which may be written ``1e6`` or ``1_000_000``.

    Raises `ConfigError` if it is not a number or has a fraction.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return int(value)  # exact beyond 2^53, where a float is not
        except ValueError:
            pass
    result = number(value)
    if result != int(result):
        raise ConfigError(f"{value!r} is not a whole number", "write it as 10000, 1e4 or 10_000")
    return int(result)


def sweep(value: object) -> tuple[float, ...]:
    """Parse one or more numbers: a number, a comma list, a sequence, or a linear or logarithmic range.

    ``1:100:11log`` is the paper's 10^(0.2 i), i = 0..10. Raises `ConfigError` for anything else.
    """
    if isinstance(value, str) and ":" in value:
        return _range(value)
    if isinstance(value, str):
        return tuple(number(part) for part in _parts(value))
    if hasattr(value, "__iter__"):
        values = tuple(number(part) for part in value)
        if not values:
            raise ConfigError("an empty list of numbers", RANGE_FORM)
        return values
    return (number(value),)


def integers(value: object) -> tuple[int, ...]:
    """Parse one or more whole numbers, written as for `sweep`; a range must step by whole numbers.

    >>> integers("0:15:4"), integers([3, 2**62 + 1])
    ((0, 5, 10, 15), (3, 4611686018427387905))
    """
    if isinstance(value, str) and ":" in value:
        return _whole_range(value)
    if isinstance(value, str):
        return tuple(integer(part) for part in _parts(value))
    if hasattr(value, "__iter__"):
        return tuple(integer(part) for part in value) or (integer(value),)
    return (integer(value),)


def _parts(text: str) -> list[str]:
    """The entries of a comma list, which may end in a comma. Raises `ConfigError` for an empty one, as in ``1,,3``."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    if not all(parts):
        raise ConfigError(f"{text!r} has an empty entry" if any(parts) else "an empty list of numbers", RANGE_FORM)
    return parts


def _whole_range(text: str) -> tuple[int, ...]:
    values = _range(text)
    if text.strip().endswith("log"):
        return tuple(integer(value) for value in values)
    start, stop = (integer(part.strip()) for part in text.split(":")[:2])
    step, rest = divmod(stop - start, len(values) - 1)
    if rest:
        near = f"write it as {start}:{start + (len(values) - 1) * (step or 1)}:{len(values)}, or as a comma list"
        raise ConfigError(f"the range {text!r} does not step by a whole number", near)
    return tuple(start + step * i for i in range(len(values)))


def _range(text: str) -> tuple[float, ...]:
    parts = text.split(":")
    if len(parts) != 3:
        raise ConfigError(f"{text!r} is not a range", RANGE_FORM)
    logarithmic = parts[2].strip().endswith("log")
    start, stop = number(parts[0]), number(parts[1])
    count = integer(parts[2].strip().removesuffix("log"))
    if count < 2:
        raise ConfigError(f"the range {text!r} has a count of {count}", "a range has at least 2 values")
    if count > MOST:
        raise ConfigError(f"the range {text!r} has a count of {count}", f"use at most {MOST}")
    if logarithmic and (start <= 0 or stop <= 0):
        raise ConfigError(f"the logarithmic range {text!r} has an end at or below 0", "use positive ends")
    if logarithmic:
        inner = [start * (stop / start) ** (i / (count - 1)) for i in range(1, count - 1)]
    else:
        inner = [start + (stop - start) * (i / (count - 1)) for i in range(1, count - 1)]
    return (start, *(tidy(value) for value in inner), stop)


def tidy(value: float) -> float:
    """Round to 14 digits, so that 0:0.1:11 has 0.03 and not 0.030000000000000002."""
    return float(f"{value:.14g}")
