"""Trained networks by name: those that ship, and files of one's own."""

from __future__ import annotations

from pathlib import Path

from .. import pretrained
from ..learning.model import Model
from . import paths


def models() -> list[str]:
    """The names of the models that ship, one for each experiment of Table 2."""
    return pretrained.names()


def open_model(model: str | Path) -> Model:
    """A model by its path, or the name of one that ships: ``open_model("laminar2d-amplitude")(x, A=50)``.

    Raises `DataError` when it is missing, not ksdp's, or damaged.
    """
    return Model.load(paths.existing(model))
