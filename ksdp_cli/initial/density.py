"""A density on a grid as an initial law, read from a .npy file, a classic NetCDF file or an image."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..base import rng
from ..errors import ConfigError, DataError
from .base import Centred, Positions

NETCDF, IMAGES = (".nc", ".cdf"), (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
#: Largest number of cells of a grid: 512 MiB of cumulative sums.
MOST_CELLS = 1 << 26
#: Modes of Pillow for pixels of 32 bits; names of the dimensions of a NetCDF file.
WIDE, AXES = ("I", "F"), ("x", "y", "z")
#: By how much steps of coordinates may differ; largest negative value that rounding explains, relative to the maximum.
UNEVEN, ROUNDED = 1e-3, 1e-6


class DensityParams(Centred):
    grid: str = Field("", description="file with the density: .npy, .nc or an image, where dark is dense [path]")
    extent: float = Field(2.0, gt=0, description="longest side of the grid [length]")


class Density:
    """Density proportional to the values of a file, constant in each cell of a grid of cubes around the centre.

    An array has the index order [x, y] or [x, y, z]. A NetCDF file must have exactly one variable with two or three
    dimensions; those called x, y (, z) may have any order, and coordinates that fall are turned round. An image is read
    with y upwards; dark means dense. Raises `ConfigError` without a file, and `DataError` if the file cannot be read or
    is not a density.
    """

    dims: tuple[int, ...] = (2, 3)
    Params = DensityParams

    def __init__(self, params: DensityParams) -> None:
        if not params.grid:
            raise ConfigError("initial cloud 'density' has no grid", "use --grid FILE.npy, FILE.nc or an image")
        path = Path(params.grid).expanduser()
        values = _check(_read(path), path)
        self.params, self.shape, self.dims = params, values.shape, (values.ndim,)
        self.cell = params.extent / max(values.shape)
        self.digest = hashlib.sha256(np.ascontiguousarray(values, "<f8").data).hexdigest()
        self.sums = np.cumsum(values.ravel()) / values.sum()

    def second_moment(self, dim: int) -> float:
        parts = np.diff(self.sums, prepend=0.0)
        corners = self._corners(np.flatnonzero(parts)) + self.cell / 2
        centre = np.array([self.params.x0, self.params.y0, self.params.z0][:dim])
        return float(float(parts[parts != 0] @ ((corners + centre) ** 2).sum(1)) + dim * self.cell**2 / 12)

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Positions:
        within, which = rng.uniforms(seed, stream, 0, start, n, dim), rng.uniforms(seed, stream, 1, start, n, 1)
        return self.placed(np.concatenate([within, which], 1), dim)

    def placed(self, u: NDArray[np.float64], dim: int) -> Positions:
        cell = np.searchsorted(self.sums, u[:, dim], side="right")
        corners = self._corners(np.minimum(cell, len(self.sums) - 1))
        return self.params.moved((corners + self.cell * u[:, :dim]).astype(np.float32))

    def _corners(self, cell: NDArray[np.int64]) -> NDArray[np.float64]:
        """Lower corners (n, d) of the cells with numbers ``cell`` (n,), for a grid centred at the origin."""
        index = np.stack(np.unravel_index(cell, self.shape), 1)
        return np.asarray(self.cell * (index - np.asarray(self.shape) / 2.0))


def _read(path: Path) -> NDArray[np.float64]:
    kind = path.suffix.lower()
    try:
        if kind == ".npy":
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        if kind in NETCDF:
            return _netcdf(path)
        if kind in IMAGES:
            return _image(path)
    except Exception as error:  # readers fail in many ways on a damaged file
        raise DataError(f"density {path} cannot be read: {error}", "check the file") from None
    raise DataError(
        f"density {path} is not a .npy, .nc or image file", f"use one of .npy {' '.join((*NETCDF, *IMAGES))}"
    )


def _netcdf(path: Path) -> NDArray[np.float64]:
    from scipy.io import netcdf_file

    with path.open("rb") as file:
        start = file.read(4)
    if start == b"\x89HDF":
        raise ValueError("it is NetCDF 4; ksdp reads NetCDF 3, as xarray writes with format='NETCDF3_64BIT'")
    with netcdf_file(path, mmap=False, maskandscale=True) as file:
        found = [v for v in file.variables.values() if v.data.ndim in (2, 3)]
        if len(found) != 1:
            raise ValueError(f"it has {len(found)} variables of two or three dimensions, not one")
        values, names = found[0][:], found[0].dimensions
        nodes = [file.variables[name][:] if name in file.variables else None for name in names]
    if np.ma.getmaskarray(values).any():
        raise ValueError("it has missing values")
    values = np.array(values)
    values[(values < 0) & (values > -ROUNDED * values.max())] = 0.0  # a packed 0 need not come out as 0
    return _in_order(values, names, nodes)


def _in_order(
    values: NDArray[np.float64], names: Sequence[str], nodes: Sequence[NDArray[np.float64] | None]
) -> NDArray[np.float64]:
    """Return ``values`` with axes x, y (, z) and rising coordinates ``nodes``, of which a dimension may have none.

    Dimensions of other names are in order. Raises `ValueError` for cells that are no cubes, and where x, y, z are not
    all of the dimensions.
    """
    spacings = []
    for axis, coordinates in enumerate(nodes):
        if coordinates is None or len(coordinates) < 2:
            continue
        steps = np.diff(np.asarray(coordinates, np.float64))
        spacings += [float(abs(step)) for step in (steps.min(), steps.max())]
        if steps[0] < 0:
            values = np.flip(values, axis)
    if spacings and max(spacings) > (1 + UNEVEN) * min(spacings):
        raise ValueError(f"its cells are no cubes: coordinates by steps of {min(spacings):.4g} to {max(spacings):.4g}")
    lower = [name.lower() for name in names]
    if sorted(lower) == list(AXES[: values.ndim]):
        return values.transpose([lower.index(name) for name in AXES[: values.ndim]])
    if set(lower) & set(AXES):
        raise ValueError(f"its dimensions are {', '.join(names)}, not {', '.join(AXES[: values.ndim])}")
    return values


def _image(path: Path) -> NDArray[np.float64]:
    from matplotlib.image import imread
    from PIL import Image

    with Image.open(path) as image:
        if image.mode in WIDE and path.suffix.lower() != ".png":  # imread cuts them to 8 bits
            raise ValueError("its pixels have 32 bits, where ksdp reads 8 or 16; convert it, or save the array as .npy")
    pixels = np.asarray(imread(path))
    whole = float(np.iinfo(pixels.dtype).max) if pixels.dtype.kind == "u" else 1.0
    grey = pixels[..., :3].mean(2) if pixels.ndim == 3 else pixels
    opaque = pixels[..., 3] / whole if pixels.ndim == 3 and pixels.shape[2] == 4 else 1.0
    return np.asarray(((1.0 - grey / whole) * opaque)[::-1].T, np.float64)


def _check(values: NDArray[np.float64], path: Path) -> NDArray[np.float64]:
    """Return ``values`` as float64. Raises `DataError` unless they are a density in two or three dimensions."""
    if values.dtype.kind not in "bfiu" or values.ndim not in (2, 3) or not 1 <= values.size <= MOST_CELLS:
        raise DataError(
            f"density {path} is an array of dtype {values.dtype} and shape {values.shape}",
            f"give numbers in 2 or 3 dimensions, at most {MOST_CELLS} of them",
        )
    values = values.astype(np.float64)
    if not np.isfinite(values).all() or values.min() < 0 or not 0 < values.sum() < np.inf:
        raise DataError(f"density {path} has negative or non-finite values, or no mass", "give values of 0 or more")
    return values
