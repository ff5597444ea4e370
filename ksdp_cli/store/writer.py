"""Creating and filling a store so that a crash at any moment leaves nothing torn in sight."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, DataError
from ..shapes import Frame
from . import layout
from .layout import Header
from .reader import Run, open_run

#: Settings that a resumed run may change: where it is made, and how far it goes.
FREE = {"device", "T", "snapshots"}


class Lock:
    """One writer a store: an advisory lock on a file beside it, which the system drops with the process."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(path.name + ".lock")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.handle = self.path.open("a+")
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.handle.seek(0)
            owner = self.handle.read().strip() or "another process"
            self.handle.close()
            raise DataError(f"{path} is being written by {owner}", "wait for it, or use another -o") from None
        self.handle.truncate(0)
        self.handle.write(f"process {os.getpid()}")
        self.handle.flush()

    def release(self) -> None:
        self.path.unlink(missing_ok=True)
        self.handle.close()


class Writer:
    """Fills a store frame by frame; use it as a context manager.

    ``committed`` frames are there already, ``times`` is the list of all, ``shard`` the particles in one file.
    """

    def __init__(self, path: Path, lock: Lock) -> None:
        import zarr

        self.path, self._lock = path, lock
        self._group = zarr.open_group(str(path), mode="r+", use_consolidated=False)
        attributes = self._group.attrs.asdict()
        self.times: tuple[float, ...] = tuple(attributes["times"])
        self.particles, self.dim = int(attributes["particles"]), int(attributes["dim"])
        self.cases = int(attributes["case_count"])
        self.shard = layout.shard_length(self.particles)
        marks = np.asarray(self._group["time"][:])
        self.committed = int(np.argmax(np.isnan(marks))) if np.isnan(marks).any() else len(marks)
        self._sums: dict[tuple[int, int], Any] = {}

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def write_block(self, k: int, case: int, start: int, positions: Frame) -> None:
        """Particles ``start`` onward of frame ``k``: (n, d), whole shards or up to the end, in order."""
        if start % self.shard or (len(positions) % self.shard and start + len(positions) != self.particles):
            raise ValueError(f"block {start}..{start + len(positions)} is not made of whole shards of {self.shard}")
        data = np.ascontiguousarray(positions, np.float32)
        sha = self._sums.setdefault((k, case), hashlib.sha256())
        sha.update(data)
        self._group["position"][case, k, start : start + len(data)] = data

    def write_frame(self, k: int, positions: Frame) -> None:
        """Frame ``k`` of every case: (case, J, d)."""
        for case, cloud in enumerate(positions):
            for start in range(0, self.particles, self.shard):
                self.write_block(k, case, start, cloud[start : start + self.shard])

    def commit(self, k: int) -> None:
        """Make frame ``k`` count: its bytes and digests reach the disk, then ``time[k]`` is written."""
        for case in range(self.cases):
            self._group["digest"][case, k] = layout.frame_digest(self._sums.pop((k, case)))
            for file in layout.shard_files(self.path, case, k, self.particles):
                _sync(file)
        for case in range(self.cases):
            _sync(self.path / "digest" / "c" / str(case) / str(k))
        self._group["time"][k] = self.times[k]
        _sync(self.path / "time" / "c" / str(k))
        self.committed = max(self.committed, k + 1)

    def annotate(self, **attrs: Any) -> None:
        """Record facts about the run in the attributes; call before `finish`."""
        _seal(self.path, json.loads(json.dumps(attrs, default=float)))

    def finish(self) -> None:
        """Mark the store complete and consolidate its metadata, which would hide later frames if done earlier."""
        import zarr

        _seal(self.path, {"complete": True})
        with warnings.catch_warnings():
            # xarray reads consolidated metadata of v3 stores; zarr says that other programs may not
            warnings.filterwarnings("ignore", message="Consolidated metadata", module="zarr")
            zarr.consolidate_metadata(str(self.path), zarr_format=3)
        _sync(self.path / "zarr.json")


def create(path: str | Path, header: Header, *, overwrite: bool = False, resume: bool = False) -> Writer:
    """A writer for ``path``, with the store created at full size.

    ``overwrite`` replaces a store that ksdp made and refuses anything else. ``resume`` goes on with a store of the
    same configuration; more snapshots after the stored ones are accepted: a new store is laid out beside the old one,
    the committed frames are linked into it, and it takes the old one's place, so that no array ever grows.

    Raises `DataError` when the path is taken, or another process writes it; `ConfigError` listing the differences
    when the stored run is another one.
    """
    path = Path(path)
    lock = Lock(path)
    try:
        if path.exists():
            stored = _ours(path, overwrite or resume)
            if resume and stored is not None and not overwrite:
                _same_physics(path, stored, header)
                if list(header.times) != stored.attrs["times"]:
                    _extend(path, stored, header)
                return Writer(path, lock)
            fresh = _build(path, header)
            _replace(path, fresh)
        else:
            os.rename(_build(path, header), path)
        return Writer(path, lock)
    except BaseException:
        lock.release()
        raise


