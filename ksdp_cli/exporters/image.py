"""Export of the chemical to VTKHDF for ParaView: one image, that is a regular grid, with the whole series in time.

All cases have one grid, so that each is a point array of the same image. The layout is that of VTK's file format
documentation, "VTKHDF", type ImageData with steps: values run over time, z, y, x.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..base.labels import label
from ..base.libraries import library
from ..errors import ConfigError
from ..store import layout
from ..store.selection import Selection
from .hdf5 import sink
from .vtk import ROOT, VERSION


def write_image(selection: Selection, path: Path, metadata: dict[str, object], progress: Callable[[int], None]) -> None:
    """VTK's ``vtkHDFReader`` gives the steps in time of one vtkImageData with the array ``c``, or one a case, and
    ``grad_c`` where the store has it.

    In 2D there is one plane, z = 0, for which the values have no axis. The metadata are an attribute of the root group
    as JSON. Raises `ConfigError` for a store without c.
    """
    h5py, grid = library("h5py", "VTKHDF"), selection.run.grid
    if grid is None:
        raise ConfigError(f"{selection.run.path} holds no c", "simulate with --store-field")
    flat = 3 - len(grid.shape)
    n = (*grid.shape, *(1,) * flat)
    with sink(path, progress) as (target, progress), h5py.File(target, "w") as file:
        root = file.create_group(ROOT)
        root.attrs["Version"] = VERSION
        root.attrs.create("Type", b"ImageData", dtype=h5py.string_dtype("ascii", len("ImageData")))
        root.attrs["WholeExtent"] = np.array([end for count in n for end in (0, count - 1)], np.int64)
        root.attrs["Origin"] = np.array([*(axis[0] for axis in grid.axes()), *(0.0,) * flat])
        root.attrs["Spacing"] = np.full(3, grid.h)
        root.attrs["Direction"] = np.eye(3).ravel()
        root.attrs[layout.MARK] = json.dumps(metadata)
        steps, data = root.create_group("Steps"), root.create_group("PointData")
        steps.attrs["NSteps"] = len(selection.snapshots)
        steps["Values"] = np.array(selection.times)
        offsets, done = steps.create_group("PointDataOffsets"), 0
        for case in selection.cases:
            name, count = _name(selection, case), len(selection.snapshots)
            values = data.create_dataset(name, (count, *grid.shape[::-1]), np.float32)
            offsets[name] = np.arange(count, dtype=np.int64)
            for j, k in enumerate(selection.snapshots):
                values[j] = selection.run.field(case, k).T
                done += values[j].size
                progress(done)
            if grid.gradient:  # vectors have three components there
                name = _name(selection, case, "grad_c")
                vectors = data.create_dataset(name, (count, *grid.shape[::-1], 3), np.float32)
                offsets[name] = np.arange(count, dtype=np.int64)
                for j, k in enumerate(selection.snapshots):
                    vectors[j, ..., : len(grid.shape)] = selection.run.gradient(case, k).T


def _name(selection: Selection, case: int, field: str = "c") -> str:
    """``c``, of several cases with the parameters of one."""
    if len(selection.cases) == 1:
        return field
    return f"{field}, {label(selection.run.cases[case], 12)}".replace("/", "_")
