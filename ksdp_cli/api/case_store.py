"""One case of a store, for a process that does not own the store."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any

from ..store import CaseWriter, Header, open_run


class CaseStore:
    """The interface of `Owner` that `integrate` needs, for case ``number`` only; a context manager.

    ``facts`` collects facts about the run, which only the owner of the store may write into it.
    """

    def __init__(self, path: Path, number: int, header: Header | None = None) -> None:
        self.path, self.header = path, header or open_run(path).header
        self.times, self.facts = self.header.times, dict[str, Any]()
        self._writer = CaseWriter(path, number, self.header)

    def __enter__(self) -> CaseStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.__exit__(kind, error, at)

    @property
    def committed(self) -> int:
        """The number of committed frames of the case."""
        return self._writer.committed

    def case(self, number: int) -> contextlib.AbstractContextManager[CaseWriter]:
        """Return the writer of the case, which stays open."""
        return contextlib.nullcontext(self._writer)

    def commit(self) -> int:
        """Do nothing: the owner marks the frames that every case has."""
        return self.committed

    def progress(self) -> list[int]:
        """Return as `Owner.progress`, with the frames of this case."""
        return [self.committed] * self.header.case_count

    def annotate(self, **facts: object) -> None:
        """Collect ``facts`` for the owner."""
        self.facts |= facts
