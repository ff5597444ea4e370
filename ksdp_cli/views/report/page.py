"""Render a report as HTML, from text, tables and pictures.

All text from files is escaped here. In addition, the page's own policy allows only the one script and the one style
whose hashes it states, and loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ...base import labels
from ...base.files import printable
from .view import Scene, colours

#: The scripts in order; joined, they are the one script of the page.
SCRIPTS = ("decode", "ball", "network", "density", "generator", "camera", "axes", "controls", "pane", "main")
TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Table:
    """``rows`` under ``columns``; cells are text or numbers, None is an empty cell."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Picture:
    """A PNG or SVG file with a caption, which is also its alternative text."""

    path: Path
    caption: str


#: Text, ("code", text), a table or a picture.
Part = str | tuple[str, str] | Table | Picture


@dataclass(frozen=True)
class Page:
    """A report: ``sections`` are (heading, parts), where a part is text, a `Table`, a `Picture`, or ("code", text)."""

    kind: str
    title: str
    lead: str
    scene: Scene
    sections: Sequence[tuple[str, Sequence[Part]]]
    footer: str


def render(page: Page) -> str:
    """Return the page as text."""
    style = _fill(_static("page.css"), {"gradient": _gradient()})
    script = "".join(_static(f"{name}.js") for name in SCRIPTS)
    live = '<p>The same particles from the command line:</p><pre><code id="command"></code></pre>'
    return _fill(
        _static("page.html"),
        {
            "title": escape(page.title),
            "kind": escape(page.kind),
            "lead": escape(page.lead),
            "how": escape(page.scene.how()),
            "live_command": live if page.scene.network else "",
            "sections": "\n".join(_section(heading, parts) for heading, parts in page.sections if parts),
            "footer": escape(page.footer),
            "style": style,
            "style_hash": _hash(style),
            "script": script,
            "script_hash": _hash(script),
            "data": inert_json(page.scene.as_json()),
        },
    )


def escape(text: str) -> str:
    """Escape text for HTML, and show control characters as escapes."""
    return html.escape("\n".join(map(printable, text.split("\n"))))


def inert_json(document: dict[str, object]) -> str:
    """Return JSON that cannot end the script element: write <, > and & as escapes."""
    text = json.dumps(document, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return re.sub("[<>&]", lambda match: f"\\u{ord(match.group()):04x}", text)


def _section(heading: str, parts: Sequence[Part]) -> str:
    pictures = [part for part in parts if isinstance(part, Picture)]
    groups = itertools.groupby(
        (part for part in parts if not isinstance(part, Picture)), lambda part: isinstance(part, Table)
    )
    others = "".join(_group("".join(map(_part, group)), tables) for tables, group in groups)
    figures = "".join(_picture(picture) for picture in pictures)
    printable = f'<div class="pictures">{figures}</div>' if figures else ""
    return f"<section><h2>{escape(heading)}</h2>{others}{printable}</section>"


def _group(text: str, tables: bool) -> str:
    return f'<div class="tables">{text}</div>' if tables else text


def _part(part: str | tuple[str, str] | Table) -> str:
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, tuple):
        words = " ".join(f"<span>{escape(word)}</span>" for word in part[1].split(" "))  # lines break between words
        return f"<pre><code>{words}</code></pre>"
    return f"<p>{escape(part)}</p>"


def _table(table: Table) -> str:
    numeric = [all(isinstance(row[i], (int, float)) for row in table.rows) for i in range(len(table.columns))]
    sides = [' class="number"' if right else "" for right in numeric]
    head = "".join(
        f'<th scope="col"{side}>{escape(name)}</th>' for side, name in zip(sides, table.columns, strict=True)
    )
    lines = []
    for row in table.rows:
        first, *rest = row
        cells = f'<th scope="row"{sides[0]}>{escape(cell(first))}</th>'
        cells += "".join(f"<td{side}>{escape(cell(value))}</td>" for side, value in zip(sides[1:], rest, strict=True))
        lines.append(f"<tr>{cells}</tr>")
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    body = f"<tbody>{''.join(lines)}</tbody>"
    heading = f"<thead><tr>{head}</tr></thead>" if any(table.columns) else ""
    return f'<div class="table" tabindex="0"><table>{caption}{heading}{body}</table></div>'


def cell(value: object) -> str:
    """Format a table cell, with a minus sign instead of a hyphen before a number."""
    text = labels.cell(value)
    return text.replace("-", "−") if isinstance(value, float) else text


def _gradient() -> str:
    """Return the colour bar: its axis is the square root of the density, as for the colours."""
    stops = colours()[::17]
    places = (100 * i / (len(stops) - 1) for i in range(len(stops)))
    return ", ".join(f"rgb({r},{g},{b}) {at:.3g}%" for at, (r, g, b) in zip(places, stops, strict=True))


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.path.read_bytes()).decode()
    source = f"data:{TYPES[picture.path.suffix]};base64,{data}"
    caption = escape(picture.caption)
    return f'<figure><img src="{source}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'


def _fill(template: str, values: dict[str, str]) -> str:
    """Replace each {{name}} once; braces in the values stay."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match.group(1)], template)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _static(name: str) -> str:
    return (resources.files(__package__) / "static" / name).read_text(encoding="utf-8")
