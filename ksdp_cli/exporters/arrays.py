"""Exports that keep the arrays of a store, ``position(case, time, particle, axis)`` and c: .npz and NetCDF 4."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..base.libraries import library
from ..store import Run, layout
from ..store.netcdf import write_dataset
from ..store.selection import Selection
from .hdf5 import sink

#: The member of an .npz that holds the metadata as JSON; no parameter can have this name.
METADATA = "ksdp-metadata"
#: The version of the conventions that a NetCDF file follows, and says so.
CF = "CF-1.8"


def write_npz(selection: Selection, path: Path, metadata: dict[str, object], progress: Callable[[int], None]) -> None:
    """``numpy.load`` gives ``position``, ``time``, ``axis``, one array (case,) a parameter, and the metadata as text;
    ``c`` too, with its axes ``x``, ``y`` (, ``z``), where the store has a grid.

    Nothing in it needs pickle. The positions are written through an open member of the zip, block by block.
    """
    run = selection.run
    grid = dict(zip(layout.AXES, run.grid.axes(), strict=False)) if run.grid else {}
    small: dict[str, Any] = grid | {
        "time": np.array(selection.times),
        "axis": np.array(layout.axes_of(run.dim)),
        METADATA: np.array(json.dumps(metadata)),
        **{name: np.array(values) for name, values in selection.parameters.items()},
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, values in small.items():
            with archive.open(_member(name), "w") as file:
                np.lib.format.write_array(file, values, allow_pickle=False)
        with archive.open(_member("position"), "w", force_zip64=True) as file:
            header = {"descr": selection.kind, "fortran_order": False, "shape": shape_of(selection)}
            np.lib.format.write_array_header_1_0(file, header)
            done = 0
            for _, _, _, block in selection.blocks():
                file.write(np.ascontiguousarray(block, selection.kind).data)
                done += len(block)
                progress(done)
        for name, (extra, read) in fields_of(run).items():
            assert run.grid is not None  # by `fields_of`
            with archive.open(_member(name), "w", force_zip64=True) as file:
                shape = (len(selection.cases), len(selection.snapshots), *extra, *run.grid.shape)
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                for case, k in selection.frames():
                    file.write(np.ascontiguousarray(read(case, k), "<f4").data)


def fields_of(run: Run) -> dict[str, tuple[tuple[int, ...], Callable[[int, int], NDArray[np.float32]]]]:
    """The fields of a store by the name of their array: axes before those of the grid, and what reads a frame."""
    if run.grid is None:
        return {}
    return {"c": ((), run.field)} | ({"grad_c": ((run.dim,), run.gradient)} if run.grid.gradient else {})


def _member(name: str) -> zipfile.ZipInfo:
    """A zip entry with a fixed date, so that equal positions give equal bytes."""
    return zipfile.ZipInfo(f"{name}.npy")


def ours_npz(path: Path) -> bool:
    with np.load(path, allow_pickle=False) as file:
        return METADATA in file and layout.MARK in json.loads(str(file[METADATA]))


def write_netcdf(
    selection: Selection, path: Path, metadata: dict[str, object], progress: Callable[[int], None]
) -> None:
    """``xarray.open_dataset`` gives what `Run.dataset` gives: names, coordinates, and the metadata as JSON.

    The file follows the CF conventions: quantities have the unit 1, for equation (8) has no other, and what they
    measure stands in their long names; swept parameters are auxiliary coordinates of the positions. xarray writes the
    coordinates. It would load the positions whole, so they are appended block by block, and c frame by frame.
    """
    h5netcdf, run = library("h5netcdf", "NetCDF"), selection.run
    whole = run.dataset().isel(case=list(selection.cases), time=list(selection.snapshots))
    small = whole.drop_vars(["position", *fields_of(run)]).load()
    small.attrs = {"Conventions": CF, "title": f"ksdp {run.kind}"}
    small.attrs |= {name: _plain(value) for name, value in metadata.items()}
    for variable in small.variables.values():
        variable.attrs = _with_units(variable.attrs)
        variable.encoding = {"_FillValue": None}  # a coordinate lacks no value
    with sink(path, progress) as (target, progress), h5netcdf.File(target, "w") as file:
        write_dataset(small, file)
        file.attrs.pop("coordinates", None)  # of the file, where they belong to the positions
        for name, length in zip(("case", "time", "particle", "axis"), shape_of(selection), strict=True):
            if name not in file.dimensions:
                file.dimensions[name] = length

        def variable_of(name: str, kind: DTypeLike, chunk: tuple[int, ...] | None) -> Any:
            variable = file.create_variable(name, whole[name].dims, kind, chunks=chunk)
            labels = {one: value for one, value in whole[name].attrs.items() if one != "coordinates"}
            labels = _with_units(labels)
            labels |= {"coordinates": " ".join(selection.parameters)} if selection.parameters else {}
            for one, value in labels.items():
                variable.attrs[one] = value
            return variable

        for name, (_, read) in fields_of(run).items():
            values = variable_of(name, np.float32, None)
            for i, case in enumerate(selection.cases):
                for j, k in enumerate(selection.snapshots):
                    values[i, j] = read(case, k)
        position, done = variable_of("position", selection.kind[1:], (1, 1, min(run.J, layout.CHUNK), run.dim)), 0
        for i, j, start, block in selection.blocks():
            position[i, j, start : start + len(block)] = block
            done += len(block)
            progress(done)


def _with_units(labels: dict[str, object]) -> dict[str, object]:
    """Labels of a variable with a UDUNITS unit, and our unit in the long name; text has no unit."""
    unit = labels.get("units")
    if unit is None:
        return labels | ({"units": "1"} if labels.get("long_name") != "space axis" else {})
    return labels | {"long_name": f"{labels.get('long_name', '')} [{unit}]".strip(), "units": "1"}


def ours_netcdf(path: Path) -> bool:
    with library("h5netcdf", "NetCDF").File(path, "r") as file:
        return layout.MARK in file.attrs


def shape_of(selection: Selection) -> tuple[int, int, int, int]:
    return len(selection.cases), len(selection.snapshots), selection.run.J, selection.run.dim


def _plain(value: object) -> str | int | float:
    """Convert a value to a NetCDF attribute: text and numbers unchanged, the rest as JSON."""
    return value if isinstance(value, (str, int, float)) and not isinstance(value, bool) else json.dumps(value)
