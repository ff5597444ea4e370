"""report: a store or a model as one HTML page that works offline."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ...api import paths
from ...api.clouds import part_of
from ...base.bars import progress_bar
from ...base.files import local, open_regular, target
from ...base.listener import Progress, Say
from ...base.outputs import Lock, claim, write_whole
from ...errors import ConfigError
from ...store import Run, open_run
from .. import report as page_of
from . import model as report_model
from . import run as report_run

#: A page starts with these bytes; only such files are replaced.
MARK = b"<!doctype html>\n<!-- ksdp report -->\n"


@dataclass(frozen=True)
class Reported:
    """The path and size of the page [bytes], and the number of its clouds and of particles in each."""

    path: Path
    kind: str
    bytes: int
    clouds: int
    particles_shown: int
    references: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        return {
            "path": str(self.path),
            "kind": self.kind,
            "bytes": self.bytes,
            "stored_clouds": self.clouds,
            "particles_of_each": self.particles_shown,
            "references": list(self.references),
        }


def report(
    subject: str | PathLike[str],
    *,
    out: str | Path | None = None,
    references: Sequence[str | PathLike[str]] = (),
    overwrite: bool = False,
    progress: Progress | bool | None = None,
    warn: Say | None = None,
) -> Reported:
    """Write a store or a model, and how it was made, as one HTML file with a live view.

    The page of a model evaluates the network itself. ``references`` are simulations to show beside it; by default the
    training store, if it still exists. ``out`` is by default a new name ``runs/report-NAME``; ``overwrite`` replaces
    only a page that ksdp wrote.

    A part of a store is written as ``s.zarr@A=1,10``.

    Raises `DataError` for a missing or damaged subject and for an output that exists, `ConfigError` for a reference of
    another dimension or without the model's parameters.
    """
    path = local(subject)
    if out is not None:
        _require_suffix(target(out))
    note = warn or (lambda message: None)

    def begin(place: Path) -> Lock:
        return claim(place, is_own_page, "report", overwrite=overwrite)

    # read the subject first: an unreadable one leaves no empty folder
    run = part_of(subject) or (open_run(path) if path.is_dir() else None)
    file = None if run else paths.existing(subject)
    place, lock = paths.begin_output(out, paths.slug(f"report-{(run.path if run else path).stem}"), ".html", begin)
    with lock, tempfile.TemporaryDirectory() as folder, progress_bar(progress) as bar:
        if run:
            if references:
                raise ConfigError("a store has no reference", "drop --reference, or give a model")
            used: list[str]
            run.require_fixed_origin("the page holds float32 positions")
            page, used = report_run.page(run, Path(folder)), []
        else:
            assert file is not None
            runs = [_reference(one) for one in references]
            page, used = report_model.page(str(path), file, runs, Path(folder), bar, note)
        text = page_of.render(page)
        with write_whole(place) as temporary:
            temporary.write_bytes(text.encode(errors="backslashreplace"))
    clouds = page.scene.clouds
    count = len(clouds[0].points) if clouds else 0
    return Reported(place, page.kind, place.stat().st_size, len(clouds), count, tuple(used))


def _reference(path: str | PathLike[str]) -> Run:
    run = part_of(path) or open_run(path)
    if run.kind != "simulation":
        raise ConfigError(f"the reference {path} holds {run.kind}", "give a store that 'ksdp simulate' wrote")
    run.require_fixed_origin("the page holds float32 positions")
    return run


def _require_suffix(place: Path) -> None:
    if place.suffix not in (".html", ".htm"):
        raise ConfigError(f"the output {place} does not end in .html", f"use -o {place.with_suffix('.html')}")


def is_own_page(path: Path) -> bool:
    """Whether ``path`` is a page that ksdp wrote."""
    with open_regular(path) as file:
        return file.read(len(MARK)) == MARK
