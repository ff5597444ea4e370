"""Trained networks that ship, for the experiments of Table 2 and two of eps > 0: ``benchmarks/ship_models.py``."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
#: What ``ksdp sample`` takes when no model is named and there is none in the run folder.
DEFAULT = "laminar2d-amplitude"


def names() -> list[str]:
    """The models that ship."""
    return sorted(file.stem for file in FOLDER.glob("*.safetensors"))


def path(name: str) -> Path:
    """The file of a model that ships; it is there for every one of `names`."""
    return FOLDER / f"{name}.safetensors"
