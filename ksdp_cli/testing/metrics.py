"""The contract of a metric, `ksdp_cli.metrics.base.Distance` or `Profile`."""

from __future__ import annotations

import numpy as np

from ..base.shapes import Cloud
from ..metrics.base import Distance, Profile
from .contract import name_of, require

#: Particles of a cloud; how far apart two laws are, in their width; part by which two orders of a pair may differ.
COUNT, APART, LOOSE = 400, 10.0, 0.02


def check_metric(metric: type[object], dim: int = 2) -> None:
    """Check the class of a metric on clouds of ``dim`` dimensions, float32 and float64, that cannot be written to.

    A distance: sizes that fit the clouds, a cost of two numbers, a value that is finite, not negative, larger between
    unlike clouds than between like ones, the same for a pair in either order, and potentials (n,) and (n,) or none.
    A profile: as many entries in each row as there are columns, numbers or None.

    Raises `AssertionError`.
    """
    name, title = name_of(metric), getattr(metric, "title", None)
    require(isinstance(metric, type) and issubclass(metric, (Distance, Profile)), f"{name} is no Distance or Profile")
    require(isinstance(title, str) and title, f"{name}.title is {title!r}: give it a name for tables")
    generator = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        clouds: list[Cloud] = [generator.standard_normal((n, dim)).astype(dtype) for n in (COUNT, 2 * COUNT, 2 * COUNT)]
        for cloud in clouds:
            cloud.flags.writeable = False
        if issubclass(metric, Profile):
            _check_profile(name, metric, clouds[0], clouds[1])
        elif issubclass(metric, Distance):
            _check_distance(name, metric, clouds)


def _check_profile(name: str, metric: type[Profile], cloud: Cloud, reference: Cloud) -> None:
    for row in metric().rows(cloud, reference):
        require(len(row) == len(metric.columns), f"{name}.rows: {len(row)} entries below {len(metric.columns)} columns")
        numbers = all(entry is None or np.isfinite(entry) for entry in row.values())
        require(numbers, f"{name}.rows: {row} has an entry that is no finite number and not None")


def _check_distance(name: str, metric: type[Distance], clouds: list[Cloud]) -> None:
    for second in (None, clouds[2]):
        instance = metric(clouds[0], clouds[1], second, seed=1)
        n, repeats = instance.sizes()
        most = COUNT if second is not None else len(clouds[1]) // 2
        require(1 <= n <= most and repeats >= 1, f"{name}.sizes gives {n} particles and {repeats} sub-samples")
        cost = instance.cost(n, 3 * repeats)
        require(len(cost) == 2 and min(cost) >= 0, f"{name}.cost gives {cost}: give seconds and bytes")
    x, y = clouds[1], clouds[2]
    far = y + np.full(y.shape[1], APART, y.dtype)
    values = {}
    for which, pair in {"like": (x, y), "unlike": (x, far), "unlike, reversed": (far, x)}.items():
        value, potentials = metric(x, far, None, seed=1).transport(*pair)
        require(np.isfinite(value) and value >= 0, f"{name}.transport of {which} clouds is {value!r}")
        values[which] = float(value)
        shapes = [np.shape(potential) for potential in potentials or ()]
        require(shapes in ([], [(len(x),)] * 2), f"{name}.transport has potentials of shapes {shapes}")
        require(all(np.isfinite(one).all() for one in potentials or ()), f"{name}.transport: potentials not finite")
    require(values["like"] < values["unlike"], f"{name}.transport does not tell laws {APART:g} widths apart: {values}")
    apart = abs(values["unlike"] - values["unlike, reversed"])
    require(apart <= LOOSE * values["unlike"], f"{name}.transport depends on the order of its clouds: {values}")
