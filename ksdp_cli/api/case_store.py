"""One case of a store, written by a process that does not own the store."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any

from ..store import CaseWriter, open_run


class CaseStore:
    """What `integrate` needs of a store, for case ``number`` alone; use it as a context manager.

    ``facts`` collects what the case has to say of its run: only the owner of a store may write them into it.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path, self.header = path, open_run(path).header
        self.times, self.facts = self.header.times, dict[str, Any]()
        self._writer = CaseWriter(path, number, self.header)

    def __enter__(self) -> CaseStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.__exit__(kind, error, at)

    @property
    def committed(self) -> int:
        """Frames of the case that are there."""
        return self._writer.committed

    def case(self, number: int) -> contextlib.AbstractContextManager[CaseWriter]:
        """The writer of the case, which stays open."""
        return contextlib.nullcontext(self._writer)

    def commit(self) -> int:
        """Nothing to mark: what every case has is the owner's to see."""
        return self.committed

    def progress(self) -> list[int]:
        """As of an owner, for the case alone."""
        return [self.committed] * self.header.case_count

    def annotate(self, **facts: object) -> None:
        """Keep ``facts`` for the owner."""
        self.facts |= facts
