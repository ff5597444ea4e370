"""Curves of second moments for ``plot``: against time with equation (6), or against the swept parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from .. import figures
from ..api.clouds import second_moment_at_start
from ..base.labels import KINDS, axis, label
from ..errors import DataError
from ..exact.second_moment import SecondMomentLaw, second_moment_law
from ..figures.curves import Curve
from ..learning.model import Model
from ..metrics import Moments
from ..metrics.ensembles import ensemble_moments
from ..metrics.estimates import Estimate
from ..store import Run
from ..store.selection import Selection

Values = dict[str, float]
#: Moments of each run of an ensemble, or of one run.
Runs = Sequence[Moments]
#: An axis with at least this ratio of its ends is logarithmic.
RATIO = 20.0
#: Most cases for which the law is drawn too; more lines would hide the points.
LAWS = 3


def of_store(selection: Selection, cases: Sequence[tuple[Values, Runs]], path: Path) -> None:
    """Draw one curve for each case against t, or, with one snapshot, against the parameter with the most values.

    Several seeds give the mean with its band.
    """
    run = selection.run
    counts = {name: len({values[name] for values, _ in cases}) for name in cases[0][0]}
    along = "t" if counts["t"] > 1 else max(counts, key=lambda name: counts[name])
    others = [name for name, count in counts.items() if count > 1 and name != along]
    groups: dict[tuple[float, ...], list[tuple[Values, Runs]]] = {}
    for values, m in cases:
        groups.setdefault(tuple(values[name] for name in others), []).append((values, m))
    curves: dict[str, Curve] = {}
    names = []
    for key, rows in groups.items():
        name = label(dict(zip(others, key, strict=True)), 4) or KINDS[run.kind].removeprefix("network ")
        name, points = _points(name, [values[along] for values, _ in rows], [runs for _, runs in rows])
        curves[name] = points
        names.append(name)
    if along == "t" and len(groups) <= LAWS:
        for name, rows in zip(names, groups.values(), strict=True):
            law = equation_6(run, rows[0][0], rows[0][1])
            if law is not None:
                title = "equation (6)" if len(groups) == 1 else f"equation (6), {name}"
                curves[title] = _line(law, max(values["t"] for values, _ in rows))
    log = _log([values[along] for values, _ in cases], along)
    figures.moment_curve(
        curves, path, xlabel=axis(along, run.units), title=run.path.name, xlog=log, bands=_bands(curves)
    )


def of_pairs(
    pairs: Sequence[tuple[float, Runs, Runs]],
    along: str,
    labels: tuple[str, str],
    path: Path,
    *,
    title: str,
    model: Model | None = None,
    law: SecondMomentLaw | None = None,
) -> None:
    """Draw the curves of two clouds; a network's is a line, and the range beyond its training is marked."""
    rows = sorted(pairs, key=lambda row: row[0])
    x, first, second = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    curves: dict[str, Curve] = dict(
        _points(f"{label}, N = {figures.count_text(runs[0][0].n)}", x, runs)
        for label, runs in zip(labels, (first, second), strict=True)
    )
    if model is not None:
        name = next(iter(curves))
        curves[name] = (*curves[name][:2], None)
    if law is not None and along == "t":
        curves["equation (6)"] = _line(law, x[-1])
    units, end = {}, None
    if model is not None:
        units = dict(model.provenance.get("units", {}))
        end = float(model.eta_map.high[model.eta_map.names.index(along)]) if along in model.eta_map.names else None
    name, log = axis(along, units), _log(x, along)
    figures.moment_curve(curves, path, xlabel=name, title=title, trained_to=end, xlog=log, bands=_bands(curves))


def equation_6(run: Run, values: Values, first: Runs | float) -> SecondMomentLaw | None:
    """Return law (6) for a case of a store; its first snapshot has ``values`` and the second moment ``first``.

    None if the law does not hold, or the second moment at the start or the configuration is not stored.
    """
    try:
        simulation = run.simulation
    except DataError:
        return None
    start = second_moment_at_start(simulation)
    if start is None and values["t"] == simulation.t0:
        start = first if isinstance(first, float) else _second_moment(first).mean
    return second_moment_law(simulation, run.J, values, start) if run.kind == "simulation" else None


#: Part of the name of a curve that is a mean over seeds.
BAND = "with its 95 % band"


def _points(name: str, x: Sequence[float], every: Sequence[Runs]) -> tuple[str, Curve]:
    """Return name and points of a curve of E|x|^2: with standard errors, or with Student's band over seeds."""
    estimates = [_second_moment(runs) for runs in every]
    seeds = {len(runs) for runs in every}
    if 1 in seeds:
        return name, (x, [one.mean for one in estimates], [math.nan if one.se is None else one.se for one in estimates])
    count = f"{min(seeds)}" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}"
    return f"{name}, mean of {count} seeds {BAND}", (
        x,
        [one.mean for one in estimates],
        [math.nan if one.high is None else one.high - one.mean for one in estimates],
    )


def _bands(curves: Mapping[str, Curve]) -> frozenset[str]:
    return frozenset(name for name, (_, _, errors) in curves.items() if name.endswith(BAND) and errors is not None)


def _second_moment(runs: Runs) -> Estimate:
    if len(runs) == 1:
        return Estimate(runs[0].second_moment, runs[0].second_moment_se)
    return ensemble_moments(runs).second_moment


def only_varying(every: Sequence[Values]) -> str | None:
    """Return the name of the only parameter that varies, or None if none or several do."""
    names = [name for name in every[0] if len({values[name] for values in every}) > 1]
    return names[0] if len(names) == 1 else None


def _line(law: SecondMomentLaw, end: float) -> Curve:
    """Return the line of the law up to ``end``, or to the time at which it reaches zero."""
    times = [law.t0, law.end(end)]
    return times, [law(t) for t in times], None


def _log(values: Sequence[float], along: str) -> bool:
    return along != "t" and min(values) > 0 and max(values) >= RATIO * min(values)
