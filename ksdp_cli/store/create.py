"""Create a store: a new one, a replacement, or one that a run resumes."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import time
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

from ..base import disk
from ..base.files import read_json
from ..base.outputs import Lock
from ..config import SimulateConfig
from ..errors import Busy, ConfigError, DataError, Taken
from . import layout
from .build import build
from .layout import Header
from .opening import open_run
from .owner import Owner
from .reader import Run
from .siblings import backup, replacement

#: Settings that a resumed run may change: its device, and how far it goes.
FREE = {"device", "T", "snapshots"}
#: Suffixes that a store may not have, since they are those of files.
OF_FILES = {".csv", ".npy", ".npz", ".nc", ".parquet", ".vtkhdf", ".txt", ".h5", ".safetensors", ".png", ".html"}
#: Attributes that, like the configuration, identify a run.
MARKS = ("origin", "contents", "chemical", "meaning", "halved_steps")


#: Builds the header of a run that resumes a stored one.
ResumeHeader = Callable[[Run], Header]


def create(
    path: str | Path,
    header: Header,
    *,
    overwrite: bool = False,
    resume: bool = False,
    header_on_resume: ResumeHeader | None = None,
) -> Owner:
    """Create the store at ``path`` at full size, or open it to resume; return its owner.

    ``overwrite`` replaces a store that ksdp wrote, damaged or not, and refuses anything else. ``resume`` continues a
    store of the same configuration, or starts one. It upgrades format 1 to format 2. It accepts snapshots after the
    stored ones, but arrays do not grow: a new store is laid out beside the old one, the files of committed frames are
    linked into it (copied if the file system has no links), and two renames replace the old store. The next call undoes
    a crash between the renames. On resume, ``header_on_resume(stored)`` builds the header, since the snapshots left to
    write depend on those stored.

    Raises `DataError` if the path is taken, damaged, or written by another process; `ConfigError` with the differences
    if another run is stored there; `ResourceError` if the disk is full.
    """
    if overwrite and resume:
        raise ConfigError("--overwrite and --resume exclude each other", "drop one of them")
    header.check()
    if Path(path).suffix.lower() in OF_FILES and not is_store(Path(path)):
        hint = f"use -o {Path(path).with_suffix('.zarr')}; 'ksdp export' writes other formats"
        raise ConfigError(f"the output {path} is a store, which is a folder", hint)
    root = Path(os.path.realpath(path))  # for a symbolic link: lock and siblings lie beside the store itself
    with disk.store_errors(root):
        lock = Lock(root)
        try:
            return _open_locked(Path(path), root, header, overwrite, resume, header_on_resume, lock)
        except BaseException:
            lock.release()
            raise


def change_times(owner: Owner, header: Header) -> Owner:
    """Lay out the store of ``owner`` again: its committed frames, then the later snapshots of ``header``."""
    if header.times[: owner.committed] != owner.times[: owner.committed]:
        raise ValueError(f"{header.times} do not begin with what is committed")
    with disk.store_errors(owner.path):
        _place(owner.path, header, open_run(owner.path))
        return owner.take_over(header)


def _open_locked(
    path: Path,
    root: Path,
    header: Header,
    overwrite: bool,
    resume: bool,
    header_on_resume: ResumeHeader | None,
    lock: Lock,
) -> Owner:
    _recover(root, header)
    if not root.exists():
        _place(root, header, None)
        return Owner(root, header, 0, False, lock)
    if not overwrite and not resume:
        again = "--overwrite, --resume," if header.kind == "simulation" else "--overwrite"
        raise Taken(f"{path} exists", f"use {again} or another -o")
    if not is_store(root):
        raise DataError(f"{path} exists, and is not a ksdp store or has damaged metadata", "use another -o")
    if overwrite:
        _require_idle(path, root)
        _place(root, header, None)
        return Owner(root, header, 0, False, lock)
    run = open_run(root)
    header = header_on_resume(run) if header_on_resume else header
    _same_run(path, run, header)
    count, complete = len(run.times), run.complete
    if header.times != run.header.times or (run.header.format != header.format and not complete):
        _place(root, header, run)
        complete = False
    for leftover in disk.leftovers(root):
        leftover.unlink(missing_ok=True)
    return Owner(root, header, count, complete, lock)


def _require_idle(path: Path, root: Path) -> None:
    """Raise `Busy` while a process writes a case of the store: its frames would go into the new store."""
    for file in root.parent.glob(f".{glob.escape(root.name)}.case-*.ksdp-lock"):
        name = file.name.removeprefix(".").removesuffix(".ksdp-lock")
        writer = Lock.holder(root.with_name(name))
        if writer is not None:
            raise Busy(
                f"case {name.rpartition('-')[2]} of {path} is being written by {writer}",
                f"stop it, or use another -o; if it has ended, remove {file}",
            )


def is_store(root: Path) -> bool:
    """Whether the folder ``root`` is a ksdp store."""
    try:
        return layout.MARK in read_json(root / "zarr.json")["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _place(root: Path, header: Header, run: Run | None) -> None:
    """Lay out a store beside ``root``, link the frames of ``run`` into it, and rename it to ``root``."""
    new, old = replacement(root), backup(root)
    new.mkdir()
    try:
        _lay_out(new, header, root, run)
    except BaseException:
        _discard(new)
        raise
    if root.exists():
        os.rename(root, old)
    os.rename(new, root)
    disk.sync_folder(root.parent)
    if old.exists():
        _remove(old, header)


def _discard(new: Path) -> None:
    """Remove a folder that no reader has seen yet. After Ctrl-C zarr's thread may still write the file it was at."""
    for _ in range(20):
        with contextlib.suppress(OSError):
            _empty(new)
        time.sleep(0.02)
        if not new.exists():
            return


