"""Shared by the pages of runs and models: clouds for the view, and configurations as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...base.files import JsonDict
from ...base.shapes import Cloud
from ...errors import DataError
from ...metrics import moments
from ...provenance import short
from ...store import Run
from . import PageCloud, Table, particles_per_cloud

#: (run, case, snapshot, parameters): one frame of one store.
Place = tuple[Run, int, int, dict[str, float]]
#: Part of a cloud that may lie outside the axes, so that one stray particle does not set the scale.
STRAY = 1e-3


def require_drawable(dim: int, what: object) -> None:
    """Raise `DataError` unless the dimension is 2 or 3, as the view needs."""
    if dim not in (2, 3):
        raise DataError(f"{what} has {dim} dimensions, and a page shows 2 or 3", "use 'ksdp plot' or 'ksdp compare'")


def thin(places: Sequence[Place], dim: int) -> tuple[list[Place], int]:
    """Return as many evenly spaced places as fit on a page, and the number of particles of each to show."""
    keep = list(places)
    while keep and not particles_per_cloud(len(keep), dim):
        keep = keep[::2]
    return keep, particles_per_cloud(len(keep), dim)


def page_cloud(place: Place, most: int) -> PageCloud:
    run, case, k, at = place
    frame = run.frame(case, k)
    m = moments(frame)
    first = np.array(frame[:most])
    return PageCloud(at, first, len(frame), m.mean.tolist(), float(m.second_moment), float(m.second_moment_se))


def extent(clouds: Sequence[Cloud]) -> NDArray[np.float64]:
    """Return the box (d, 2) of all clouds."""
    ends = np.array([np.quantile(cloud, [STRAY / 2, 1 - STRAY / 2], axis=0) for cloud in clouds])
    return np.stack([ends[:, 0].min(0), ends[:, 1].max(0)], 1).astype(np.float64)


def settings_table(title: str, config: JsonDict) -> Table:
    """Return a configuration as a table, with the parameters of flow, kernel and initial cloud."""
    parts = ("flow_params", "kernel_params", "chemistry_params", "init_params")
    flat = config | {name: value for part in parts for name, value in config.get(part, {}).items()}
    rows = [[name, flat_text(value)] for name, value in flat.items() if name not in (*parts, "device")]
    return Table(title, ("", ""), rows)


def flat_text(value: object) -> str:
    """Format a value of a configuration for a reader."""
    if value is None:
        return "default"
    if isinstance(value, dict):
        return ", ".join(f"{name} = {flat_text(entry)}" for name, entry in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(flat_text(entry) for entry in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    return short(str(value))
