"""Pydantic's first error as one line for the user."""

from __future__ import annotations

from pydantic import ValidationError


def first_error(error: ValidationError, owner: str = "") -> str:
    """Return ``dt = -1: input should be greater than 0``; ``owner`` names the whole if the error has no entry."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or owner
    unknown = first["type"] == "extra_forbidden"
    reason = "there is no such key" if unknown else first["msg"].removeprefix("Value error, ")
    return f"{where} = {_short(first['input'])}: {reason[:1].lower() + reason[1:]}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
