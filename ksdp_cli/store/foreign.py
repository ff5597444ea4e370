"""What a Zarr group that ksdp did not write has, and what it lacks to be read as a store."""

from __future__ import annotations

from pathlib import Path

from ..base.files import read_json


def foreign(path: Path) -> str:
    """Advice for a folder that is no store of ours: what it holds, and which way in there is for it."""
    try:
        kind = read_json(path / "zarr.json").get("node_type")
    except (OSError, ValueError, AttributeError):
        old = next((name for name in (".zgroup", ".zattrs", ".zmetadata") if (path / name).exists()), None)
        return "it is in Zarr format 2, and ksdp reads format 3" if old else "check the path"
    arrays = sorted(file.parent.name for file in path.glob("*/zarr.json"))
    if kind == "array":
        return "it is one Zarr array, and a store is a group with an array 'position'"
    has = ", ".join(arrays[:8]) or "no array"
    lacks = "" if "position" in arrays else ", and no 'position' (case, time, particle, axis)"
    return (
        f"it is a Zarr group with {has}{lacks}, without the attributes that say how it was made (ksdp_format, kind, "
        "config, ...); hand its points over as arrays, with numpy.save"
    )
