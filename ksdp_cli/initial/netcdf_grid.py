"""A density in a classic NetCDF file, turned so that its axes are x, y (, z) with rising coordinates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Names of the axes, and the words by which a dimension or its coordinates say that they are one of them: the name, or
#: the attributes ``axis`` and ``standard_name`` of CF.
AXES = ("x", "y", "z")
WORDS = {
    **dict.fromkeys(("x", "lon", "longitude", "grid_longitude", "projection_x_coordinate"), "x"),
    **dict.fromkeys(("y", "lat", "latitude", "grid_latitude", "projection_y_coordinate"), "y"),
    "z": "z",
}
#: Kinds of numbers.
NUMBERS = "fiu"
Real = np.floating | np.integer
#: By how much steps of coordinates may differ; largest negative value that rounding explains, relative to the maximum.
UNEVEN, ROUNDED = 1e-3, 1e-6


def read_netcdf(path: Path) -> tuple[NDArray[np.float64], str | None]:
    """Return the density [x, y (, z)], and a doubt where the names of its dimensions do not say which is x.

    Raises `ValueError` for a file of another format or without exactly one such variable, for missing values, for
    dimensions that are not x, y (, z), and as `_turned`.
    """
    from scipy.io import netcdf_file

    with path.open("rb") as file:
        start = file.read(4)
    if start == b"\x89HDF":
        raise ValueError("it is NetCDF 4; ksdp reads NetCDF 3, as xarray writes with format='NETCDF3_64BIT'")
    with netcdf_file(path, mmap=False, maskandscale=True) as file:
        found = [v for v in file.variables.values() if v.data.ndim in (2, 3) and v.data.dtype.kind in NUMBERS]
        if len(found) != 1:
            raise ValueError(f"it has {len(found)} variables of numbers in two or three dimensions, not one")
        values, names = found[0][:], found[0].dimensions
        along = {v.dimensions[0]: v for name, v in file.variables.items() if v.dimensions == (name,)}
        own = [along.get(name) for name in names]
        nodes = [None if one is None else one[:] for one in own]
        axes = [_axis(name, one) for name, one in zip(names, own, strict=True)]
    if np.ma.getmaskarray(values).any():
        raise ValueError("it has missing values")
    values = np.array(values, np.float64)
    values[(values < 0) & (values > -ROUNDED * values.max(initial=0))] = 0.0  # a packed 0 need not come out as 0
    known = AXES[: values.ndim]
    if not any(axes):
        taken = ", ".join(f"{name!r} as {axis}" for name, axis in zip(names, known, strict=True))
        return _turned(values, names, nodes), f"density {path} does not name its axes: ksdp takes {taken}; rename them"
    if sorted(map(str, axes)) != list(known):
        raise ValueError(f"its dimensions are {', '.join(names)}, not {', '.join(known)}")
    return _turned(values, names, nodes).transpose([axes.index(axis) for axis in known]), None


def _axis(name: str, coordinates: object) -> str | None:
    """The axis that the name of a dimension says, or else an attribute of its ``coordinates``."""
    said = [name, *(getattr(coordinates, attribute, b"") for attribute in ("axis", "standard_name"))]
    texts = [one.decode("latin-1") if isinstance(one, bytes) else str(one) for one in said]
    return next((WORDS[text.lower()] for text in texts if text.lower() in WORDS), None)


def _turned(
    values: NDArray[np.float64], names: tuple[str, ...], nodes: list[NDArray[Real] | None]
) -> NDArray[np.float64]:
    """Return ``values`` with rising coordinates ``nodes``, of which a dimension may have none.

    Raises `ValueError` for coordinates that are no numbers or neither rise nor fall, and for cells that are no cubes.
    """
    spacings = []
    for axis, (name, coordinates) in enumerate(zip(names, nodes, strict=True)):
        if coordinates is None or len(coordinates) < 2:
            continue
        if coordinates.dtype.kind not in NUMBERS:
            raise ValueError(f"its coordinates {name} are no numbers")
        steps = np.diff(np.ma.filled(np.ma.asarray(coordinates, np.float64), np.nan))
        if not (np.isfinite(steps).all() and ((steps > 0).all() or (steps < 0).all())):
            raise ValueError(f"its coordinates {name} neither rise nor fall by finite steps throughout")
        spacings += [float(abs(step)) for step in (steps.min(), steps.max())]
        if steps[0] < 0:
            values = np.flip(values, axis)
    if spacings and max(spacings) > (1 + UNEVEN) * min(spacings):
        raise ValueError(f"its cells are no cubes: coordinates by steps of {min(spacings):.4g} to {max(spacings):.4g}")
    return values
