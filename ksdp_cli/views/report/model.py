"""The page of a model: the network beside the simulations that it was made to resemble."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import figures, plugins
from ...api.paths import history_of
from ...base.files import read_json
from ...base.labels import evenly, label
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
from .subject import SEED, ReportModel

Warn = Callable[[str], None]
#: The seed of the inputs for distances.
FRESH = 1_000_103
PROBES, PICTURED, MEASURED_N, MOST_MEASURED, MOST_PICTURES = 4096, 100_000, 1000, 6, 3
CURVE, OF_CURVE = 25, 40_000


def page(
    name: str, path: Path, references: list[Run], folder: Path, progress: Progress | None, warn: Warn
) -> tuple[Page, list[str]]:
    """The page of the model that the user calls ``name``, and the stores beside the network.

    Pictures are drawn into ``folder``.

    Raises `ConfigError` for a reference of another dimension or without a parameter of the network.
    """
    model = Model.load(path)
    parts.require_drawable(model.dim, name)
    learned = ReportModel(name, path, model)
    runs, of_training = (references, False) if references else (subject.training_data(learned), True)
    places, most = parts.thin([place for run in runs for place in subject.places(learned, run)], model.dim)
    notes = [note for run in runs for note in subject.differences(learned, run)]
    for note in notes:
        warn(note)
    clouds = [parts.page_cloud(place, most) for place in places]
    if clouds and not any(cloud.at == learned.start for cloud in clouds):
        learned.start = dict(clouds[-1].at)
    title = "Simulation (training data)" if of_training else "Simulation"
    units = {**model.provenance.get("units", {}), "t": "time"}
    network = _network(learned)
    scene = Scene(model.dim, _extent(learned, clouds, network), clouds, title, units, learned.start, network)
    sections = [
        ("How near it is", [*_distances(learned, places, of_training, progress), *notes]),
        ("What was run", _made(learned, runs)),
        ("Training", _training(learned, folder, warn)),
        ("Network and simulation" if clouds else "Network", _pictures(learned, places, clouds, folder)),
    ]
    footer = f"Made by ksdp {plugins.own_version()} from {name}"
    footer += f" and {', '.join(str(run.path) for run in runs)}." if runs else "."
    return Page("model", Path(name).name, _lead(learned), scene, sections, footer), [str(r.path) for r in runs]


def _extent(learned: ReportModel, clouds: list[PageCloud], network: NetworkView) -> NDArray[np.float64]:
    """A box of the stored clouds and of the network at the ends of the sliders."""
    ends = [sorted({low, to}) for low, to in zip(network.low, network.furthest(), strict=True)]
    corners = [dict(zip(learned.eta.names, corner, strict=True)) for corner in itertools.product(*ends)]
    return parts.extent([cloud.points for cloud in clouds] + [learned.at(corner, PROBES) for corner in corners])


def _network(learned: ReportModel) -> NetworkView:
    model, eta = learned.model, learned.eta
    law = learned.generator.initial
    few = min(MOST_SHOWN, getattr(law, "count", MOST_SHOWN))
    stored = None if getattr(law, "page_law", None) else learned.generator.inputs(few, SEED)
    command = shlex.join(["ksdp", "sample", learned.name])
    shape = model.network
    return NetworkView(
        theta=model.theta,
        sizes=shape.sizes,
        terms=FORMS[shape.form].terms(eta.log),
        heads=shape.heads,
        residual=shape.residual,
        names=eta.names,
        low=eta.low,
        high=eta.high,
        log=eta.log,
        beyond=eta.edge_slope,
        inputs=Inputs(SEED, stored),
        command=command,
    )


def _lead(learned: ReportModel) -> str:
    simulation, eta = learned.simulation, learned.eta
    ranges = ", ".join(f"{n} = {low:g} to {high:g}" for n, low, high in zip(eta.names, eta.low, eta.high, strict=True))
    to = "the clouds that it was given"
    if "flow" in simulation:
        to = f"where the flow {short(str(simulation['flow']))} and chemotaxis take them"
    told = f"A network ({learned.model.describe()}) that takes particles of the initial cloud to {to}, "
    told += f"trained on {ranges}"
    if "t" not in eta.names:
        told += f" at t = {learned.end:g}"
    return told + f". Each cloud has {simulation.get('J', '?')} particles in {learned.model.dim} dimensions."


def _distances(
    learned: ReportModel, places: list[parts.Place], of_training: bool, progress: Progress | None
) -> list[Any]:
    """Exact W2^2 of the network to some of the stored clouds, beside the noise floor."""
    chosen = evenly([place for place in places if place[0].J >= 4], MOST_MEASURED)
    rows = []
    for done, (run, case, k, at) in enumerate(chosen):
        n = min(MEASURED_N, run.J // 2)
        # fresh inputs: those of seed 0 may be the very particles that the simulation began with
        found = compare_clouds(learned.at(at, run.J, seed=FRESH), run.frame(case, k), n=n)
        rows.append([*at.values(), n, found.w2_squared, found.floor, found.excess, found.verdict])
        if progress:
            progress("distances", done + 1, len(chosen))
    if not rows:
        return []
    title = "Exact squared Wasserstein distance to the simulation, mean over sub-samples of N particles"
    columns = [*learned.eta.names, "N", "W₂²", "noise floor", "excess", "verdict"]
    told = "The floor is the same distance between two halves of the simulation: no network can be nearer than that."
    if of_training:
        told += " These are clouds that it was trained on; --reference STORE shows others."
    return [Table(title, columns, rows), told]


def _made(learned: ReportModel, runs: list[Run]) -> list[Any]:
    model = learned.model
    made: list[Any] = [("code", str(model.provenance.get("command", "")))]
    made += [("code", str(run.attrs.get("command", ""))) for run in runs]
    facts = [
        ["network", model.describe()],
        ["weights, SHA-256", model.sha256],
        ["data", str(model.provenance.get("data", ""))],
        ["versions", parts.flat_text(model.provenance.get("versions", {}))],
    ]
    made.append(Table("", ("", ""), facts))
    made.append(parts.settings_table("Configuration of the training", model.training))
    made.append(parts.settings_table("Configuration of the simulation that was learned", learned.simulation))
    return made


def _training(learned: ReportModel, folder: Path, warn: Warn) -> list[Any]:
    result = learned.model.provenance.get("result") or {}
    words = {"validation_W2_squared": "validation W₂² [length²]", "validated_on": "validated on", "seconds": "time [s]"}
    rows = [[words.get(name, name.replace("_", " ")), _short(value)] for name, value in result.items()]
    found: list[Any] = [Table("Result", ("", ""), rows)] if rows else []
    file = history_of(learned.path)
    if not file.exists():
        return found
    try:
        document = read_json(file)
        as_record(History, document)
        if document["command"] != learned.model.provenance.get("command"):
            raise ValueError("it is of another training")
        figures.training_curves(document["history"], folder / "training.svg")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, KsdpError) as error:
        warn(f"{file} is left out: {error}")
        return found
    return [*found, Picture(folder / "training.svg", "Training loss (14) and validation against the gradient step.")]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _pictures(learned: ReportModel, places: list[parts.Place], clouds: list[PageCloud], folder: Path) -> list[Picture]:
    density, curve = folder / "density.png", folder / "moments.svg"
    told = "Density of the network's particles beside those of the simulation, one scale of colours in each row."
    if not clouds:
        low, high = (dict(zip(learned.eta.names, ends, strict=True)) for ends in (learned.eta.low, learned.eta.high))
        labels = label(low), label(high)
        figures.histogram_pair(learned.at(low, PICTURED), learned.at(high, PICTURED), density, labels=labels)
        told = "Density of the network's particles at the ends of the trained range."
    elif learned.model.dim == 2:
        chosen = evenly(places, MOST_PICTURES)
        rows = [(label(at), learned.at(at, PICTURED), run.frame(case, k)) for run, case, k, at in chosen]
        figures.histogram_grid(rows, density)
    else:
        run, case, k, at = places[-1]
        title = label(at)
        figures.histogram_pair(learned.at(at, PICTURED), run.frame(case, k), density, title=title)
    return [Picture(density, told), *_curve(learned, clouds, curve)]


def _curve(learned: ReportModel, clouds: list[PageCloud], path: Path) -> list[Picture]:
    """E|x|^2 against the first parameter, the others as at the start."""
    name, start = learned.eta.names[0], learned.start
    low, high = learned.eta.low[0], learned.eta.high[0]
    beside = [c for c in clouds if all(c.at[other] == start[other] for other in learned.eta.names[1:])]
    highest = max([high, *(cloud.at[name] for cloud in beside)])
    if highest <= low:
        return []
    grid = np.geomspace(low, highest, CURVE) if learned.eta.log[0] else np.linspace(low, highest, CURVE)
    values = [float(moments(learned.at(start | {name: float(v)}, OF_CURVE)).second_moment) for v in grid]
    curves: dict[str, Any] = {"network": (grid, values, None)}
    if beside:
        x = [cloud.at[name] for cloud in beside]
        curves["simulation"] = (x, [c.second_moment for c in beside], [c.second_moment_se for c in beside])
    figures.moment_curve(curves, path, xlabel=name, trained_to=high, xlog=learned.eta.log[0])
    others = {other: start[other] for other in learned.eta.names[1:]}
    at = f" at {label(others)}" if others else ""
    return [Picture(path, f"Second moment against {name}{at}.")]
