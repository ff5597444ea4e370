"""Default outputs: new names in the folder ``runs`` of the working directory."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .. import pretrained as models
from ..base.files import local, target
from ..base.outputs import LONGEST, RESERVED
from ..errors import DataError, Taken

RUNS = Path("runs")
Claim = TypeVar("Claim")


def first_free(stem: str, suffix: str, begin: Callable[[Path], Claim]) -> tuple[Path, Claim]:
    """Return ``runs/STEM-001SUFFIX`` with the first free number, and the result of ``begin`` for it.

    ``begin`` claims the name; if it raises `Taken`, since another process was faster, try the next number.
    """
    stem = stem.encode(errors="ignore")[: LONGEST - RESERVED - len(suffix) - 8].decode(errors="ignore")
    for number in itertools.count(1):
        path = RUNS / f"{stem}-{number:03d}{suffix}"
        if not os.path.lexists(path):
            try:
                return path, begin(path)
            except Taken:
                continue
    raise AssertionError  # count() has no end


def begin_output(out: str | Path | None, stem: str, suffix: str, begin: Callable[[Path], Claim]) -> tuple[Path, Claim]:
    """Call ``begin`` for the output ``out``, or for the first free name; return the path and the result."""
    if out is None:
        return first_free(stem, suffix, begin)
    path = target(out)
    return path, begin(path)


def newest_model() -> Path | None:
    """Return the newest model in the run folder and below, or None."""
    newest: list[Path] = []
    for folder, below, files in os.walk(RUNS):
        below[:] = [name for name in below if not name.endswith(".zarr")]  # stores have many files and no models
        names = [name for name in files if name.endswith(".safetensors") and not name.endswith(".last.safetensors")]
        newest += [Path(folder) / name for name in names]
    return max(newest, key=lambda path: path.stat().st_mtime_ns, default=None)


def existing(name: str | os.PathLike[str]) -> Path:
    """Return an existing file or store by its path, or a model that ships by its name; an existing path has priority.

    Raises `DataError` if it is neither.
    """
    path = local(name)
    if path.exists():
        return path
    if os.fspath(name) in models.names():
        return models.path(os.fspath(name))
    whole, _, part = os.fspath(path).rpartition("@")
    if "=" in part and whole and Path(whole).exists():
        raise DataError(f"{path} is a part of {whole}, and this takes the whole", f"give {whole}")
    advice = "" if path.suffix else f"; models that ship: {', '.join(models.names())}"  # none has a suffix
    raise DataError(f"there is no file {path}", f"check the path{advice}")


def slug(text: str) -> str:
    """Convert text to a part of a file name."""
    return "".join(c if c.isalnum() or c in "._+" else "-" for c in text).strip("-")


def history_of(model: Path) -> Path:
    """Return the history file of a model: NAME.history.json for NAME.safetensors and NAME.last.safetensors."""
    return model.with_name(model.stem.removesuffix(".last") + ".history.json")
