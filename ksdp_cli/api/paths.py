"""Where results go when nobody says: the folder ``runs`` of the working directory, under names never used twice."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError

RUNS = Path("runs")


def fresh(stem: str, suffix: str) -> Path:
    """``runs/STEM-001SUFFIX`` with the first number that is free."""
    number = 1
    while (RUNS / f"{stem}-{number:03d}{suffix}").exists():
        number += 1
    return RUNS / f"{stem}-{number:03d}{suffix}"


def newest_model() -> Path:
    """The model of the run folder that was written last.

    Raises `DataError` when there is none, naming what makes one.
    """
    models = [path for path in RUNS.glob("*.safetensors") if not path.name.endswith(".last.safetensors")]
    if not models:
        raise DataError(
            f"there is no model in {RUNS.resolve()}",
            "run 'ksdp demo', or 'ksdp simulate' and 'ksdp train', or name a model: ksdp sample MODEL.safetensors",
        )
    return max(models, key=lambda path: path.stat().st_mtime_ns)


def slug(text: str) -> str:
    """Text as part of a file name."""
    return "".join(c if c.isalnum() or c in "._+" else "-" for c in text).strip("-")
