"""Replace the dimension of cases by one dimension for each swept parameter."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError

if TYPE_CHECKING:
    import xarray


def unstack(dataset: xarray.Dataset, path: Path) -> xarray.Dataset:
    """Return ``dataset`` with one leading dimension for each parameter, values increasing, instead of ``case``.

    Raises `ConfigError` if a combination of values is missing or occurs twice.
    """
    names = [str(name) for name, one in dataset.coords.items() if one.dims == ("case",)]
    if not names:
        return dataset.isel(case=0)
    columns: dict[str, Any] = {name: dataset[name].values for name in names}
    rows, count = set(zip(*(column.tolist() for column in columns.values()), strict=True)), dataset.sizes["case"]
    full = math.prod(len(set(column.tolist())) for column in columns.values())
    if len(rows) < count or full > count:
        raise ConfigError(
            f"the cases of {path} are not a full grid: {count} cases, {full} combinations of {', '.join(names)}",
            "leave grid out: each case then has a coordinate for each parameter",
        )
    labels = {name: dataset[name].attrs for name in names}
    grid = dataset.swap_dims(case=names[0]) if len(names) == 1 else dataset.set_index(case=names).unstack("case")
    grid = grid.sortby(names)
    for name, attrs in labels.items():
        grid[name].attrs = attrs
    return grid.transpose(*names, ...)
