"""The paper's figures from our own runs: network samples beside simulated particles, and curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .. import figures
from ..metrics import binned_w2_squared, moments
from .definition import Figure
from .stages import Point, Stages, label

#: The network that figures show, of those trained from several seeds.
SEED = 0


def draw(figure: Figure, stages: Stages, folder: Path) -> list[Path]:
    """Draw a figure into ``folder``: one file, or several with a letter or a point in their names."""
    return _KINDS[figure.kind](figure, stages, folder)


def _clouds(figure: Figure, stages: Stages, folder: Path) -> list[Path]:
    """Figures 2, 3, 4, 6, 9: a row for each point."""
    rows = [(_title(at), _made(stages, dict(at)), stages.reference(dict(at)).frame()) for at in figure.at]
    path = folder / f"{figure.name}.png"
    figures.histogram_grid(rows, path, title=figure.title)
    return [path]


def _projections(figure: Figure, stages: Stages, folder: Path) -> list[Path]:
    """Figures 5 and 8: all projections, a file for each point."""
    paths = []
    for at in figure.at:
        name = figure.name if len(figure.at) == 1 else f"{figure.name}-{label(dict(at))}"
        paths.append(folder / f"{name}.png")
        title = figure.title if len(figure.at) == 1 else f"{figure.title}, {_title(at)}"
        made, reference = _made(stages, dict(at)), stages.reference(dict(at)).frame()
        figures.histogram_pair(made, reference, paths[-1], title=title)
    return paths


def _second_moment(figure: Figure, stages: Stages, folder: Path) -> list[Path]:
    """Figure 10, and 1(c)."""
    path = folder / f"{figure.name}.png"
    _moment_picture(figure, stages, path)
    return [path]


def _moment_picture(figure: Figure, stages: Stages, path: Path) -> None:
    name, values, points = _along(figure)
    made = [moments(_made(stages, at)) for at in points]
    own = [moments(stages.reference(at).frame()) for at in points]
    curves: dict[str, Any] = {
        f"network, N = {made[0].n}": (values, [m.second_moment for m in made], None),
        f"simulation, N = {own[0].n}": (values, [m.second_moment for m in own], [m.second_moment_se for m in own]),
    }
    figures.moment_curve(curves, path, xlabel=_axis(stages, name), trained_to=_trained_to(stages, name))


def _first_component(figure: Figure, stages: Stages, folder: Path) -> list[Path]:
    """Figure 7: (a) the mean of the first component, (b) its error and the binned squared W2 beside its floor."""
    name, values, points = _along(figure)
    paths = [folder / f"{figure.name}{letter}.png" for letter in "ab"]
    found = [_compared(stages, at) for at in points]
    made, own, ends = ([row[k] for row in found] for k in ("made", "own", "trained_to"))
    axis, end = _axis(stages, name), ends[0] if ends else None
    figures.moment_curve(
        {
            "network": (values, [m.mean[0] for m in made], None),
            "simulation": (values, [m.mean[0] for m in own], [m.mean_se[0] for m in own]),
        },
        paths[0], xlabel=axis, ylabel="E x₁ [length]", trained_to=end,
    )  # fmt: skip
    apart = [abs(a.mean[0] - b.mean[0]) for a, b in zip(made, own, strict=True)]
    figures.moment_curve(
        {
            "binned W₂², B = 20": (values, [row["w2"] for row in found], None),
            "its floor, two simulations": (values, [row["floor"] for row in found], None),
            "|difference of the means|": (values, apart, None),
        },
        paths[1], xlabel=axis, ylabel="W₂² [length²], |difference| [length]", trained_to=end,
    )  # fmt: skip
    return paths


def _compared(stages: Stages, at: Point) -> dict[str, Any]:
    made, own, second = _made(stages, at), stages.reference(at).frame(), stages.reference(at, 1).frame()
    return {
        "made": moments(made),
        "own": moments(own),
        "w2": binned_w2_squared(made, own),
        "floor": binned_w2_squared(second, own),
        "trained_to": _trained_to(stages, next(iter(at))),
    }


def _overview(figure: Figure, stages: Stages, folder: Path) -> list[Path]:
    """Figure 1: (a) the second moment for several delta, (b) loss and validation, (c) network beside simulation."""
    paths = [folder / f"{figure.name}{letter}.png" for letter in "abc"]
    _, times, _ = _along(figure)
    options = {n: v for n, v in stages.experiment.simulate_options(stages.scale_name).items() if n != "snapshots"}
    options |= {"delta2": list(figure.delta2), "snapshots": times, "T": times[-1]}
    run = stages.simulated("regularisation", options, "regularisation")
    curves: dict[str, Any] = {}
    for case, values in enumerate(run.cases):
        found = [moments(run.frame(case, k)) for k in range(len(run.times))]
        curves[f"δ² = {values['delta2']:g}"] = (run.times, [m.second_moment for m in found], None)
    (mu,), (chi,), (mass,) = (run.config[name] for name in ("mu", "chi", "M"))
    ends = np.array([0.0, times[-1]])
    curves["equation (6)"] = (ends, 0.5 + (4 * mu - chi * mass / (2 * np.pi)) * ends, None)
    figures.moment_curve(curves, paths[0], xlabel="t [time]", title="regularised interacting particles")
    figures.training_curves(stages.history(SEED), paths[1], title="training")
    _moment_picture(figure, stages, paths[2])
    return paths


def _made(stages: Stages, at: Point) -> np.ndarray:
    return stages.samples(SEED, at, stages.scale.samples)


def _along(figure: Figure) -> tuple[str, list[float], list[Point]]:
    """Name and values of the parameter of a curve, and the points."""
    ((name, values),) = figure.along.items()
    return name, list(values), [{name: value} for value in values]


def _trained_to(stages: Stages, name: str) -> float:
    _, model = stages.network(SEED)
    return float(model.eta_map.high[model.eta_map.names.index(name)])


def _axis(stages: Stages, name: str) -> str:
    return "t [time]" if name == "t" else f"{name}, {stages.data().units.get(name, '')}".rstrip(", ")


def _title(at: Any) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in at.items())


_KINDS = {
    "clouds": _clouds,
    "projections": _projections,
    "second_moment": _second_moment,
    "first_component": _first_component,
    "overview": _overview,
}
