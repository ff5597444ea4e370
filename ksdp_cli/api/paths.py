"""Where results go when nobody says: the folder ``runs`` of the working directory, under names never used twice."""

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
    """``runs/STEM-001SUFFIX`` with the first number that is free, and ``begin`` of it.

    ``begin`` claims the name, and raises `Taken` where another process was faster: then the next one is tried.
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
    """``begin`` of the output that was asked for, or of the first free name."""
    if out is None:
        return first_free(stem, suffix, begin)
    path = target(out)
    return path, begin(path)


def newest_model() -> Path | None:
    """The model anywhere in the run folder that was written last; None when there is none."""
    existing: list[Path] = []
    for folder, below, files in os.walk(RUNS):
        below[:] = [name for name in below if not name.endswith(".zarr")]  # stores have many files, and no models
        names = [name for name in files if name.endswith(".safetensors") and not name.endswith(".last.safetensors")]
        existing += [Path(folder) / name for name in names]
    return max(existing, key=lambda path: path.stat().st_mtime_ns, default=None)


def existing(given: str | Path) -> Path:
    """A file or store that is there: by its path, or a model that ships by its name. A path of that name wins.

    Raises `DataError` when it is neither.
    """
    path = local(given)
    if path.exists():
        return path
    if str(given) in models.names():
        return models.path(str(given))
    raise DataError(f"there is no file {given}", f"check the path; models that ship: {', '.join(models.names())}")


def slug(text: str) -> str:
    """Text as part of a file name."""
    return "".join(c if c.isalnum() or c in "._+" else "-" for c in text).strip("-")


def history_of(model: Path) -> Path:
    """The curves of a training, NAME.history.json for NAME.safetensors and NAME.last.safetensors."""
    return model.with_name(model.stem.removesuffix(".last") + ".history.json")
