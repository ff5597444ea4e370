"""Print the result of ``ksdp simulate --plan``: two tables of 80 columns."""

from __future__ import annotations

from ..base.files import JsonDict
from ..base.labels import bytes_in_words, duration, label
from . import _render

#: Most cases of a sweep in the table.
LISTED = 12


def render(document: JsonDict, as_json: bool) -> None:
    """Print ``document``, the result of `ksdp_cli.api.planning.plan`."""
    title = f"plan: J = {document['J']}, d = {document['dim']}, cases = {document['cases']}; nothing is written"
    tables = [("", ["M", "8 pi mu/chi", "T_max", "case", "thresholds"], _thresholds(document["thresholds"]))]
    _render.emit(document, as_json, *tables, (title, ["", ""], _rows(document)), width=80)


def _thresholds(entries: list[JsonDict]) -> list[list[object]]:
    rows = [
        [one["M"], _number(one["critical_mass"]), _number(one["T_max"]), label(one["parameters"]), one["says"]]
        for one in entries[:LISTED]
    ]
    more = len(entries) - LISTED
    return rows if more <= 0 else [*rows, ["...", "", "", "", f"{more} more cases: see --json"]]


def _rows(d: JsonDict) -> list[list[str]]:
    dt = d["dt"]
    resolved = f"{dt['stable']:.3g} resolves the run: " if dt["stable"] else ""
    halvings = f", halved up to {dt['halvings']} times where needed" if dt["halvings"] else ""
    rows = [["dt", f"{dt['asked']:g}{halvings}; {resolved}{dt['reason']}"]]
    rows += [
        ["", f"{one['dt']:.3g}: {one['reason']}{'' if one['counts'] else ' (not needed here)'}"]
        for one in dt["limits"][1:]
    ]
    rows.append(["engine", f"{d['engine']} on {d['hardware']}"])
    if d["mesh"]:
        sizes = {name: value for name, value in d["mesh"].items() if value is not None}
        rows.append(["mesh", ", ".join(f"{name.replace('_', ' ')} {_short(v)}" for name, v in sizes.items())])
    rows.append(["steps", f"{d['steps']}{' or more' if dt['halvings'] else ''}, frames {d['frames']}"])
    if d["seconds"] is not None:
        last = f" (at T {1e3 * d['seconds_a_step_at_T']:.3g})" if d["seconds_a_step_at_T"] else ""
        a_step = f"{1e3 * d['seconds_a_step']:.3g} ms a step{last}"
        rows.append(["time", f"{duration(d['seconds'])}, {a_step}, by one process"])
    for name in ("memory", "disk"):
        have = d[f"{name}_{'available' if name == 'memory' else 'free'}"]
        rows.append([name, f"{bytes_in_words(d[f'{name}_bytes'])} of {bytes_in_words(have)}"])
    return [*rows, *(["warning", doubt] for doubt in d["doubts"])]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
