"""NAME.zarr.checkpoint/CASE: the state of each case of a run that is not complete, a checkpoint each."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from ..base import checkpoint
from ..base.outputs import output_errors
from ..base.whole import sync_folder
from ..errors import DataError


class Checkpoints:
    """The checkpoints of the run that is written to ``store``."""

    def __init__(self, store: Path) -> None:
        self.folder = store.with_name(store.name + ".checkpoint")

    def of(self, case: int) -> Path:
        """Where the state of case number ``case`` is kept."""
        return self.folder / str(case)

    def save(self, case: int, header: dict[str, object], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state of a case. Raises as `checkpoint.save`."""
        if not self.folder.exists():
            with output_errors(self.folder):
                self.folder.mkdir(exist_ok=True)  # another case's worker may have made it since
                sync_folder(self.folder.parent)
        checkpoint.save(self.of(case), header, arrays)

    def claim(self, resume: bool) -> None:
        """Raise `DataError` when what ksdp did not write is in the way, and when a run is to go on from the one file
        that an earlier version kept for all cases.
        """
        if self.folder.is_file():
            checkpoint.claim(self.folder)
            if resume:
                raise DataError(
                    f"the checkpoint {self.folder} was written by an earlier version",
                    "go on with that version, or remove the file to begin anew; stored frames stay",
                )
        for file in self._files():
            checkpoint.claim(file)

    def remove(self) -> None:
        """Remove the states, and their folder once it is empty; nothing that ksdp did not write."""
        if self.folder.is_file():
            checkpoint.remove(self.folder)
        if not self.folder.is_dir():
            return
        for file in self._files():
            checkpoint.remove(file)
        with contextlib.suppress(OSError):  # it holds what is not ours, or a case has just saved
            self.folder.rmdir()

    def _files(self) -> set[Path]:
        """Every checkpoint that any file of the folder belongs to, or is."""
        if not self.folder.is_dir():
            return set()
        return {self.folder / file.name.split(".")[0] for file in self.folder.iterdir()}
