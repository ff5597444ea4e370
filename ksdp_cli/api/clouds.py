"""Initial clouds as users name them: a registered law, a class of their own, or the path of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import DataError
from ..initial.stored import StoredCloud
from ..particles import problem
from ..store import Run, open_run


def opened(given: Any) -> Any:
    """A path, or a name that ends in .zarr, or a run, as the cloud of its last frame; anything else as it is.

    Raises `DataError` when the store is missing, damaged, without a frame, or holds more than one case.
    """
    named = isinstance(given, Path) or (isinstance(given, str) and given.endswith(".zarr"))
    if not named and not isinstance(given, Run):
        return given
    run = given if isinstance(given, Run) else open_run(given)
    if len(run.cases) != 1 or not len(run.times):
        raise DataError(
            f"{run.path} holds {len(run.cases)} cases and {len(run.times)} frames, and an initial cloud is one frame",
            "name a store with one case and at least one frame",
        )
    return StoredCloud(str(run.path), run.J, run.dim, lambda: run.frame(0, -1))


def initial_cloud(given: Any, dim: int) -> tuple[str, Any]:
    """Name and instance of the initial cloud ``given`` in dimension ``dim``. Raises `ConfigError` and `DataError`."""
    return problem.initial_cloud(opened(given), dim)
