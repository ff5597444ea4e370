"""The frames of a store as xarray gives them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import layout
from .layout import Header

if TYPE_CHECKING:
    import xarray


def as_dataset(
    path: Path,
    header: Header,
    times: NDArray[np.float64],
    cases: Sequence[int],
    snapshots: Sequence[int],
    complete: bool,
) -> xarray.Dataset:
    """Return the ``snapshots``, at ``times`` (k,), of ``cases`` as a lazy dataset, as `Run.dataset`."""
    import xarray

    result: xarray.Dataset = xarray.open_zarr(path, consolidated=complete)
    result = result.drop_vars("digest").isel(time=list(snapshots), case=list(cases))
    for coordinate in result.coords.values():
        coordinate.load()  # small, and needed to select by value
    if not complete:  # the array has the time of a frame once every case of the store has it
        result = result.assign_coords(time=("time", times, result["time"].attrs))
    result.attrs = {name: _plain(value) for name, value in result.attrs.items() if value is not None}
    if header.moving:
        labels = {name: text for name, text in result["position"].attrs.items() if name != "comment"}
        result["position"] = (result["position"] + result["origin"]).transpose(*result["position"].dims)
        result["position"].attrs = labels
        result = result.drop_vars("origin")
    for name in layout.field_files(path, header, 0, 0):
        result[name].encoding.pop("coordinates", None)
    return result.assign_coords(axis=result["axis"].astype(object)) if "axis" in result.coords else result


def _plain(value: object) -> int | float | str:
    """Convert an attribute to a type that NetCDF can hold."""
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, (int, float, str)) else json.dumps(value)
