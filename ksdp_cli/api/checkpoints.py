"""NAME.zarr.checkpoint/CASE: a checkpoint with the state of each case of an incomplete run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..base import checkpoint
from ..base.outputs import output_errors
from ..base.whole import sync_folder
from ..errors import DataError


class Checkpoints:
    """The checkpoints of the run that writes to ``store``."""

    def __init__(self, store: Path) -> None:
        self.folder = store.with_name(store.name + ".checkpoint")

    def of(self, case: int) -> Path:
        """Return the checkpoint file of case number ``case``."""
        return self.folder / str(case)

    def save(self, case: int, header: dict[str, object], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state of a case. Raises as `checkpoint.save`."""
        if not self.folder.exists():
            with output_errors(self.folder):
                self.folder.mkdir(exist_ok=True)  # the worker of another case may have created it
                sync_folder(self.folder.parent)
        checkpoint.save(self.of(case), header, arrays)

    def claim(self, cases: Iterable[int], resume: bool) -> None:
        """Raise `DataError` if files that ksdp did not write have the names of ``cases``, or if a run would resume from
        the single file of an earlier version. Files of other cases may change meanwhile: their workers write them.
        """
        if self.folder.is_file():
            checkpoint.claim(self.folder)
            if resume:
                raise DataError(
                    f"the checkpoint {self.folder} was written by an earlier version",
                    "resume with that version, or remove the file to start again; stored frames stay",
                )
        for case in cases:
            checkpoint.claim(self.of(case))

    def remove(self) -> None:
        """Remove the checkpoints, and their folder if it is empty; keep files that ksdp did not write."""
        if self.folder.is_file():
            checkpoint.remove(self.folder)
        if not self.folder.is_dir():
            return
        for file in self._files():
            checkpoint.remove(file)
        with contextlib.suppress(OSError):  # it holds other files, or a case has just saved
            self.folder.rmdir()

    def tidy(self) -> None:
        """Remove what a killed writer of a checkpoint has left; keep the checkpoints."""
        for file in self._files():
            checkpoint.tidy(file)

    def _files(self) -> set[Path]:
        """Return the checkpoints to which the files of the folder belong."""
        if not self.folder.is_dir():
            return set()
        return {self.folder / file.name.split(".")[0] for file in self.folder.iterdir()}
