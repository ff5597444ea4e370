"""Write a dataset to a NetCDF file that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5netcdf
    import xarray


def write_dataset(dataset: xarray.Dataset, file: h5netcdf.File) -> None:
    """Write variables and attributes of ``dataset``, which is in memory, to ``file``."""
    from xarray.backends import H5NetCDFStore

    dataset.dump_to_store(H5NetCDFStore(file))
