"""``ksdp presets``."""

from __future__ import annotations

import typer

from .. import presets as shipped
from . import _options as o
from . import _render

SUMMARY = "List the problems of simulate --preset NAME."
EXAMPLE = "Example: ksdp presets"


def register(app: typer.Typer) -> None:
    app.command(epilog=EXAMPLE, short_help=SUMMARY)(presets)


def presets(as_json: o.Json = False) -> None:
    """List the problems for 'ksdp simulate --preset NAME'."""
    names = shipped.names()
    every = [{"name": name, "summary": shipped.summary(name), "options": shipped.options(name)} for name in names]
    rows = [[one["name"], one["summary"]] for one in every]
    _render.emit({"presets": every}, as_json, ("", ["name", "summary"], rows))
