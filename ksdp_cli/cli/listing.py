"""``ksdp plugins``: what is installed, what failed to load, and the parameters of each component."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from .. import plugins
from ..base.files import JsonDict
from ..base.spelling import nearest
from ..errors import ConfigError
from ..registry import Entry
from . import _options as o
from . import _render
from ._boundary import say, suggest

app = typer.Typer(
    help="List components; 'plugins show NAME' prints a component's parameters, 'plugins new NAME' starts a plugin.",
    epilog="Example: ksdp plugins show laminar2d",
)
SUMMARY = "List flows, kernels, metrics, and their origin."


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="plugins", short_help=SUMMARY)


@app.callback(invoke_without_command=True)
def listing(context: typer.Context, as_json: o.Json = False) -> None:
    """List name, summary and origin of every component by kind, and plugins that failed to load; --json: versions."""
    if context.invoked_subcommand:
        return
    all_plugins = plugins.loaded()
    document = {
        "components": [
            {
                "name": entry.name,
                "kind": entry.kind,
                "origin": entry.distribution,
                "version": entry.version,
                "summary": entry.component.summary,
            }
            for entry in all_plugins.registry.entries
        ],
        "failures": [{"origin": name, "reason": reason} for name, reason in all_plugins.failures],
    }
    columns = ["name", "summary", "origin"]
    kinds = dict.fromkeys(row["kind"] for row in document["components"])
    tables = [
        (
            "chemistries" if kind == "chemistry" else f"{kind}s",
            columns,
            [[row[c] for c in columns] for row in document["components"] if row["kind"] == kind],
        )
        for kind in kinds
    ]
    if all_plugins.failures:
        tables.append(("failed to load", ["origin", "reason"], [list(row) for row in all_plugins.failures]))
    _render.emit(document, as_json, *tables)


@app.command(short_help="Write a plugin to start from.", epilog="Example: ksdp plugins new my-flow")
def new(
    name: Annotated[str, typer.Argument(help="The package, as my-flow.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder. Default ./NAME.")] = None,
    as_json: o.Json = False,
) -> None:
    """Write a plugin package to start from: a flow, its registration and its test."""
    from ..testing.new_plugin import flow_of, new_plugin

    files = [str(path) for path in new_plugin(name, out)]
    folder = str(out or name)
    install = f"pip install -e {shlex.quote(folder + '[test]')} && pytest {shlex.quote(folder)}"
    document = {"files": files, "next": install, "flow": flow_of(name)}
    _render.emit(document, as_json, ("", ["", ""], [[path, ""] for path in files]))
    if not as_json:
        say(f"next: {install}")
        suggest("simulate", "--flow", flow_of(name))


def _known(incomplete: str) -> list[str]:
    """Complete the name of a component."""
    return sorted({entry.name for entry in plugins.registry().entries if entry.name.startswith(incomplete)})


@app.command(short_help="Parameters of a component.", epilog="Example: ksdp plugins show laminar2d")
def show(
    name: Annotated[str, typer.Argument(help="A component's name, or distribution:name.", autocompletion=_known)],
    as_json: o.Json = False,
) -> None:
    """Print dimensions, parameters with units and defaults, and documentation of a component."""
    entries = [entry for entry in plugins.registry().entries if name in (entry.name, entry.long_name)]
    if not entries:
        names = sorted({entry.name for entry in plugins.registry().entries})
        close = nearest(name, names)
        hint = f"did you mean {close!r}?" if close else f"there are: {', '.join(names)}"
        raise ConfigError(f"there is no component {name!r}", hint)
    descriptions = [describe(entry) for entry in entries]
    tables = []
    for one in descriptions:
        facts = [["kind", one["kind"]], ["target", one["target"]], *one["facts"].items(), ["about", one["about"]]]
        tables.append((one["name"], ["", ""], facts))
        if one["parameters"]:
            rows = [[p["name"], p["default"], p["description"]] for p in one["parameters"]]
            tables.append(("parameters", ["option", "default", "meaning [unit]"], rows))
    _render.emit({"components": descriptions}, as_json, *tables)


def describe(entry: Entry) -> JsonDict:
    """Describe a component by the attributes of its class."""
    from ..kernels.base import dims_of

    cls = entry.load()
    dims = dims_of(cls) if entry.kind == "kernel" else getattr(cls, "dims", ())
    facts = {"dimensions": " and ".join(str(d) for d in dims)} if dims else {}
    facts |= {name: str(getattr(cls, name)) for name in ("exact", "devices") if hasattr(cls, name)}
    fields = getattr(cls, "Params", None)
    return {
        "name": entry.long_name,
        "kind": entry.kind,
        "version": entry.version,
        "target": entry.component.target,
        "facts": facts,
        "about": " ".join((cls.__doc__ or entry.component.summary).split()),
        "parameters": [
            {"name": f"--{name}", "default": field.default, "description": field.description or ""}
            for name, field in (fields.model_fields.items() if fields else ())
        ],
    }