def _lay_out(new: Path, header: Header, root: Path, run: Run | None) -> None:
    """Build a store in the empty folder ``new``, with links to the committed frames of ``run`` at ``root``."""
    build(new, header)
    if not run:
        disk.sync_folder(new)
        return
    form, shards = run.header.format, range(layout.shard_count(header.particles))
    for case in range(header.case_count):
        for k in range(_frames_to_link(run, case, header)):
            for n in shards:
                _link_chunk(root, new, "position", (case, k, n, 0), form)
            ours = layout.field_files(new, header, case, k)
            for name, file in layout.field_files(root, header, case, k).items():
                disk.link(file, ours[name])
            if form == header.format:
                _link_chunk(root, new, "digest", (case, k, 0), form)
    if form != header.format:
        _copy_digests(new, run)
    for k in range(len(run.times)):
        _link_chunk(root, new, "time", (k,), form)
    for name in layout.FRAMED:
        for folder, _, _ in os.walk(new / name, topdown=False):
            disk.sync_folder(Path(folder))
    disk.sync_folder(new)


def _frames_to_link(run: Run, case: int, header: Header) -> int:
    """Return the number of frames of a case to link: those of all cases, or its own at equal times if more."""
    same = 0
    for old, new in zip(run.header.times, header.times, strict=False):
        if old != new:
            break
        same += 1
    return max(len(run.times), min(same, layout.frames_of(run.path, run.header, case)))


def _link_chunk(root: Path, new: Path, name: str, index: tuple[int, ...], form: int) -> None:
    disk.link(layout.chunk_file(root, name, *index, form=form), layout.chunk_file(new, name, *index))


def _copy_digests(new: Path, run: Run) -> None:
    """Copy the digests of a store of format 1 to one file for each case and frame."""
    from .durable import open_group

    old, own = open_group(run.path)["digest"], open_group(new, write=True)["digest"]
    for k in range(len(run.times)):
        for case in range(len(run.cases)):
            own[case, k] = old[case, k]


def _recover(root: Path, header: Header) -> None:
    """Clean up after a writer that was killed while it replaced a store."""
    new, old = replacement(root), backup(root)
    if old.exists() and not root.exists():
        os.rename(old, root)
    elif old.exists():
        _remove(old, header)
    if new.exists():
        _remove(new, header)


def _remove(folder: Path, header: Header) -> None:
    """Remove a ksdp store, or a part of one. Raise `DataError` for any other folder."""
    if not is_store(folder) and not _is_part_of_a_store(folder, header):
        raise DataError(f"{folder} is needed, but ksdp did not write it", "move it elsewhere")
    _empty(folder)


def _empty(folder: Path) -> None:
    """Remove ``folder`` with its mark last, so that after a crash the rest is still known as a ksdp store."""
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        elif child.name != "zarr.json":
            child.unlink()
    (folder / "zarr.json").unlink(missing_ok=True)
    folder.rmdir()


def _is_part_of_a_store(folder: Path, header: Header) -> bool:
    """Whether ``folder`` holds nothing but parts of such a store: what a killed writer leaves without root.

    These are arrays, and temporary files of metadata that had no name yet: of the root, or alone in the folder of an
    array.
    """
    if (folder / "zarr.json").exists():
        return False
    known, names = layout.arrays(header), [name for _, _, files in os.walk(folder) for name in files]
    return all(_is_part(child, known) for child in folder.iterdir()) and all(
        name in ("zarr.json", "c") or name.isdigit() or name.endswith(disk.PARTIAL) for name in names
    )


def _is_part(child: Path, arrays: Container[str]) -> bool:
    if child.is_dir() and child.name in arrays:
        return (child / "zarr.json").is_file() or all(_is_temporary(file) for file in child.iterdir())
    return _is_temporary(child)


def _is_temporary(file: Path) -> bool:
    return file.is_file() and file.name.startswith(".zarr.json.") and file.name.endswith(disk.PARTIAL)


def _same_run(path: Path, run: Run, header: Header) -> None:
    """Raise `ConfigError` with every difference between the stored run and ``header``."""
    attributes = header.as_attributes()
    own = ("kind", "particles", "dim", "cases", "case_count", "grid", *MARKS)
    old, new = (_flat({n: attrs[n] for n in own if n in attrs}) for attrs in (run.attrs, attributes))
    old |= {name: value for name, value in _flat(run.config).items() if name not in FREE}
    config = attributes["config"]
    assert isinstance(config, dict)
    new |= {name: value for name, value in _flat(config).items() if name not in FREE}
    changes = [f"{n}: {_value(old, n)} -> {_value(new, n)}" for n in sorted({*old, *new}) if old.get(n) != new.get(n)]
    if changes:
        raise ConfigError(f"{path} holds another run ({'; '.join(changes)})", "use another -o, or --overwrite")
    before = run.header.times
    if header.times[: len(before)] != before:
        raise ConfigError(
            f"{path} has snapshots {_join_times(before)}, and {_join_times(header.times)} do not begin with them",
            "give the stored snapshots, then later ones, with --snapshots",
        )


def _join_times(times: tuple[float, ...]) -> str:
    return ", ".join(f"{t:g}" for t in times)


def _value(values: dict[str, object], name: str) -> str:
    """The value of an entry for a message; one that is not stored has the default of its option."""
    field = SimulateConfig.model_fields.get(name)
    default = field.default if field and not field.is_required() and not field.default_factory else "none"
    return str(values.get(name, default))


def _flat(values: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Flatten nested dicts, with dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        inner = _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        flat |= inner
    return flat
