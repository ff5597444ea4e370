"""``ksdp info``."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..base.files import printable
from ..base.labels import KINDS, several
from . import _options as o
from . import _render

#: States in the order of the table's title, and most rows of that table.
STATES, MOST_CASES = ("done", "running", "begun", "to do"), 40
#: States in the order in which cases are listed where they are too many.
ORDER = ("running", "begun", "to do", "done")

if TYPE_CHECKING:
    from ..api.described import EngineInfo, RunInfo, StateInfo

SUMMARY = "What a file holds, and the command that made it."
EXAMPLE = "Example: ksdp info a.zarr"

#: Title, columns, rows.
Table = tuple[str, list[str], list[list[object]]]


def register(app: typer.Typer) -> None:
    app.command(epilog=EXAMPLE, short_help=SUMMARY)(info)


def info(
    file: Annotated[Path, typer.Argument(help="A store (.zarr) or a model (.safetensors).")],
    as_json: o.Json = False,
) -> None:
    """Print what a store or a model holds, how it was made, and the command that makes it again."""
    from ..api import describing

    document = describing.info(file)
    apart, engines, cases, title = {"config", "command"}, list[list[object]](), list[Table](), str(file)
    if "times" in document:
        apart |= {"path", "kind", "particles", "dimension", "times", "complete", "megabytes", "states", "engine"}
        reports, title = document.get("engine", ()), _sentence(document)
        engines += [["engine", one] for one in _engines(reports)]
        engines += [["warning", one] for one in _doubts(reports)]
        if states := document.get("states", []):
            apart.add("cases")
            cases = [_cases(states)] if document["cases"][0] else []
    rows = [[_title(key), _in_words(key, value)] for key, value in document.items() if key not in apart]
    rows = [row for row in rows if str(row[1]).strip(", ")]  # drop lists of empty entries
    rows += engines
    config = [[name, _flat(value)] for name, value in document["config"].items()]
    tables: list[Table] = [(title, ["", ""], rows), ("configuration", ["", ""], config), *cases]
    _render.emit(document, as_json, *tables)
    if not as_json:
        print(f"  made by:  {printable(document['command'])}")


def _sentence(document: RunInfo) -> str:
    """Describe a store in one sentence."""
    times = document["times"]
    size, kind = f"{document['megabytes']:.3g} MB", KINDS.get(document["kind"], document["kind"])
    count = f"{len(document['cases'])} cases, " if len(document["cases"]) > 1 else ""
    at = f"t = {times[0]:.4g}" if times else "no frame of all cases yet"
    at += f" to {times[-1]:.4g} ({len(times)} frames)" if len(times) > 1 else ""
    whole = "complete" if document["complete"] else "not complete"
    who = f"{document['particles']} particles in {document['dimension']}D"
    return f"{document['path']}: {kind}, {count}{who}, {at}; {whole}, {size}."


def _engines(reports: Sequence[EngineInfo]) -> list[str]:
    """Describe each engine that ran: its number of cases and its errors."""
    sentences = []
    for name in dict.fromkeys(str(report.get("engine")) for report in reports):
        mine = [report for report in reports if str(report.get("engine")) == name]
        errors = [error for report in mine if (error := report.get("error")) is not None]
        sentence = name if len(reports) == 1 else f"{name} in {len(mine)} cases"
        if errors:
            low, high = f"{min(errors):.1e}", f"{max(errors):.1e}"
            sentence += f", measured drift error {low}" + (f" to {high}" if high != low else "")
        targets = {target for report in mine if (target := report.get("target")) is not None}
        if targets:
            # without attraction nothing is measured
            met = [report.get("met", True) for report in mine if report.get("error", 0.0) is not None]
            verdict = ("met" if all(met) else "not met") if met else "not measured"
            sentence += f", target {', '.join(f'{target:g}' for target in sorted(targets))} {verdict}"
        sentence += _of_modes(mine)
        adaptive = [report for report in mine if "shortest_step" in report]
        if adaptive:
            steps = sum(int(report["steps_taken"]) for report in adaptive)
            shortest = min(float(report["shortest_step"]) for report in adaptive)
            sentence += f"; {steps} steps, the shortest {shortest:.3g}"
        masses = [one["mass"] for report in mine for one in report.get("heavy", ())]
        if masses:
            some = "a heavy particle" if len(masses) == 1 else f"{len(masses)} heavy particles"
            sentence += f"; {some} of mass {several([f'{mass:.4g}' for mass in masses])}"
        sentences.append(sentence)
    return sentences


def _of_modes(reports: Sequence[EngineInfo]) -> str:
    """The sizes of the meshes of a chemical with memory, and the largest of their errors."""
    meshes = [report for report in reports if "modes" in report]
    if not meshes:
        return ""
    boxes = [int(mesh["boxes"]) for mesh in meshes]
    axes = [[int(mesh["modes"]) * s for s in mesh.get("stretch", (1,))] for mesh in meshes]
    if all(len(set(one)) == 1 for one in axes):
        modes = f"{_span([one[0] for one in axes])} modes an axis"
    else:
        long = max((one for one in axes if len(one) > 1), key=math.prod)
        modes = f"{'up to ' if len(meshes) > 1 else ''}{' x '.join(map(str, long))} modes"
    errors = {
        "images": [mesh.get("image_error") for mesh in meshes],
        "delta": [mesh.get("delta_error") for mesh in meshes],
        "splines": [mesh.get("aliasing_error") for mesh in meshes],
    }
    known = {name: [value for value in values if value is not None] for name, values in errors.items()}
    largest = ", ".join(f"{max(values):.2g} ({name})" for name, values in known.items() if values)
    return f", {modes}, boxes: {_span(boxes)}; errors up to {largest}"


def _span(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"


def _doubts(reports: Sequence[EngineInfo]) -> list[str]:
    """What engines warn of at the end: of warnings that differ by numbers the first, with a count."""
    alike: dict[str, list[str]] = {}
    for report in reports:
        for warning in report.get("warnings", ()):
            alike.setdefault(_without_numbers(warning), []).append(warning)
    return [_counted(warnings) for warnings in alike.values()]


def _cases(states: list[StateInfo]) -> Table:
    """Return a table with a row for each case: parameters and state. Of many, list those that are not done first."""
    names, counts = list(states[0]["parameters"]), Counter(one["state"] for one in states)
    most = sorted(states, key=lambda one: ORDER.index(one["state"]))[:MOST_CASES]
    rows: list[list[object]] = [
        [one["case"], *one["parameters"].values(), one["frames"], one["state"], one["by"]]
        for one in sorted(most, key=lambda one: int(one["case"]))
    ]
    title = "cases: " + ", ".join(f"{counts[name]} {name}" for name in STATES if counts[name])
    if len(states) > len(rows):
        title += f"; {len(rows)} of {len(states)} below, all with --json"
    return title, ["case", *names, "frames", "state", ""], rows


def _title(key: str) -> str:
    return key if key in ("t_b", "no_t_b") else key.replace("_", " ")


def _in_words(key: str, value: object) -> object:
    """The cell of an entry; of the reasons for no t_b that differ by numbers only the first is told, with a count."""
    if key != "no_t_b" or not isinstance(value, list):
        return _flat(value)
    alike: dict[str, list[str]] = {}
    for reason in value:
        if reason:
            alike.setdefault(_without_numbers(str(reason)), []).append(str(reason))
    return several(map(_counted, alike.values()), between="; ")


def _without_numbers(text: str) -> str:
    return re.sub(r"[-+.\de]*\d", "#", text)


def _counted(reasons: list[str]) -> str:
    """The first of ``reasons``, and in how many cases they are."""
    some = "" if len(set(reasons)) == 1 else "or the like "
    return f"{reasons[0]} ({some}in {len(reasons)} cases)" if len(reasons) > 1 else reasons[0]


def _flat(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_render.cell(_flat(entry))}" for name, entry in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        entries = [str(_flat(entry)) if isinstance(entry, dict) else _render.cell(entry) for entry in value]
        return several(entries, between="; " if any(isinstance(entry, dict) for entry in value) else ", ")
    return value
