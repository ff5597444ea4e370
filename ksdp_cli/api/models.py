"""Trained networks: those that ship, by name, and the user's files."""

from __future__ import annotations

from os import PathLike

from .. import pretrained
from ..learning.model import Model
from . import paths


def models() -> list[str]:
    """Return the names of the models that ship, one for each experiment of Table 2."""
    return pretrained.names()


def open_model(model: str | PathLike[str]) -> Model:
    """Load a model by its path or the name of one that ships: ``open_model("laminar2d-amplitude")(x, A=50)``.

    What `train` returns is a path too.

    Raises `DataError` if it is missing, damaged, or not a ksdp model.
    """
    return Model.load(paths.existing(model))
