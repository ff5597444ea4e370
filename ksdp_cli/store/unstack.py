"""A store whose cases are a full grid, with a dimension for each swept parameter in place of the one of its cases."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError

if TYPE_CHECKING:
    import xarray


def unstack(dataset: xarray.Dataset, path: Path) -> xarray.Dataset:
    """``dataset`` with the dimensions of its parameters, their values in increasing order, first; ``case`` is gone.

    Raises `ConfigError` where a combination of values is missing or there twice.
    """
    names = [str(name) for name, one in dataset.coords.items() if one.dims == ("case",)]
    if not names:
        return dataset.isel(case=0)
    columns: dict[str, Any] = {name: dataset[name].values for name in names}
    rows, count = set(zip(*(column.tolist() for column in columns.values()), strict=True)), dataset.sizes["case"]
    full = math.prod(len(set(column.tolist())) for column in columns.values())
    if len(rows) < count or full > count:
        told = f"{count} cases, and {full} combinations of {', '.join(names)}"
        raise ConfigError(
            f"the cases of {path} are no full grid: {told}", "leave grid out: each case has a coordinate of each"
        )
    labels = {name: dataset[name].attrs for name in names}
    made = dataset.swap_dims(case=names[0]) if len(names) == 1 else dataset.set_index(case=names).unstack("case")
    made = made.sortby(names)
    for name, attrs in labels.items():
        made[name].attrs = attrs
    return made.transpose(*names, ...)
