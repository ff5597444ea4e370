"""The page of a store: a simulation, samples or clouds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ... import figures, plugins
from ...api.clouds import initial_cloud
from ...base.grids import SEED
from ...base.labels import KINDS, evenly, label
from ...base.shapes import Cloud
from ...errors import KsdpError
from ...metrics.moments import finite
from ...particles.quiet import drawn
from ...provenance import short
from ...store import Run
from ...store.selection import select, simulation_of
from ..curves import equation_6
from ..picture import field_of
from . import Page, PageCloud, Picture, Scene, Table
from . import clouds as parts
from .page import Part

#: A parameter with at least this ratio of its ends has a logarithmic axis.
WIDE = 20
MOST_ROWS, MOST_PICTURES, MOST_ENGINES = 40, 6, 12


def page(run: Run, folder: Path) -> Page:
    """Return the page of ``run``; draw its pictures into ``folder``.

    Raises `DataError` if it has no snapshot that all of its cases have, or a damaged one.
    """
    select(run)
    parts.require_drawable(run.dim, run.path)
    many = len(run.times) > 1
    places: list[parts.Place] = [
        (run, case, k, {**values, **({"t": float(t)} if many else {})})
        for case, values in enumerate(run.cases)
        for k, t in enumerate(run.times)
    ]
    visible, most = parts.thin(places, run.dim)
    clouds = [parts.page_cloud(place, most) for place in visible]
    scene = Scene(
        run.dim,
        parts.extent([cloud.points for cloud in clouds]),
        clouds,
        KINDS[run.kind].capitalize(),
        {**run.units, "t": "time"},
        {},
    )
    note = f" {len(clouds)} of its {len(places)} frames are in this page." if len(clouds) < len(places) else ""
    return Page(
        run.kind,
        Path(run.name).name,
        _lead(run) + note,
        scene,
        [
            ("What was run", _provenance(run)),
            ("Moments", [_moments(clouds), *_moment_picture(run, clouds, folder)]),
            ("Chemical", _chemical(run, places)),
            ("Density", _density_picture(run, places, folder)),
        ],
        f"Made by ksdp {plugins.own_version()} from {run.name}.",
    )


def _lead(run: Run) -> str:
    physics = simulation_of(run)
    what = {"simulation": "particles", "samples": "particles drawn from a network", "clouds": "points"}[run.kind]
    text = f"{run.J} {what} in {run.dim} dimensions"
    if "flow" in physics:
        text += f", flow {short(str(physics.get('flow', '?')))}, kernel {short(str(physics.get('kernel', '?')))}"
    names = list(run.cases[0])
    if len(run.cases) > 1:
        text += f"; {len(run.cases)} cases of {' and '.join(names)}"
    elif names:
        text += f"; {label(run.cases[0])}"
    times = f"t = {run.times[0]:g}" + (
        f" to {run.times[-1]:g}, {len(run.times)} snapshots" if len(run.times) > 1 else ""
    )
    text += f"; {times}."
    if run.attrs.get("outside_trained_range"):
        text += " Extrapolation: " + "; ".join(str(one) for one in run.attrs["outside_trained_range"]) + "."
    return text if run.ended else text + " The run is not complete."


def _provenance(run: Run) -> list[Part]:
    attrs = run.attrs
    facts: list[list[object]] = [["seed", str(attrs.get("seed", ""))]]
    if attrs.get("seconds") is not None:
        facts.append(["wall time [s]", f"{float(attrs['seconds']):.3g}"])
    for name in ("hardware", "model", "model_sha256"):
        if attrs.get(name):
            facts.append([name.replace("_", " "), str(attrs[name])])
    reports = attrs.get("engine") or []
    mine = [(case, reports[i]) for case, i in zip(run.cases, run.numbers, strict=True) if i < len(reports)]
    for case, report in evenly(mine, MOST_ENGINES):
        facts.append(["force" + (f", {label(case)}" if len(mine) > 1 else ""), parts.flat_text(report)])
    facts.append(["versions", parts.flat_text(attrs.get("versions", {}))])
    items: list[Part] = [("code", str(attrs.get("command", "")))]
    items += [Table("", ("", ""), facts), parts.settings_table("Configuration", run.config)]
    return items


def _moments(clouds: list[PageCloud]) -> Table:
    names = list(clouds[0].at)
    rows = [
        [
            *(cloud.at[name] for name in names),
            *(float(value) for value in cloud.mean),
            cloud.second_moment,
            finite(cloud.second_moment_se),
        ]
        for cloud in evenly(clouds, MOST_ROWS)
    ]
    title = "Moments of all particles; the standard error is that of independent particles"
    if len(clouds) > MOST_ROWS:
        title += f" ({MOST_ROWS} of {len(clouds)} frames)"
    axes = [f"mean {'xyz'[i]}" for i in range(len(clouds[0].mean))]
    return Table(title, [*names, *axes, "E|x|² [length²]", "s.e."], rows)


def _moment_picture(run: Run, clouds: list[PageCloud], folder: Path) -> list[Picture]:
    """Draw E|x|^2 against time for each case, or against the last parameter if there is one snapshot."""
    names = [name for name in clouds[0].at if name != SEED]
    if not names:
        return []
    across = names[-1]
    groups: dict[str, list[PageCloud]] = {}
    for cloud in clouds:
        groups.setdefault(label({n: v for n, v in cloud.at.items() if n != across}) or "simulation", []).append(cloud)
    curves: dict[str, Any] = {}
    for name in evenly(list(groups), 6):
        rows = sorted(groups[name], key=lambda cloud: cloud.at[across])
        columns = [[c.at[across] for c in rows], [c.second_moment for c in rows], [c.second_moment_se for c in rows]]
        curves[name] = tuple(columns)
    if max(len(x) for x, *_ in curves.values()) < 2:
        return []
    alone = across == "t" and len(run.cases) == 1
    law = equation_6(run, clouds[0].at, clouds[0].second_moment) if alone else None
    if law is not None:
        ends = [law.t0, law.end(float(run.times[-1]))]
        curves["equation (6)"] = (ends, [law(t) for t in ends], None)
    path = folder / "moments.svg"
    values = [cloud.at[across] for cloud in clouds]
    xlog = min(values) > 0 and max(values) >= WIDE * min(values)
    figures.moment_curve(curves, path, xlabel="t [time]" if across == "t" else across, xlog=xlog)
    text = (
        "Second moment against " + across + (", with equation (6), which holds without flow in 2D" if law else "") + "."
    )
    return [Picture(path, text)]


def _density_picture(run: Run, places: list[parts.Place], folder: Path) -> list[Picture]:
    """Draw some of the frames; a single one beside the initial cloud."""
    frames = evenly(places, MOST_PICTURES if run.dim == 2 else 3)
    clouds = [(label(at) or f"t = {run.times[k]:g}", run.frame(case, k)) for run, case, k, at in frames]
    fields = [field_of(run, case, k) for run, case, k, _ in frames if run.grid]
    if len(clouds) == 1 and not fields:
        clouds = _initial(run) + clouds
    path = folder / "density.png"
    figures.histogram_sheet(clouds, path, fields=fields)
    some = f"{len(clouds)} of the {len(places)} frames" if len(clouds) < len(places) else "the frames"
    under = (
        "" if not fields else " Blue: contours of the chemical c" + (", of a section of it." if run.dim == 3 else ".")
    )
    return [Picture(path, f"Density of {some}, with the same limits and colours.{under}")]


def _chemical(run: Run, places: list[parts.Place]) -> list[Table]:
    """Return a table of the largest c of each frame, and its integral over the grid's box."""
    if run.grid is None:
        return []
    cell, names = run.grid.h**run.dim, list(places[0][3])
    rows = []
    for _, case, k, at in evenly(places, MOST_ROWS):
        c = run.field(case, k).astype(np.float64)
        rows.append([*(at[name] for name in names), float(c.max()), float(c.sum() * cell)])
    box = " x ".join(f"[{low:.3g}, {low + run.grid.side:.3g}]" for low in run.grid.low)
    title = f"The chemical on {' x '.join(map(str, run.grid.shape))} points of {box}; its integral is over that box"
    return [Table(title, [*names, "largest c", "integral of c"], rows)]


def _initial(run: Run) -> list[tuple[str, Cloud]]:
    """Draw the initial cloud of a run with one case; return none if its store or its plugin is missing."""
    try:
        name, law = initial_cloud(str(simulation_of(run)["init"]), run.dim, run.config.get("init_params"))
        seed, stream = run.address(0)
        if seed is None:
            return []
        sampling = run.config.get("sampling", "random") if run.kind == "simulation" else "random"
        return [("initial cloud", drawn(law, name, sampling, run.J, run.dim, seed, stream))]
    except (KsdpError, KeyError, TypeError, ValueError):
        return []
