"""report: a store or a model as one HTML page that needs nothing else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...api import paths
from ...errors import ConfigError, DataError
from ...store import Run, open_run
from .. import report as page_of
from . import model as report_model
from . import run as report_run

#: A page starts with these characters: nothing else is ever replaced.
MARK = b"<!doctype html>\n<!-- ksdp report -->\n"


@dataclass(frozen=True)
class Reported:
    """Where the page is, its size in bytes, and how many clouds of how many particles one can turn in it."""

    path: Path
    kind: str
    bytes: int
    clouds: int
    particles_shown: int
    references: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "kind": self.kind,
            "bytes": self.bytes,
            "stored_clouds": self.clouds,
            "particles_of_each": self.particles_shown,
            "references": list(self.references),
        }


def report(
    subject: str | Path,
    *,
    out: str | Path | None = None,
    references: Sequence[str | Path] = (),
    overwrite: bool = False,
    progress: Callable[..., None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Reported:
    """Write what ``subject``, a store or a model, holds and how it was made as one HTML file with a live view.

    The page of a model evaluates the network itself. ``references`` are simulations to show beside it; without them
    the store that it was trained on is taken when it is still there. ``out`` is ``runs/report-NAME.html`` by default,
    and ``overwrite`` replaces a page that ksdp wrote, and no other file.

    Raises `DataError` for a subject that is missing or damaged and for an output that exists, `ConfigError` for a
    reference of another dimension or without the model's parameters.
    """
    path = Path(subject)
    target = Path(out) if out is not None else paths.fresh(paths.slug(f"report-{path.stem}"), ".html")
    _require_free(target, overwrite)
    note = warn or (lambda message: None)
    with tempfile.TemporaryDirectory() as folder:
        if path.is_dir():
            if references:
                raise ConfigError("a store takes no reference", "drop --reference, or name a model")
            used: list[str]
            page, used = report_run.page(open_run(path), Path(folder)), []
        else:
            file = paths.found(subject)
            runs = [_reference(one) for one in references]
            page, used = report_model.page(str(subject), file, runs, Path(folder), progress, note)
        text = page_of.render(page)
    _replace(target, text.encode())
    clouds = page.scene.clouds
    shown = len(clouds[0].points) if clouds else 0
    return Reported(target, page.kind, target.stat().st_size, len(clouds), shown, tuple(used))


def _reference(path: str | Path) -> Run:
    run = open_run(path)
    if run.kind != "simulation":
        raise ConfigError(f"the reference {path} holds samples", "give a store that 'ksdp simulate' wrote")
    return run


def _require_free(target: Path, overwrite: bool) -> None:
    if target.suffix not in (".html", ".htm"):
        raise ConfigError(f"the output {target} does not end in .html", f"use -o {target.with_suffix('.html')}")
    if not target.exists():
        return
    if not overwrite:
        raise DataError(f"{target} exists", "use --overwrite, or another -o")
    try:
        with target.open("rb") as file:
            ours = file.read(len(MARK)) == MARK
    except OSError as error:
        raise DataError(f"cannot read {target}: {error.strerror}", "use another -o") from None
    if not ours:
        raise DataError(f"{target} is no page that ksdp made, so it is not replaced", "use another -o")


def _replace(target: Path, content: bytes) -> None:
    """Write under a temporary name, then rename: a reader never sees half a page."""
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, target)
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror}", "use another -o") from None
    finally:
        temporary.unlink(missing_ok=True)
