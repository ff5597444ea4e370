"""plot -o film.gif: the clouds of a film, over the snapshots of a store or over a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..api.generator import Generator
from ..base.grids import SEED
from ..base.parsing import sweep
from ..errors import ConfigError
from ..learning.eta_map import EtaMap
from ..store.selection import Selection
from .picture import PictureCloud, Work, frame_of, of_store

#: Default number of pictures in a film of a network, and most pictures in any film.
PICTURES, MOST = 60, 600
#: Particles of a picture: more than a film can show.
PARTICLES = 200_000

At = dict[str, float]


def points_of_model(generator: Generator, at: Mapping[str, object]) -> list[At]:
    """Return the parameters of each picture: the given values, or else the trained range.

    By default the film runs over t, or over the first parameter; other parameters take their largest trained values.
    Raises `ConfigError` unless exactly one parameter varies.
    """
    model = generator.model
    names = model.eta_map.names
    values_by_name = {name: sweep(value) for name, value in at.items()}
    single = model.complete({name: values[0] for name, values in values_by_name.items()})
    many = [name for name, values in values_by_name.items() if len(values) > 1]
    if not many:
        free = [name for name in names if name not in values_by_name]
        if not free:
            raise ConfigError("nothing varies in this film", f"give {names[0]} several values, as --{names[0]} 0:1:51")
        along = "t" if "t" in free else free[0]
        values_by_name[along] = _trained_range(model.eta_map, along)
        many = [along]
    require_one(many)
    require_few(len(values_by_name[many[0]]))
    return [single | {many[0]: value} for value in values_by_name[many[0]]]


def require_one(varying: Sequence[str]) -> None:
    """Raise `ConfigError` for a film over more than one parameter."""
    if len(varying) > 1:
        raise ConfigError(
            f"{', '.join(varying)} vary, but a film runs over one", f"fix the others, as --{varying[-1]} VALUE"
        )


def require_few(count: int) -> None:
    """Raise `ConfigError` for more than `MOST` pictures."""
    if count > MOST:
        raise ConfigError(f"{count} pictures in a film", f"choose at most {MOST}, as --t 0:0.1:51")


def in_order(work: Work, selection: Selection) -> list[PictureCloud]:
    """The clouds of a store along what varies among them: time or a parameter, with the particles of all seeds in each
    picture; or the seed, where it is all that varies.

    Raises `ConfigError` unless one does.
    """
    frames, cases = list(selection.frames()), selection.run.cases
    points = [{name: value for name, value in cases[case].items() if name != SEED} | {"t": k} for case, k in frames]
    if len(points) > 1 and all(point == points[0] for point in points):
        work.notes.append("the seed is all that varies: a picture shows one run; --snapshots stores more times")
        every = [frame_of(selection.run, case, k, -(-selection.run.J // PARTICLES)) for case, k in frames]
        varying = [SEED]
    else:
        every = of_store(work, selection, PARTICLES)
        names = [name for name in every[0].values if name != SEED]  # of another seed in each case the case is told
        varying = [name for name in names if len({one.values[name] for one in every}) > 1]
    if not varying:
        raise ConfigError("a film needs more than one cloud", "choose several, or draw a picture, as -o cloud.png")
    require_one(varying)
    require_few(len(every))
    return sorted(every, key=lambda one: one.values[varying[0]])


def _trained_range(eta_map: EtaMap, name: str) -> tuple[float, ...]:
    """Return values over the trained range of a parameter, linear or logarithmic as in training."""
    i = eta_map.names.index(name)
    space = np.geomspace if eta_map.log[i] else np.linspace
    return tuple(float(value) for value in space(eta_map.low[i], eta_map.high[i], PICTURES))
