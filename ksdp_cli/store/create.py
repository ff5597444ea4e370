"""Taking a place on the disk for a store: a new one, one in the place of another, or one that goes on."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..base import disk
from ..base.files import JsonDict, read_json
from ..base.outputs import Lock
from ..errors import Busy, ConfigError, DataError, Taken
from . import layout
from .build import build
from .layout import Header
from .owner import Owner
from .reader import Run, open_run
from .siblings import aside, fresh

#: Settings that a resumed run may change: where it is made, and how far it goes.
FREE = {"device", "T", "snapshots"}
#: Attributes beside the configuration that tell one run from another.
MARKS = ("origin", "contents", "chemical")


#: The header of a run that goes on from a stored one.
Continued = Callable[[Run], Header]


def create(
    path: str | Path,
    header: Header,
    *,
    overwrite: bool = False,
    resume: bool = False,
    continued: Continued | None = None,
) -> Owner:
    """The owner of the store at ``path``, which is created at full size.

    ``overwrite`` replaces a store that ksdp made, damaged or not, and refuses anything else. ``resume`` goes on with a
    store of the same configuration, or starts one; a store that is complete leaves nothing to do. A store of format 1
    goes on as one of format 2. More snapshots after the stored ones are accepted, and no array grows for them: a new
    store is laid out beside the old one, the files of the committed frames are linked into it (copied where the file
    system has no links), and it takes the old one's place by two renames. A crash between the two is undone by the next
    call of any kind. What a stored run is to hold may depend on what it holds: ``continued``, when it is given, makes
    the header then.

    Raises `DataError` when the path is taken, damaged, or written by another process; `ConfigError` listing the
    differences when the stored run is another one; `ResourceError` when the disk is full.
    """
    if overwrite and resume:
        raise ConfigError("--overwrite and --resume exclude one another", "drop one of them")
    header.check()
    root = Path(os.path.realpath(path))  # through a link the lock and the siblings lie beside the store itself
    with disk.store_errors(root):
        lock = Lock(root)
        try:
            return _locked(Path(path), root, header, overwrite, resume, continued, lock)
        except BaseException:
            lock.release()
            raise


def change_times(owner: Owner, header: Header) -> Owner:
    """The store of ``owner`` with its committed frames and, after them, the snapshots of ``header`` to be written."""
    if header.times[: owner.committed] != owner.times[: owner.committed]:
        raise ValueError(f"{header.times} do not begin with what is committed")
    with disk.store_errors(owner.path):
        _place(owner.path, header, open_run(owner.path))
        return owner.take_over(header)


def _locked(
    path: Path, root: Path, header: Header, overwrite: bool, resume: bool, continued: Continued | None, lock: Lock
) -> Owner:
    _recover(root)
    if not root.exists():
        _place(root, header, None)
        return Owner(root, header, 0, False, lock)
    if not overwrite and not resume:
        raise Taken(f"{path} exists", "use --overwrite, --resume, or another -o")
    if not marked(root):
        raise DataError(f"{path} exists and is no store that ksdp made, or its metadata is damaged", "use another -o")
    if overwrite:
        _require_idle(path, root)
        _place(root, header, None)
        return Owner(root, header, 0, False, lock)
    stored = open_run(root)
    header = continued(stored) if continued else header
    _same_run(path, stored, header)
    committed, complete = len(stored.times), stored.complete
    if header.times != stored.header.times or (stored.header.format != header.format and not complete):
        _place(root, header, stored)
        complete = False
    for leftover in disk.leftovers(root):
        leftover.unlink(missing_ok=True)
    return Owner(root, header, committed, complete, lock)


def _require_idle(path: Path, root: Path) -> None:
    """Raise `Busy` while a process writes a case of the store: its frames would go into the one that comes."""
    for file in root.parent.glob(f".{glob.escape(root.name)}.case-*.ksdp-lock"):
        name = file.name.removeprefix(".").removesuffix(".ksdp-lock")
        writer = Lock.holder(root.with_name(name))
        if writer is not None:
            raise Busy(
                f"case {name.rpartition('-')[2]} of {path} is being written by {writer}",
                f"end it, or use another -o; if it is gone, remove {file}",
            )


def marked(root: Path) -> bool:
    """Whether ksdp made the folder ``root``."""
    try:
        return layout.MARK in read_json(root / "zarr.json")["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _place(root: Path, header: Header, stored: Run | None) -> None:
    """Lay out a store beside ``root``, link the frames of ``stored`` into it, and put it in the place of ``root``."""
    new, old = fresh(root), aside(root)
    new.mkdir()
    try:
        _lay_out(new, header, root, stored)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)  # nobody has seen it yet
        raise
    if root.exists():
        os.rename(root, old)
    os.rename(new, root)
    disk.sync_folder(root.parent)
    if old.exists():
        _remove(old)


def _lay_out(new: Path, header: Header, root: Path, stored: Run | None) -> None:
    """An empty store in the empty folder ``new``, with the committed frames of ``stored`` at ``root``."""
    build(new, header)
    if not stored:
        disk.sync_folder(new)
        return
    form, shards = stored.header.format, range(layout.shard_count(header.particles))
    for case in range(header.case_count):
        for k in range(_kept(stored, case, header)):
            for n in shards:
                _carry(root, new, "position", (case, k, n, 0), form)
            if header.grid:
                disk.link(layout.field_file(root, header, case, k), layout.field_file(new, header, case, k))
            if form == header.format:
                _carry(root, new, "digest", (case, k, 0), form)
    if form != header.format:
        _carry_digests(new, stored)
    for k in range(len(stored.times)):
        _carry(root, new, "time", (k,), form)
    for name in layout.FRAMED:
        for folder, _, _ in os.walk(new / name, topdown=False):
            disk.sync_folder(Path(folder))
    disk.sync_folder(new)


def _kept(stored: Run, case: int, header: Header) -> int:
    """Frames of a case that the new store goes on from: those of all cases, and of its own those of the same times."""
    same = 0
    for old, new in zip(stored.header.times, header.times, strict=False):
        if old != new:
            break
        same += 1
    return max(len(stored.times), min(same, layout.frames_of(stored.path, stored.header, case)))


def _carry(root: Path, new: Path, name: str, index: tuple[int, ...], form: int) -> None:
    disk.link(layout.chunk_file(root, name, *index, form=form), layout.chunk_file(new, name, *index))


def _carry_digests(new: Path, stored: Run) -> None:
    """The digests of a store of format 1, a file for each case."""
    from .durable import open_group

    old, own = open_group(stored.path)["digest"], open_group(new, write=True)["digest"]
    for k in range(len(stored.times)):
        for case in range(len(stored.cases)):
            own[case, k] = old[case, k]


def _recover(root: Path) -> None:
    """Clear up after a writer that was killed while it put a store in its place."""
    new, old = fresh(root), aside(root)
    if old.exists() and not root.exists():
        os.rename(old, root)
    elif old.exists():
        _remove(old)
    if new.exists():
        _remove(new)


def _remove(folder: Path) -> None:
    """Remove a store of ours, its mark last, so that what a crash leaves of it is known to be ours.

    Raises `DataError` for any other folder.
    """
    ours = marked(folder) or all(name.endswith(disk.PARTIAL) for name in os.listdir(folder))
    if not ours:
        raise DataError(f"{folder} is in the way and was not made by ksdp", "move it elsewhere")
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        elif child.name != "zarr.json":
            child.unlink()
    (folder / "zarr.json").unlink(missing_ok=True)
    folder.rmdir()


def _same_run(path: Path, stored: Run, header: Header) -> None:
    """Raise `ConfigError` with every difference between the stored run and the one asked for."""
    asked = header.as_attributes()
    own = ("kind", "particles", "dim", "cases", "case_count", "grid", *MARKS)
    old, new = (_flat({n: attrs[n] for n in own if n in attrs}) for attrs in (stored.attrs, asked))
    old |= {name: value for name, value in _flat(stored.config).items() if name not in FREE}
    new |= {name: value for name, value in _flat(asked["config"]).items() if name not in FREE}
    changed = [f"{n}: {_shown(old, n)} -> {_shown(new, n)}" for n in sorted({*old, *new}) if old.get(n) != new.get(n)]
    if changed:
        raise ConfigError(f"{path} holds another run ({'; '.join(changed)})", "use another -o, or --overwrite")
    before = stored.header.times
    if header.times[: len(before)] != before:
        raise ConfigError(
            f"{path} has snapshots {_listed(before)}, and {_listed(header.times)} do not go on from them",
            "ask for the stored snapshots and later ones, as --snapshots",
        )


def _listed(times: tuple[float, ...]) -> str:
    return ", ".join(f"{t:g}" for t in times)


def _shown(values: dict[str, object], name: str) -> str:
    return str(values[name]) if name in values else "none"


def _flat(values: dict[str, object], prefix: str = "") -> JsonDict:
    """Nested dicts as one, with dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        nested = _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        flat |= nested
    return flat