def _ours(path: Path, wanted: bool) -> Run | None:
    """The store at ``path`` if ksdp made it. Raises `DataError` for anything else, or when it is not to be touched."""
    if not wanted:
        raise DataError(f"{path} exists", "use --overwrite, --resume, or another -o")
    try:
        return open_run(path)
    except DataError as error:
        if path.is_dir() and _marked(path):
            raise DataError(f"{error.message}", "remove it, or use another -o") from None
        raise DataError(f"{path} exists and was not made by ksdp", "use another -o") from None


def _marked(path: Path) -> bool:
    try:
        return layout.MARK in json.loads((path / "zarr.json").read_text())["attributes"]
    except (OSError, ValueError, KeyError):
        return False


def _build(path: Path, header: Header) -> Path:
    """A complete, empty store in a temporary folder beside ``path``: a crash here leaves nothing in the way."""
    import zarr
    from zarr.codecs import ZstdCodec

    root = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    zip_checked = [ZstdCodec(level=1, checksum=True)]
    group = zarr.create_group(str(root), zarr_format=3, overwrite=True, attributes=header.as_attributes())

    def array(name: str, dims: tuple[str, ...], data: Any, **attributes: str) -> None:
        values = np.asarray(data)
        text = values.dtype.kind in "UT"
        made = group.create_array(
            name,
            shape=values.shape,
            dtype=str if text else values.dtype,
            chunks=(1,) * values.ndim if name in ("time", "digest") else values.shape,
            compressors=zip_checked,
            fill_value=None if text or name == "digest" else float("nan"),
            dimension_names=dims,
            attributes=attributes,
        )
        if name not in ("time", "digest"):
            made[...] = values

    count, steps = header.case_count, len(header.times)
    shard, chunk = layout.shard_length(header.particles), layout.chunk_length(header.particles)
    group.create_array(
        "position",
        shape=(count, steps, header.particles, header.dim),
        dtype="float32",
        chunks=(1, 1, chunk, header.dim),
        shards=(1, 1, shard, header.dim),
        compressors=zip_checked,
        fill_value=float("nan"),
        dimension_names=("case", "time", "particle", "axis"),
        attributes={"long_name": "particle position", "units": "length"},
    )
    array("time", ("time",), np.zeros(steps), long_name="time", units="time")
    array("axis", ("axis",), np.array(layout.AXES[: header.dim]), long_name="space axis")
    array("digest", ("case", "time"), np.zeros((count, steps), np.uint64), long_name="head of the frame's SHA-256")
    for name, values in header.cases.items():
        array(name, ("case",), np.array(values), long_name=header.units.get(name, name), units=_unit(header, name))
    group["position"].attrs["coordinates"] = " ".join(["time", "axis", *header.cases])
    _seal(root, {"static_sha256": layout.static_digest(root)})
    for file in [path for path in root.rglob("*") if path.is_file()]:
        _sync(file)
    return root


def _unit(header: Header, name: str) -> str:
    """The text in brackets at the end of a parameter's description."""
    text = header.units.get(name, "")
    return text[text.rindex("[") + 1 : -1] if text.endswith("]") and "[" in text else "1"


def _same_physics(path: Path, stored: Run, header: Header) -> None:
    asked = json.loads(json.dumps(header.config))
    names = sorted((set(asked) | set(stored.config)) - FREE)
    changed = [f"{n}: {stored.config.get(n)} -> {asked.get(n)}" for n in names if stored.config.get(n) != asked.get(n)]
    if changed:
        raise ConfigError(f"{path} holds another run ({'; '.join(changed)})", "use another -o, or --overwrite")
    old = stored.attrs["times"]
    if list(header.times)[: len(old)] != old:
        raise ConfigError(
            f"{path} has snapshots {old} and {list(header.times)} do not go on from them",
            "ask for the stored snapshots and later ones",
        )


def _extend(path: Path, stored: Run, header: Header) -> None:
    fresh = _build(path, header)
    for k in range(len(stored.times)):
        for case in range(header.case_count):
            for old in layout.shard_files(path, case, k, header.particles):
                new = fresh / old.relative_to(path)
                new.parent.mkdir(parents=True, exist_ok=True)
                os.link(old, new)
            _copy(path, fresh, f"digest/c/{case}/{k}")
        _copy(path, fresh, f"time/c/{k}")
    _replace(path, fresh)


def _copy(old: Path, new: Path, name: str) -> None:
    (new / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(old / name, new / name)
    _sync(new / name)


def _replace(path: Path, fresh: Path) -> None:
    """Put a new store in the place of one that ksdp made; the old one goes only when the new one stands."""
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
    os.rename(path, aside / "store")
    os.rename(fresh, path)
    shutil.rmtree(aside)


def _seal(root: Path, changes: dict[str, Any]) -> None:
    """Change group attributes and their digest in one atomic rewrite of the root metadata."""
    file = root / "zarr.json"
    metadata = json.loads(file.read_text())
    attributes = metadata["attributes"] | changes
    attributes.pop("attributes_sha256", None)
    attributes["attributes_sha256"] = layout.digest_of(attributes)
    metadata["attributes"] = attributes
    metadata.pop("consolidated_metadata", None)
    temporary = file.with_name("zarr.json.tmp")
    temporary.write_text(json.dumps(metadata, indent=2))
    _sync(temporary)
    os.replace(temporary, file)
    _sync(file)


def _sync(file: Path) -> None:
    """Force a file and its folder's entry to the disk."""
    for target in (file, file.parent):
        handle = os.open(target, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
