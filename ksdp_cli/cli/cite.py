"""``ksdp cite``."""

from __future__ import annotations

import typer

from . import _options as o

SUMMARY = "How to cite the paper and the software."
EXAMPLE = "Example: ksdp cite --json"


def register(app: typer.Typer) -> None:
    app.command(epilog=EXAMPLE, short_help=SUMMARY)(cite)


def cite(as_json: o.Json = False) -> None:
    """Print how to cite the paper and the software: BibTeX, then plain text."""
    from .. import citation
    from . import _render

    if as_json:
        _render.emit({"bibtex": citation.bibtex(), "text": citation.text()}, True)
        return
    print(citation.bibtex())
    print(citation.text(), end="")
