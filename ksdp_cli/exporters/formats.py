"""Export of positions; the suffix selects the format.

A file is written under a hidden name beside its place, forced to the disk, and renamed. It is filled one block of the
store at a time, so it may be larger than the memory, and every block is checked against its digest on the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.outputs import claim, write_whole
from ..errors import ConfigError
from ..store import layout
from ..store.selection import Selection

#: Told the number of particles written so far.
Progress = Callable[[int], None]
#: Attributes that only a store has a use for.
_OWN = {"times", "cases", "case_count", layout.ROOT_DIGEST, layout.STATIC_DIGEST}


@dataclass(frozen=True)
class Format:
    """``write(selection, path, metadata, progress)``; ``ours(path)`` tells a file that `export` made."""

    name: str
    write: Callable[[Selection, Path, dict[str, Any], Progress], None]
    ours: Callable[[Path], bool]


def formats() -> dict[str, Format]:
    """Each suffix with its format."""
    from . import arrays as export_arrays
    from . import tables as export_tables
    from . import vtk as export_vtk

    return {
        ".npz": Format("NumPy", export_arrays.write_npz, export_arrays.ours_npz),
        ".nc": Format("NetCDF 4", export_arrays.write_netcdf, export_arrays.ours_netcdf),
        ".parquet": Format("Parquet", export_tables.write_parquet, export_tables.ours_parquet),
        ".csv": Format("CSV", export_tables.write_csv, export_tables.ours_csv),
        ".vtkhdf": Format("VTKHDF", export_vtk.write_vtkhdf, export_vtk.ours_vtkhdf),
    }


def format_of(path: Path) -> Format:
    """The format for the suffix of ``path``. Raises `ConfigError` for an unknown suffix."""
    by_suffix = formats()
    if path.suffix not in by_suffix:
        raise ConfigError(f"the output {path} ends in {path.suffix!r}", f"use one of {', '.join(by_suffix)}")
    return by_suffix[path.suffix]


def image_format(path: Path) -> Format:
    """The writer of the chemical alone. Raises `ConfigError` for other suffixes."""
    from .image import write_image
    from .vtk import ours_vtkhdf

    if path.suffix != ".vtkhdf":
        hint = "use .vtkhdf" if path.suffix not in (".nc", ".npz") else f"{path.suffix} holds c beside the particles"
        raise ConfigError(f"the image of c as {path.suffix!r}", hint)
    return Format("VTKHDF image", write_image, ours_vtkhdf)


def export(
    selection: Selection,
    path: Path,
    *,
    overwrite: bool = False,
    field: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, object]:
    """Write the positions of ``selection`` to ``path`` and return what the file says of how they were made.

    ``field`` writes the chemical in their place, as an image. ``progress(done, total)`` counts particles, or points of
    the image. Raises `ConfigError` for the suffix, `DataError` when the file exists,
    or, with ``overwrite``, when it was not made here, `ResourceError` for a library that is missing or a full disk,
    and what `Run.rows` raises.
    """
    kind = image_format(path) if field else format_of(path)
    grid = selection.run.grid
    total = len(selection.cases) * len(selection.snapshots)
    total *= math.prod(grid.shape) if field and grid else selection.run.J
    metadata = metadata_of(selection)

    def report(done: int) -> None:
        if progress:
            progress(done, total)

    with claim(path, kind.ours, "export", overwrite=overwrite), write_whole(path) as temporary:
        kind.write(selection, temporary, metadata, report)
    return metadata


def metadata_of(selection: Selection) -> dict[str, object]:
    """How the positions were made, JSON-able: configuration, command, seed, versions, and the units of parameters."""
    run = selection.run
    attributes = {name: value for name, value in run.attrs.items() if name not in _OWN}
    return attributes | {"source": run.path.name, "position_units": "length", "time_units": "time"}
