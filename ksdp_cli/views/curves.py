"""The second moments that ``plot`` draws: against time with equation (6), or against the swept parameter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import figures
from ..figures.curves import Curve
from ..learning.model import Model
from ..metrics import Moments, second_moment_law
from ..provenance import short
from ..store import Run
from ..store.selection import Selection, fixed, start_of

Values = dict[str, float]
#: E|X|^2 at the start by equation (6), its slope, and the time of the start.
Law = tuple[float, float, float]
#: An axis is logarithmic from this ratio of its ends.
RATIO = 20.0
#: Cases whose law is drawn beside them; more lines would hide the points.
LAWS = 3


def of_store(chosen: Selection, measured: Sequence[tuple[Values, Moments]], path: Path) -> None:
    """A curve a case against t, or, with one snapshot, against the parameter with the most values."""
    run = chosen.run
    counts = {name: len({values[name] for values, _ in measured}) for name in measured[0][0]}
    along = "t" if counts["t"] > 1 else max(counts, key=lambda name: counts[name])
    others = [name for name, count in counts.items() if count > 1 and name != along]
    groups: dict[tuple[float, ...], list[tuple[Values, Moments]]] = {}
    for values, m in measured:
        groups.setdefault(tuple(values[name] for name in others), []).append((values, m))
    curves: dict[str, Curve] = {}
    for key, rows in groups.items():
        name = ", ".join(f"{n} = {value:.4g}" for n, value in zip(others, key, strict=True)) or _plural(run)
        x = [values[along] for values, _ in rows]
        curves[name] = x, [m.second_moment for _, m in rows], [m.second_moment_se for _, m in rows]
    if along == "t" and len(groups) <= LAWS:
        for name, rows in zip(list(curves), groups.values(), strict=True):
            law = equation_6(run, *rows[0])
            if law is not None:
                label = "equation (6)" if len(groups) == 1 else f"equation (6), {name}"
                curves[label] = _line(*law, end=max(values["t"] for values, _ in rows))
    log = _log([values[along] for values, _ in measured], along)
    figures.moment_curve(curves, path, xlabel=axis(along, run.units), title=run.path.name, xlog=log)


def of_pairs(
    measured: Sequence[tuple[float, Moments, Moments]],
    along: str,
    labels: tuple[str, str],
    path: Path,
    *,
    title: str,
    model: Model | None = None,
    law: Law | None = None,
) -> None:
    """First against second cloud; a network's is a line, and what lies beyond its training is marked."""
    rows = sorted(measured, key=lambda row: row[0])
    x, first, second = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    own = None if model is not None else [m.second_moment_se for m in first]
    curves: dict[str, Curve] = {
        f"{labels[0]}, N = {figures.count_text(first[0].n)}": (x, [m.second_moment for m in first], own),
        f"{labels[1]}, N = {figures.count_text(second[0].n)}": (
            x,
            [m.second_moment for m in second],
            [m.second_moment_se for m in second],
        ),
    }
    if law is not None and along == "t":
        curves["equation (6)"] = _line(*law, end=x[-1])
    units, end = {}, None
    if model is not None:
        units = dict(model.provenance.get("units", {}))
        end = float(model.eta_map.high[model.eta_map.names.index(along)]) if along in model.eta_map.names else None
    name, log = axis(along, units), _log(x, along)
    figures.moment_curve(curves, path, xlabel=name, title=title, trained_to=end, xlog=log)


def equation_6(run: Run, values: Values, start: Moments) -> Law | None:
    """The law of a case of a store; None where equation (6) does not hold or the start is unknown.

    It holds in 2D without flow. The start is 1/2 for the unit disc, else the stored snapshot of it; of J particles
    each is attracted by J - 1.
    """
    config = run.config
    if run.kind != "simulation" or run.dim != 2 or short(str(config.get("flow"))) != "none":
        return None
    mu, chi, mass = (values.get(name, fixed(run, name)) for name in ("mu", "chi", "M"))
    if mu is None or chi is None or mass is None:
        return None
    if short(str(config.get("init"))) == "ball":
        first = 0.5
    elif values["t"] == start_of(config):
        first = start.second_moment
    else:
        return None
    zero, one = (second_moment_law(t, mu=mu, chi=chi, M=mass, J=run.J) for t in (0.0, 1.0))
    return first, one - zero, start_of(config)


def only_varying(every: Sequence[Values]) -> str | None:
    """The name of the one parameter that differs, or None where there is none or more than one."""
    names = [name for name in every[0] if len({values[name] for values in every}) > 1]
    return names[0] if len(names) == 1 else None


def axis(name: str, units: dict[str, str]) -> str:
    return "t [time]" if name == "t" else f"{name}, {units.get(name, '')}".rstrip(", ")


def _line(first: float, slope: float, start: float, end: float) -> Curve:
    """The law to ``end``, or to where it would reach zero: no cloud is left there."""
    last = min(end, start - first / slope) if slope < 0 else end
    return [start, last], [first, first + slope * (last - start)], None


def _log(values: Sequence[float], along: str) -> bool:
    return along != "t" and min(values) > 0 and max(values) >= RATIO * min(values)


def _plural(run: Run) -> str:
    return "simulation" if run.kind == "simulation" else "samples"
