"""A density on a grid as an initial law, read from a .npy file, a classic NetCDF file or an image."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..base import rng
from ..errors import ConfigError, DataError
from .base import Centred, Positions
from .netcdf_grid import read_netcdf

NETCDF, IMAGES = (".nc", ".cdf"), (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
#: Largest number of cells of a grid: 512 MiB of cumulative sums.
MOST_CELLS = 1 << 26
#: Modes of Pillow for pixels of 32 bits.
WIDE = ("I", "F")


class DensityParams(Centred):
    grid: str = Field("", description="file with the density: .npy, .nc or an image, where dark is dense [path]")
    extent: float = Field(2.0, gt=0, description="longest side of the grid [length]")


class Density:
    """Density proportional to the values of a file, constant in each cell of a grid of cubes around the centre.

    An array has the index order [x, y] or [x, y, z]. A NetCDF file must have exactly one variable of numbers with two
    or three dimensions. They may have any order if they are called x, y (, z) or lon, lat, or say so by CF; if they say
    nothing they are in this order, and ``doubt`` tells it. Coordinates that fall are turned round. An image is read
    with y upwards; dark means dense. Raises `ConfigError` without a file, and `DataError` if the file cannot be read or
    is not a density.
    """

    dims: tuple[int, ...] = (2, 3)
    Params = DensityParams

    def __init__(self, params: DensityParams) -> None:
        if not params.grid:
            raise ConfigError("initial cloud 'density' has no grid", "use --grid FILE.npy, FILE.nc or an image")
        path = Path(params.grid).expanduser()
        read, self.doubt = _read(path)
        values = _check(read, path)
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


def _read(path: Path) -> tuple[NDArray[np.float64], str | None]:
    """The array in the file, and a doubt about its axes."""
    kind = path.suffix.lower()
    try:
        if kind == ".npy":
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False)), None
        if kind in NETCDF:
            return read_netcdf(path)
        if kind in IMAGES:
            return _image(path), None
    except Exception as error:  # readers fail in many ways on a damaged file
        raise DataError(f"density {path} cannot be read: {error}", "check the file") from None
    raise DataError(
        f"density {path} is not a .npy, .nc or image file", f"use one of .npy {' '.join((*NETCDF, *IMAGES))}"
    )


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
