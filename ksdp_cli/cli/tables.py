"""Format tables as text of a given width. Words and numbers are never broken; no line ends in blanks."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

#: Blanks between two columns, and before a line.
GAP, INDENT = 2, 2
#: Smallest width of a column of texts, unless a word is longer.
LEAST = 16
#: Longest cell that may be a single value.
LONG = 34
#: Two numbers in brackets.
INTERVAL = re.compile(r"\[[-+\d.e]+, [-+\d.e]+\]")


def text_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """Return title, head and a line for each row; if that is wider than ``width``, a block of lines for each row.

    Cells of prose are wrapped between words; all others stay on one line.
    """
    lines = _wrap(title, width) if title else []
    if rows:
        pairs = len(columns) == 2 and not any(columns)
        lines += _table(columns, rows, width) or (_pairs if pairs else _blocks)(columns, rows, width)
    return "\n".join([*(line.rstrip() for line in lines), ""])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str] | None:
    """Return the lines, or None if they do not fit."""
    each = list(zip(*rows, strict=True))
    heads = [
        textwrap.wrap(name, max(12, *map(len, cells)), break_long_words=False)
        for name, cells in zip(columns, each, strict=True)
    ]
    widths = [max(map(len, [*cells, *head])) for cells, head in zip(each, heads, strict=True)]
    left = width - INDENT - GAP * (len(widths) - 1) - sum(widths)
    texts = [k for k, cells in enumerate(each) if any(map(_prose, cells))]
    least = {
        k: min(widths[k], max(LEAST, *(len(word) for text in [*each[k], *heads[k]] for word in text.split())))
        for k in texts
    }
    for _ in range(-left):  # the widest text gives way
        wider = [k for k in texts if widths[k] > least[k]]
        if not wider:
            return None
        widths[max(wider, key=lambda k: widths[k])] -= 1
    lines = _lines(heads, widths) if any(columns) else []
    if lines:
        lines.append(" " * INDENT + "-" * (sum(widths) + GAP * (len(widths) - 1)))
    for row in rows:
        cut = [_wrap(text, widths[k]) if k in texts else [text] for k, text in enumerate(row)]
        lines += _lines(cut, widths)
    return lines


def _lines(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    """Put cells of several lines side by side."""
    high = max(map(len, cells), default=0)
    return [
        " " * INDENT
        + (" " * GAP).join((cell[k] if k < len(cell) else "").ljust(w) for cell, w in zip(cells, widths, strict=True))
        for k in range(high)
    ]


def _pairs(_: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Names and values of which a word, such as a path, is wider than its column: it stands out."""
    wide = max(len(name) for name, _ in rows)
    lines = []
    for name, text in rows:
        texts = _wrap(text, max(width - INDENT - wide - GAP, LEAST)) or [""]
        lines += [" " * INDENT + (name if k == 0 else "").ljust(wide + GAP) + line for k, line in enumerate(texts)]
    return lines


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Write each row as lines of name and value."""
    wide = max(map(len, columns))
    lines = []
    for row in rows:
        for name, text in zip(columns, row, strict=True):
            first = " " * INDENT + name.ljust(wide) + " " * GAP if wide else " " * INDENT
            texts = _wrap(text, max(width - len(first), LEAST)) or [""]
            lines += [(first if k == 0 else " " * len(first)) + line for k, line in enumerate(texts)]
        lines.append("")
    return lines[:-1]


def _wrap(text: str, width: int) -> list[str]:
    """Lines of ``text`` that part no name from its value at " = ", and no interval in brackets."""
    text = INTERVAL.sub(lambda found: found[0].replace(" ", "\0"), text.replace(" = ", "\0=\0"))
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def _prose(text: str) -> bool:
    """Whether a cell is prose, not a number, an interval or a name, and may be wrapped."""
    return " " in text and (len(text) > LONG or len(re.findall(r"[^\W\d_]{2,}", text)) >= 3)
