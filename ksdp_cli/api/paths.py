"""Where results go when nobody says: the folder ``runs`` of the working directory, under names never used twice."""

from __future__ import annotations

import os
from pathlib import Path

from .. import pretrained as models
from ..errors import DataError

RUNS = Path("runs")


def fresh(stem: str, suffix: str) -> Path:
    """``runs/STEM-001SUFFIX`` with the first number that is free."""
    number = 1
    while (RUNS / f"{stem}-{number:03d}{suffix}").exists():
        number += 1
    return RUNS / f"{stem}-{number:03d}{suffix}"


def newest_model() -> Path | None:
    """The model anywhere in the run folder that was written last; None when there is none."""
    found: list[Path] = []
    for folder, below, files in os.walk(RUNS):
        below[:] = [name for name in below if not name.endswith(".zarr")]  # stores have many files, and no models
        names = [name for name in files if name.endswith(".safetensors") and not name.endswith(".last.safetensors")]
        found += [Path(folder) / name for name in names]
    return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)


def found(given: str | Path) -> Path:
    """A file or store that is there: by its path, or a model that ships by its name. A path of that name wins.

    Raises `DataError` when it is neither.
    """
    path = Path(given)
    if path.exists():
        return path
    if str(given) in models.names():
        return models.path(str(given))
    raise DataError(f"there is no file {given}", f"check the path; models that ship: {', '.join(models.names())}")


def slug(text: str) -> str:
    """Text as part of a file name."""
    return "".join(c if c.isalnum() or c in "._+" else "-" for c in text).strip("-")
