"""The page of a model: the network beside the simulations that it learned."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import figures, plugins
from ...api.paths import history_of
from ...base.files import read_json
from ...base.labels import KINDS, axis, evenly, label
from ...base.listener import Progress
from ...base.records import History, as_record
from ...errors import KsdpError
from ...learning.model import Model
from ...learning.network.forms import FORMS
from ...metrics import compare_clouds, moments
from ...provenance import short
from ...store import Run
from . import MOST_SHOWN, Inputs, NetworkView, Page, PageCloud, Picture, Scene, Table, subject
from . import clouds as parts
from .page import Part
from .subject import SEED, ReportModel

Warn = Callable[[str], None]
#: The seed of the inputs for distances.
FRESH = 1_000_103
PROBES, PICTURED, MEASURED_N, MOST_MEASURED, MOST_PICTURES = 4096, 100_000, 1000, 6, 3
CURVE, OF_CURVE = 25, 40_000


def page(
    name: str, path: Path, references: list[Run], folder: Path, progress: Progress | None, warn: Warn
) -> tuple[Page, list[str]]:
    """Return the page of the model called ``name``, and the paths of the stores beside it.

    Draws pictures into ``folder``. Raises `ConfigError` for a reference of another dimension or without a parameter of
    the network.
    """
    model = Model.load(path)
    parts.require_drawable(model.dim, name)
    report_model = ReportModel(name, path, model)
    runs, of_training = (references, False) if references else (subject.training_data(report_model, warn), True)
    places, most = parts.thin([place for run in runs for place in subject.places(report_model, run)], model.dim)
    notes = [note for run in runs for note in subject.differences(report_model, run)]
    for note in notes:
        warn(note)
    clouds = [parts.page_cloud(place, most) for place in places]
    if clouds and not any(cloud.at == report_model.start for cloud in clouds):
        report_model.start = dict(clouds[-1].at)
    beside = KINDS[runs[0].kind] if runs else KINDS["simulation"]
    title = beside.capitalize() + (" (training data)" if of_training else "")
    units = {**model.provenance.get("units", {}), "t": "time"}
    network = _network(report_model)
    scene = Scene(model.dim, _extent(report_model, clouds, network), clouds, title, units, report_model.start, network)
    sections: list[tuple[str, Sequence[Part]]] = [
        ("Distance to the reference", [*_distances(report_model, places, of_training, progress), *notes]),
        ("What was run", _provenance(report_model, runs)),
        ("Training", _training(report_model, folder, warn)),
        (f"Network and {beside}" if clouds else "Network", _pictures(report_model, places, clouds, folder, beside)),
    ]
    footer = f"Made by ksdp {plugins.own_version()} from {name}"
    footer += f" and {', '.join(run.name for run in runs)}." if runs else "."
    return Page("model", Path(name).name, _lead(report_model), scene, sections, footer), [r.name for r in runs]


def _extent(report_model: ReportModel, clouds: list[PageCloud], network: NetworkView) -> NDArray[np.float64]:
    """Return a box around the stored clouds and the network's clouds at the ends of the sliders."""
    ends = [sorted({low, to}) for low, to in zip(network.low, network.furthest(), strict=True)]
    corners = [dict(zip(report_model.eta.names, corner, strict=True)) for corner in itertools.product(*ends)]
    return parts.extent([cloud.points for cloud in clouds] + [report_model.at(corner, PROBES) for corner in corners])


def _network(report_model: ReportModel) -> NetworkView:
    model, eta = report_model.model, report_model.eta
    law = report_model.generator.initial
    few = min(MOST_SHOWN, getattr(law, "count", MOST_SHOWN))
    rows = None if getattr(law, "page_law", None) else report_model.generator.inputs(few, SEED)
    command = shlex.join(["ksdp", "sample", report_model.name])
    shape = model.network
    theta, skip = model.fold_units()
    return NetworkView(
        theta=theta,
        sizes=shape.sizes,
        terms=FORMS[shape.form].terms(eta.log),
        heads=shape.heads,
        skip=skip,
        names=eta.names,
        low=eta.low,
        high=eta.high,
        log=eta.log,
        beyond=eta.edge_slope,
        origin=eta.origin or (0.0,) * len(eta.names),
        inputs=Inputs(SEED, rows),
        command=command,
    )


def _lead(report_model: ReportModel) -> str:
    simulation, eta = report_model.simulation, report_model.eta
    ranges = ", ".join(f"{n} = {low:g} to {high:g}" for n, low, high in zip(eta.names, eta.low, eta.high, strict=True))
    to = "the given clouds"
    if "flow" in simulation:
        to = f"where the flow {short(str(simulation['flow']))} and chemotaxis take them"
    text = f"A network ({report_model.model.describe()}) that takes particles of the initial cloud to {to}, "
    text += f"trained on {ranges}"
    if "t" not in eta.names:
        text += f" at t = {report_model.end:g}"
    return text + f". Each cloud has {simulation.get('J', '?')} particles in {report_model.model.dim} dimensions."


