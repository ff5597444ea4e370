"""Small HTML tables that notebooks show instead of a repr."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from .labels import cell


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with a caption; without a head if all ``columns`` are empty."""
    titles = "".join(f"<th>{escape(name)}</th>" for name in columns)
    head = f"<thead><tr>{titles}</tr></thead>" if any(columns) else ""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell(value))}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(title)}</caption>{head}<tbody>{body}</tbody></table>"
