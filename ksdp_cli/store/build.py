"""Lay out an empty store, and change the attributes of an existing one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from ..base import disk
from . import layout
from .layout import Header

LABELS = {
    "position": {"long_name": "particle position", "units": "length"},
    "digest": {"long_name": "head of the SHA-256 of each file's positions"},
    "time": {"long_name": "time", "units": "time"},
    "axis": {"long_name": "space axis"},
    "origin": {"long_name": "point that positions count from", "units": "length"},
    "x": {"long_name": "x", "units": "length", "axis": "X"},
    "y": {"long_name": "y", "units": "length", "axis": "Y"},
    "z": {"long_name": "z", "units": "length", "axis": "Z"},
}


def build(root: Path, header: Header) -> None:
    """Lay out an empty store in the empty folder ``root`` and sync it to the disk."""
    import zarr
    from zarr.codecs import ZstdCodec

    from .durable import DurableStore

    group = zarr.create_group(DurableStore(root), zarr_format=3, attributes=header.as_attributes())
    fixed = {name: np.array(values, layout.kind_of(name, values)) for name, values in header.cases.items()}
    fixed["axis"] = np.array(layout.axes_of(header.dim))
    if header.moving:
        fixed["origin"] = np.array(header.origins)
    if header.grid:
        fixed |= dict(zip(layout.AXES, header.grid.axes(), strict=False))
    for name, array in layout.arrays(header).items():
        labels: dict[str, Any] = dict(
            LABELS.get(name) or _of_field(name, header) or _parameter(header.units.get(name, name))
        )
        if name in ("c", "grad_c"):
            labels["coordinates"] = " ".join(["time", *header.cases])
        if name == "position":
            labels |= {"comment": "from the origin, which is to be added"} if header.moving else {}
            # so xarray reads these as coordinates, not as variables
            labels["coordinates"] = " ".join(["time", "axis", *header.cases])
        array_on_disk = group.create_array(
            name,
            shape=array.shape,
            dtype=str if array.dtype == "string" else array.dtype,
            chunks=array.chunks,
            shards=array.files if name == "position" else None,
            compressors=[ZstdCodec(level=1, checksum=True)],
            fill_value=float("nan") if array.dtype.startswith("float") else None,
            chunk_key_encoding={"name": "default", "separator": layout.separator(header.format)},
            dimension_names=array.dims,
            attributes=labels,
        )
        if name in fixed:
            array_on_disk[...] = fixed[name]
            disk.sync_up(layout.fixed_file(root, name, header), root / name)
        disk.sync_folder(root / name)
    seal(root, {layout.STATIC_DIGEST: layout.static_digest(root, header)})


def seal(root: Path, changes: dict[str, object]) -> None:
    """Change group attributes and their digest in one atomic rewrite of the root metadata.

    If ``complete`` is set, add the consolidated metadata in the same rewrite. Earlier, they would hide frames from
    readers; separately, a crash between the two writes would leave an inconsistent store.
    """
    file = root / "zarr.json"
    metadata = json.loads(file.read_bytes())
    metadata["attributes"] |= changes
    if metadata["attributes"]["complete"]:
        names = layout.arrays(Header.from_attributes(metadata["attributes"]))
        copies = {name: json.loads((root / name / "zarr.json").read_bytes()) for name in names}
        metadata["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": copies}
    metadata["attributes"][layout.ROOT_DIGEST] = layout.root_digest(metadata)
    # indented for who reads it in the end: that takes five times as long
    indent = 2 if metadata["attributes"]["complete"] else None
    disk.put(file, json.dumps(metadata, indent=indent).encode())
    disk.sync_folder(root)


def _of_field(name: str, header: Header) -> dict[str, str]:
    """Return the labels of c, whose unit is mass / length in 3D and mass in 2D, and of its gradient."""
    if name not in ("c", "grad_c") or not header.grid:
        return {}
    if name == "grad_c":
        return {
            "long_name": "gradient of the chemical",
            "units": "mass / length^2" if header.dim == 3 else "mass / length",
        }
    return {"long_name": "concentration of the chemical", "units": "mass / length" if header.dim == 3 else "mass"}


def _parameter(text: str) -> dict[str, str]:
    """Split ``diffusivity [length^2 / time]`` into a long name and a unit; without brackets there is no unit."""
    parts = re.fullmatch(r"(.*?)\s*\[([^\[\]]+)\]", text)
    return {"long_name": parts[1], "units": parts[2]} if parts else {"long_name": text}