def _distances(
    report_model: ReportModel, places: list[parts.Place], of_training: bool, progress: Progress | None
) -> list[Part]:
    """Compute the exact W2^2 of the network to some of the stored clouds, with the noise floor."""
    some = evenly([place for place in places if place[0].J >= 4], MOST_MEASURED)
    rows = []
    for number, (run, case, k, at) in enumerate(some):
        n = min(MEASURED_N, run.J // 2)
        # other inputs than seed 0, which may be the initial particles of the simulation
        content = compare_clouds(report_model.at(at, run.J, seed=FRESH), run.frame(case, k), n=n)
        rows.append([*at.values(), n, content.w2_squared, content.floor, content.excess, content.verdict])
        if progress:
            progress("distances", number + 1, len(some))
    if not rows:
        return []
    title = "Exact squared Wasserstein distance, mean over sub-samples of N particles"
    columns = [*report_model.eta.names, "N", "W₂²", "noise floor", "excess", "verdict"]
    text = "The floor is the same distance between two halves of the reference; no network can be closer than that."
    if of_training:
        text += " These clouds are training data; --reference STORE shows others."
    return [Table(title, columns, rows), text]


def _provenance(report_model: ReportModel, runs: list[Run]) -> list[Part]:
    model = report_model.model
    items: list[Part] = [("code", str(model.provenance.get("command", "")))]
    items += [("code", str(run.attrs.get("command", ""))) for run in runs]
    facts = [
        ["network", model.describe()],
        ["weights, SHA-256", model.sha256],
        ["data", str(model.provenance.get("data", ""))],
        ["versions", parts.flat_text(model.provenance.get("versions", {}))],
    ]
    items.append(Table("", ("", ""), facts))
    items.append(parts.settings_table("Configuration of the training", model.training))
    items.append(parts.settings_table("Configuration of the training data", report_model.simulation))
    return items


def _training(report_model: ReportModel, folder: Path, warn: Warn) -> list[Part]:
    result = report_model.model.provenance.get("result") or {}
    words = {"validation_W2_squared": "validation W₂² [length²]", "validated_on": "validated on", "seconds": "time [s]"}
    rows = [[words.get(name, name.replace("_", " ")), _short(value)] for name, value in result.items()]
    content: list[Part] = [Table("Result", ("", ""), rows)] if rows else []
    file = history_of(report_model.path)
    if not file.exists():
        return content
    try:
        document = read_json(file)
        as_record(History, document)
        if document["command"] != report_model.model.provenance.get("command"):
            raise ValueError("it belongs to another training")
        figures.training_curves(document["history"], folder / "training.svg")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, KsdpError) as error:
        warn(f"{file} is left out: {error}")
        return content
    return [
        *content,
        Picture(
            folder / "training.svg", "Training loss (14), validation and its noise floor against the gradient step."
        ),
    ]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _pictures(
    report_model: ReportModel, places: list[parts.Place], clouds: list[PageCloud], folder: Path, beside: str
) -> list[Picture]:
    density, curve = folder / "density.png", folder / "moments.svg"
    names = ("network", beside)
    text = "Density of the network's particles beside the reference, one colour scale per row."
    if not clouds:
        low, high = (
            dict(zip(report_model.eta.names, ends, strict=True))
            for ends in (report_model.eta.low, report_model.eta.high)
        )
        labels = label(low), label(high)
        figures.histogram_pair(report_model.at(low, PICTURED), report_model.at(high, PICTURED), density, labels=labels)
        text = "Density of the network's particles at the ends of the trained range."
    elif report_model.model.dim == 2:
        some = evenly(places, MOST_PICTURES)
        rows = [(label(at), report_model.at(at, PICTURED), run.frame(case, k)) for run, case, k, at in some]
        figures.histogram_grid(rows, density, labels=names)
    else:
        run, case, k, at = places[-1]
        title = label(at)
        figures.histogram_pair(report_model.at(at, PICTURED), run.frame(case, k), density, title=title, labels=names)
    return [Picture(density, text), *_curve(report_model, clouds, curve, beside)]


def _curve(report_model: ReportModel, clouds: list[PageCloud], path: Path, beside_name: str) -> list[Picture]:
    """Draw E|x|^2 against the first parameter, with the others at their start values."""
    name, start = report_model.eta.names[0], report_model.start
    low, high = report_model.eta.low[0], report_model.eta.high[0]
    beside = [c for c in clouds if all(c.at[other] == start[other] for other in report_model.eta.names[1:])]
    highest = max([high, *(cloud.at[name] for cloud in beside)])
    if highest <= low:
        return []
    grid = np.geomspace(low, highest, CURVE) if report_model.eta.log[0] else np.linspace(low, highest, CURVE)
    values = [float(moments(report_model.at(start | {name: float(v)}, OF_CURVE)).second_moment) for v in grid]
    curves: dict[str, Any] = {"network": (grid, values, None)}
    if beside:
        x = [cloud.at[name] for cloud in beside]
        curves[beside_name] = (x, [c.second_moment for c in beside], [c.second_moment_se for c in beside])
    units = dict(report_model.model.provenance.get("units", {}))
    figures.moment_curve(curves, path, xlabel=axis(name, units), trained_to=high, xlog=report_model.eta.log[0])
    others = {other: start[other] for other in report_model.eta.names[1:]}
    at = f" at {label(others)}" if others else ""
    return [Picture(path, f"Second moment against {name}{at}.")]
