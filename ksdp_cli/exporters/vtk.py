"""Export to VTKHDF for ParaView: one file that holds the whole series in time.

Each case is a partition of vertices that keeps its particles, their numbers and its parameters as point data; only the
points change with time. The layout is that of VTK's file format documentation, "VTKHDF", type PolyData with steps.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from ..base.libraries import library
from ..errors import ConfigError
from ..store import layout
from ..store.selection import Selection
from .hdf5 import sink

if TYPE_CHECKING:
    import h5py

ROOT, VERSION = "VTKHDF", (2, 0)
#: The kinds of cells of a PolyData, in the order of the columns of ``CellOffsets``.
CELLS = ("Vertices", "Lines", "Polygons", "Strips")
#: Particles written at a time where nothing else sets the pace, and in one compressed piece.
PIECE, CHUNK = 1 << 20, 1 << 16


def write_vtkhdf(
    selection: Selection, path: Path, metadata: dict[str, object], progress: Callable[[int], None]
) -> None:
    """VTK's ``vtkHDFReader`` gives the steps in time, of one vtkPolyData or of a partitioned set with one a case.

    In 2D the third coordinate is 0. The metadata are an attribute of the root group as JSON.
    """
    if selection.run.dim > 3:
        message = f"VTK has points in 3 dimensions, and {selection.run.path} has {selection.run.dim}"
        raise ConfigError(message, "export to .npz, .nc, .parquet or .csv")
    h5py = library("h5py", "VTKHDF")
    with sink(path, progress) as (target, progress), h5py.File(target, "w") as file:
        root = file.create_group(ROOT)
        root.attrs["Version"] = VERSION
        root.attrs.create("Type", b"PolyData", dtype=h5py.string_dtype("ascii", len("PolyData")))
        root.attrs[layout.MARK] = json.dumps(metadata)
        _write_cells(root, selection)
        _write_point_data(root, selection)
        _write_steps(root, selection)
        _write_points(root, selection, progress)


def _write_cells(root: h5py.Group, selection: Selection) -> None:
    """A vertex for each particle of each case, the same at all times."""
    count, J = len(selection.cases), selection.run.J
    root["NumberOfPoints"] = np.full(count, J, np.int64)
    for name in CELLS:
        n, group = (J if name == CELLS[0] else 0), root.create_group(name)
        group["NumberOfCells"] = group["NumberOfConnectivityIds"] = np.full(count, n, np.int64)
        _repeat(_compress(group, "Connectivity", count * n, np.int64), count, n)
        _repeat(_compress(group, "Offsets", count * (n + 1), np.int64), count, n + 1)


def _compress(group: h5py.Group, name: str, length: int, kind: DTypeLike) -> h5py.Dataset:
    """A compressed array of counts or of one repeated value. Positions would not compress."""
    if not length:
        return group.create_dataset(name, (0,), kind)
    options = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    return group.create_dataset(name, (length,), kind, chunks=(min(length, CHUNK),), **options)


def _repeat(data: h5py.Dataset, count: int, n: int) -> None:
    """0 .. n - 1 for each of ``count`` cases."""
    for case in range(count):
        for start in range(0, n, PIECE):
            stop = min(start + PIECE, n)
            data[case * n + start : case * n + stop] = np.arange(start, stop)


def _write_point_data(root: h5py.Group, selection: Selection) -> None:
    """Point data to colour and select by: the particle's number and the parameters of its case."""
    count, J = len(selection.cases), selection.run.J
    group = root.create_group("PointData")
    _repeat(_compress(group, "particle", count * J, np.int64), count, J)
    for name, values in {"case": selection.cases, **selection.parameters}.items():
        kind = np.int32 if name == "case" else layout.kind_of(name, values)
        data = _compress(group, name, count * J, kind)
        for i, value in enumerate(values):
            for start in range(0, J, PIECE):
                data[i * J + start : i * J + min(start + PIECE, J)] = value


def _write_steps(root: h5py.Group, selection: Selection) -> None:
    """Offsets of each snapshot: the points advance, all other arrays start at 0 again."""
    steps, count = len(selection.snapshots), len(selection.cases)
    group = root.create_group("Steps")
    group.attrs["NSteps"] = steps
    group["Values"] = np.array(selection.times)
    group["PartOffsets"] = np.zeros(steps, np.int64)
    group["NumberOfParts"] = np.full(steps, count, np.int64)
    group["PointOffsets"] = np.arange(steps, dtype=np.int64) * count * selection.run.J
    group["CellOffsets"] = group["ConnectivityIdOffsets"] = np.zeros((steps, len(CELLS)), np.int64)
    offsets = group.create_group("PointDataOffsets")
    for name in root["PointData"]:
        offsets[name] = np.zeros(steps, np.int64)


def _write_points(root: h5py.Group, selection: Selection, progress: Callable[[int], None]) -> None:
    """Points (time, case, particle), three coordinates each."""
    steps, count, J = len(selection.snapshots), len(selection.cases), selection.run.J
    points, done = root.create_dataset("Points", (steps * count * J, 3), selection.kind), 0
    for i, j, start, block in selection.blocks():
        first = (j * count + i) * J + start
        wide = np.zeros((len(block), 3), selection.kind)
        wide[:, : selection.run.dim] = block
        points[first : first + len(block)] = wide
        done += len(block)
        progress(done)


def ours_vtkhdf(path: Path) -> bool:
    with library("h5py", "VTKHDF").File(path, "r") as file:
        return layout.MARK in file[ROOT].attrs
