"""Opening a store: whatever is damaged is an error with its place, never a wrong number."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from . import layout

#: Particle data hardly compresses; a file that claims to hold this many times its size is no particle data.
LARGEST_RATIO = 1000
SMALL = 1 << 26


class Run:
    """A stored simulation or a stored cloud of samples.

    ``times`` (k,) are the committed snapshots, ``cases`` one dict of swept parameters a case, ``J`` particles in
    ``dim`` dimensions, ``config`` the resolved configuration, ``attrs`` everything else in the attributes.
    """

    def __init__(self, path: Path, attributes: dict[str, Any]) -> None:
        self.path = path
        self.kind: str = attributes["kind"]
        self.config: dict[str, Any] = attributes["config"]
        self.attrs = attributes
        self.J, self.dim = int(attributes["particles"]), int(attributes["dim"])
        self.complete: bool = attributes["complete"]
        self.units: dict[str, str] = attributes["parameter_units"]
        count = int(attributes["case_count"])
        self.cases = [{name: float(v[i]) for name, v in attributes["cases"].items()} for i in range(count)]
        self.times = self._committed()

    def __repr__(self) -> str:
        return f"<Run {self.path}: {self.kind}, {len(self.cases)} cases, {len(self.times)} times, J = {self.J}>"

    def frame(self, case: int = 0, k: int = -1) -> NDArray[np.float32]:
        """Positions (J, d) of a case at committed snapshot ``k`` (the last by default), checked against their digest.

        Raises `DataError` naming file, case and time when bytes are missing or changed.
        """
        k = range(len(self.times))[k]
        declared = self.J * self.dim * 4
        files = layout.shard_files(self.path, case, k, self.J)
        present = sum(file.stat().st_size for file in files if file.exists())
        if declared > max(SMALL, LARGEST_RATIO * present):
            raise DataError(f"{self.path} declares {declared} bytes for a frame and holds {present}", "it is damaged")
        where = f"{self.path}, case {case}, time {self.times[k]:g}"
        try:
            data = np.ascontiguousarray(self._group["position"][case, k])
            expected = int(self._group["digest"][case, k])
        except Exception as error:  # zarr and its codecs raise many kinds
            raise DataError(f"{where}: unreadable ({type(error).__name__}: {error})", "the file is damaged") from None
        if layout.frame_digest(hashlib.sha256(data)) != expected:
            raise DataError(f"{where}: the bytes differ from what was written", "the file is damaged")
        return data

    def find(self, t: float | None = None, **parameters: float) -> tuple[int, int]:
        """Case and snapshot with these values; the only case and the last snapshot where nothing is asked.

        Raises `ConfigError` listing what there is.
        """
        near = [
            i
            for i, values in enumerate(self.cases)
            if all(name in values and np.isclose(values[name], v, rtol=1e-9, atol=0) for name, v in parameters.items())
        ]
        if len(near) != 1:
            listed = "; ".join(", ".join(f"{n} = {v:g}" for n, v in values.items()) for values in self.cases)
            asked = ", ".join(f"{name} = {value:g}" for name, value in parameters.items()) or "no parameter given"
            many = "more than one case" if near else "no case"
            raise ConfigError(f"{self.path} has {many} for {asked}", f"it has: {listed or 'one case, nothing varied'}")
        if t is None:
            return near[0], len(self.times) - 1
        hits = np.flatnonzero(np.isclose(self.times, t, rtol=1e-9, atol=1e-12))
        if not len(hits):
            listed = ", ".join(f"{value:g}" for value in self.times)
            raise ConfigError(f"{self.path} has no snapshot t = {t:g}", f"it has: {listed}")
        return near[0], int(hits[0])

    def dataset(self) -> Any:
        """The store as an `xarray.Dataset`, lazily loaded."""
        import xarray

        return xarray.open_zarr(self.path, consolidated=True if self.complete else False)

    @cached_property
    def _group(self) -> Any:
        import zarr

        return zarr.open_group(str(self.path), mode="r", use_consolidated=False)

    def _committed(self) -> NDArray[np.float64]:
        try:
            marks = np.asarray(self._group["time"][:])
        except Exception as error:
            raise DataError(f"{self.path}: time is unreadable ({error})", "the file is damaged") from None
        declared = np.array(self.attrs["times"])
        there = ~np.isnan(marks)
        count = int(there.sum())
        if not there[:count].all() or not np.array_equal(marks[:count], declared[:count]):
            raise DataError(f"{self.path}: time {marks.tolist()} is not {declared.tolist()}", "the file is damaged")
        if self.complete and count < len(declared):
            raise DataError(f"{self.path} is complete but lacks snapshot {declared[count]:g}", "files are missing")
        return declared[:count]


def open_run(path: str | Path) -> Run:
    """Open a store that ksdp wrote, complete or not.

    Raises `DataError` when it is missing, no ksdp store, of a later format, or damaged.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"there is no store {path}", "check the path")
    file = path / "zarr.json"
    try:
        metadata = json.loads(file.read_bytes())
        attributes = metadata["attributes"]
        version = attributes[layout.MARK]
        sealed = dict(attributes)
        stated = sealed.pop("attributes_sha256")
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{path} is no store that ksdp wrote, or its metadata is damaged", "check the path") from None
    if layout.digest_of(sealed) != stated:
        raise DataError(f"{file}: the attributes differ from what was written", "the file is damaged")
    if version != layout.FORMAT:
        raise DataError(f"{path} has format {version} and this ksdp reads {layout.FORMAT}", "update ksdp")
    if layout.static_digest(path) != attributes["static_sha256"]:
        raise DataError(f"{path}: metadata or coordinates differ from what was written", "the store is damaged")
    _check_root(file, metadata)
    return Run(path, attributes)


def _check_root(file: Path, metadata: dict[str, Any]) -> None:
    """The parts of the root metadata that no digest covers: fixed words, and a copy of what the arrays say."""
    copies = (metadata.get("consolidated_metadata") or {}).get("metadata", {})
    damaged = metadata.get("zarr_format") != 3 or metadata.get("node_type") != "group"
    damaged |= metadata["attributes"]["complete"] and not copies
    damaged |= bool(set(metadata) - {"zarr_format", "node_type", "attributes", "consolidated_metadata"})
    for name, copy in copies.items():
        own = file.parent / name / "zarr.json"
        damaged |= not own.exists() or json.loads(own.read_text()) != copy
    if damaged:
        raise DataError(f"{file} differs from what was written", "the file is damaged")
