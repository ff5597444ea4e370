"""The paper's figures from runs of ksdp: network samples beside simulated particles, and curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .. import figures
from ..api.clouds import second_moment_at_start
from ..base.labels import axis, label
from ..base.outputs import require_free
from ..exact.second_moment import second_moment_law
from ..figures import Curves
from ..metrics import Moments, binned_w2_squared, moments
from ..store import Run
from .definition import Figure
from .stages import Point, Stages

#: The seed of the network in the figures.
SEED = 0
#: Cells a side of the binned distance in figure 7(b).
BINS = 20


def draw(figure: Figure, stages: Stages, path: Path) -> None:
    """Draw a figure to ``path`` unless it exists; first run the stages that it needs."""
    _, model = stages.network(SEED)
    for at, number in references_of(figure):
        stages.reference(at, number)
    if figure.kind == "overview":
        _runs_by_delta2(figure, stages)
    config: dict[str, Any] = {
        "figure": figure.model_dump(mode="json"),
        "weights": model.sha256,
        "data": stages.simulation,
    }

    has_record = stages.ledger.has(f"figure-{figure.name}")

    def work(_: bool) -> dict[str, object]:
        require_free(path, has_record or stages.ledger.overwrite, figures.is_own_picture, "reproduce")
        _KINDS[figure.kind](figure, stages, path)
        return {"picture": path.name}

    config |= {"samples": stages.scale.samples, "format": path.suffix}
    stages.ledger.stage(f"figure-{figure.name}", config, work, path)


def references_of(figure: Figure) -> list[tuple[Point, int]]:
    """The references of a figure: points and numbers of simulations."""
    points = [dict(at) for at in figure.at] + (_along(figure)[2] if figure.along else [])
    return [(at, number) for at in points for number in range(2 if figure.kind == "first_component" else 1)]


def _clouds(figure: Figure, stages: Stages, path: Path) -> None:
    """Figures 2, 3, 4, 6 and 9: a row for each point."""
    figures.histogram_grid(_pairs(figure, stages), path, title=figure.title)


def _projections(figure: Figure, stages: Stages, path: Path) -> None:
    """Figures 5 and 8: all projections of each point."""
    figures.histogram_sections(_pairs(figure, stages), path, title=figure.title)


def _pairs(figure: Figure, stages: Stages) -> list[tuple[str, np.ndarray, np.ndarray]]:
    return [(label(dict(at)), _samples(stages, dict(at)), stages.reference(dict(at)).frame()) for at in figure.at]


def _second_moment(figure: Figure, stages: Stages, path: Path) -> None:
    """Figure 10."""
    figures.curve_panels([_moment_panel(figure, stages, figure.title)], path)


def _first_component(figure: Figure, stages: Stages, path: Path) -> None:
    """Figure 7: (a) the mean of the first component, (b) its error, and the binned W2^2 beside its floor."""
    name, values, points = _along(figure)
    network, simulation, distance, floor = zip(*(_moments_and_distances(stages, at) for at in points), strict=True)
    axis, end = _axis(stages, name), _trained_to(stages, name)
    means = {
        "network": (values, [m.mean[0] for m in network], None),
        "simulation": (values, [m.mean[0] for m in simulation], [m.mean_se[0] for m in simulation]),
    }
    apart = [abs(float(a.mean[0]) - float(b.mean[0])) for a, b in zip(network, simulation, strict=True)]
    distances = {
        f"binned W₂², {BINS} cells a side": (values, distance, None),
        f"two simulations, N = {figures.count_text(simulation[0].n)} each": (values, floor, None),
        "difference of the means [length]": (values, apart, None),
    }
    with_points = frozenset(distances)
    figures.curve_panels(
        [
            Curves(means, axis, "E x₁ [length]", "mean of the first component", trained_to=end),
            Curves(distances, axis, "W₂² [length²]", "distance", trained_to=end, marked=with_points),
        ],
        path,
        title=figure.title,
    )


def _moments_and_distances(stages: Stages, at: Point) -> tuple[Moments, Moments, float, float]:
    """Moments of network and simulation, their binned distance, and the one between two simulations."""
    x = _samples(stages, at)
    y, other = (stages.reference(at, number).frame() for number in range(2))
    return moments(x), moments(y), binned_w2_squared(x, y, BINS), binned_w2_squared(other, y, BINS)


def _overview(figure: Figure, stages: Stages, path: Path) -> None:
    """Figure 1: (a) the second moment for several delta, (b) loss and validation, (c) network beside simulation."""
    panels = [
        _regularisations(figure, stages),
        figures.training_panel(stages.history(SEED), title="training"),
        _moment_panel(figure, stages, "second moment"),
    ]
    figures.curve_panels(panels, path, title=figure.title)


def _regularisations(figure: Figure, stages: Stages) -> Curves:
    """Second moments of simulations with each ``delta2`` beside the law of equation (6)."""
    _, times, _ = _along(figure)
    run = _runs_by_delta2(figure, stages)
    curves: dict[str, Any] = {}
    for case, values in enumerate(run.cases):
        second_moments = [moments(run.frame(case, k)).second_moment for k in range(len(run.times))]
        curves[f"δ² = {values['delta2']:g}"] = (run.times, second_moments, None)
    law = second_moment_law(run.simulation, run.J, start=second_moment_at_start(run.simulation))
    if law is not None:
        ends = [law.t0, law.end(times[-1])]
        curves["equation (6)"] = (ends, [law(t) for t in ends], None)
    return Curves(curves, "t [time]", title="simulations")


def _runs_by_delta2(figure: Figure, stages: Stages) -> Run:
    """The simulation of the experiment at each ``delta2``, at the times of the figure."""
    _, times, _ = _along(figure)
    options = {n: v for n, v in stages.experiment.simulate_options(stages.scale_name).items() if n != "snapshots"}
    options |= {"delta2": list(figure.delta2), "snapshots": times, "T": times[-1]}
    return stages.simulation_of("regularisation", options, "regularisation")


def _moment_panel(figure: Figure, stages: Stages, title: str) -> Curves:
    """Second moment of network and simulation along a parameter."""
    name, values, points = _along(figure)
    network = [moments(_samples(stages, at)) for at in points]
    simulation = [moments(stages.reference(at).frame()) for at in points]
    curves = {
        "network": (values, [m.second_moment for m in network], None),
        "simulation": (values, [m.second_moment for m in simulation], [m.second_moment_se for m in simulation]),
    }
    return Curves(curves, _axis(stages, name), title=title, trained_to=_trained_to(stages, name))


def _samples(stages: Stages, at: Point) -> np.ndarray:
    return stages.samples(SEED, at, stages.scale.samples)


def _along(figure: Figure) -> tuple[str, list[float], list[Point]]:
    """Name and values of the parameter of a curve, and the points."""
    ((name, values),) = figure.along.items()
    return name, list(values), [{name: value} for value in values]


def _trained_to(stages: Stages, name: str) -> float:
    _, model = stages.network(SEED)
    return float(model.eta_map.high[model.eta_map.names.index(name)])


def _axis(stages: Stages, name: str) -> str:
    return axis(name, stages.data().units)


_KINDS = {
    "clouds": _clouds,
    "projections": _projections,
    "second_moment": _second_moment,
    "first_component": _first_component,
    "overview": _overview,
}
