"""``ksdp info``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..base.files import shown
from . import _options as o
from . import _render


def register(app: typer.Typer) -> None:
    app.command()(info)


def info(
    file: Annotated[Path, typer.Argument(help="A store (.zarr) or a model (.safetensors).")],
    as_json: o.Json = False,
) -> None:
    """What a store or a model holds, how it was made, and the command that would make it again."""
    from ..api import describing

    document = describing.info(file)
    rows = [
        [key.replace("_", " "), _flat(value)] for key, value in document.items() if key not in ("config", "command")
    ]
    config = [[name, _flat(value)] for name, value in document["config"].items()]
    tables = [(str(file), ["", ""], rows), ("configuration", ["", ""], config)]
    _render.emit(document, as_json, *tables)
    if not as_json:
        print(f"  made by:  {shown(document['command'])}")


def _flat(value: Any) -> Any:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_flat(entry)}" for name, entry in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(_render.cell(entry)) for entry in value)
    return value
