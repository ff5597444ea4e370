"""reproduce: an experiment, Table 2, one of the paper's figures, or all of it, into one folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import executors
from ..api.options import Number
from ..api.paths import RUNS
from ..base import files
from ..base.bars import progress_bar
from ..base.files import read_json
from ..base.listener import Listener, Progress, Stop
from ..base.outputs import Lock, require_free, write_whole
from ..base.parsing import integer
from ..errors import ConfigError
from . import drawing
from .side_by_side import make_ahead
from .stages import Stages
from .table2 import COLUMNS, NOTE, TITLE, Entry, evaluate
from .targets import Job, jobs

PICTURES = ("png", "pdf", "svg")
ALGORITHMS = ("fresh", "paper")


@dataclass
class Reproduction:
    """Measured entries, drawn pictures, their folder, and the seconds of each kind of stage."""

    target: str
    scale: str
    folder: Path
    entries: list[Entry] = field(default_factory=list)
    smaller: dict[str, list[str]] = field(default_factory=dict)
    pictures: list[Path] = field(default_factory=list)
    seconds: list[tuple[str, str, int, float, bool]] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        keys = ("experiment", "stage", "count", "seconds", "found")
        return {
            "target": self.target,
            "scale": self.scale,
            "folder": str(self.folder),
            "title": TITLE,
            "note": NOTE,
            "not_the_papers_sizes": self.smaller,
            "table": [entry.as_dict() for entry in self.entries],
            "pictures": [str(path) for path in self.pictures],
            "stages": [dict(zip(keys, row, strict=True)) for row in self.seconds],
        }

    def tables(self) -> list[tuple[str, Sequence[str], Sequence[Sequence[object]]]]:
        """The table of distances, the times, the files, as (title, columns, rows)."""
        tables: list[tuple[str, Sequence[str], Sequence[Sequence[object]]]] = []
        if self.entries:
            tables.append((TITLE, COLUMNS, [entry.as_row() for entry in self.entries]))
        if self.smaller:
            title = f"scale {self.scale} is not the paper's: what it has for what --scale paper has"
            tables.append((title, ("sizes", "experiments"), [[what, ", ".join(n)] for what, n in self.smaller.items()]))
        tables.append(("stages", ("experiment", "stage", "count", "seconds", "found done"), self.seconds))
        files = [["pictures", ", ".join(str(path) for path in self.pictures)]] if self.pictures else []
        return [*tables, ("", ("", ""), [*files, ["everything", str(self.folder)]])]


def reproduce(
    target: str | Path,
    *,
    scale: str = "quick",
    seeds: Number | None = None,
    algorithm: str | None = None,
    out: str | Path | None = None,
    picture: str = "png",
    overwrite: bool = False,
    device: str = "auto",
    workers: int | None = None,
    executor: str | None = None,
    progress: Progress | bool | None = None,
    stop: Stop | None = None,
) -> Reproduction:
    """Reproduce ``target`` at a scale, ``quick`` (minutes) or ``paper``, into ``out``, by default runs/reproduce-SCALE,
    or runs/reproduce-SCALE-ALGORITHM.

    ``algorithm`` trains by another one than the experiments say, ``fresh`` or ``paper``, their other options as they
    are. ``target`` is the name of an experiment or a TOML file of the user's, ``table2``, ``all``, or a figure,
    ``fig1`` to ``fig10``. ``seeds`` networks are trained a row; ``picture`` is the format of figures, png, pdf or svg.
    What is done in the folder is found again; an interrupted reproduction goes on when it is called again. A stage that
    lies there with another configuration raises `ConfigError`, or with ``overwrite`` is made again. ``workers``
    processes, or an ``executor`` as of `simulate`, take simulations, networks and distances, each when what it
    needs is there; the numbers are the same. Raises what `simulate` and `train` raise, and `Interrupted`.
    """
    plan = jobs(str(target))
    count = None if seeds is None else integer(seeds)
    if count is not None and count < 1:
        raise ConfigError(f"--seeds {count}", "train at least 1 network")
    if workers is not None and workers < 1:
        raise ConfigError(f"workers = {workers}", "use 1 or more")
    if picture not in PICTURES:
        raise ConfigError(f"--format {picture!r}", f"use one of {', '.join(PICTURES)}")
    if algorithm not in (None, *ALGORITHMS):
        raise ConfigError(f"--algorithm {algorithm!r}", f"use one of {', '.join(ALGORITHMS)}")
    default = RUNS / "-".join(filter(None, ("reproduce", scale, algorithm)))
    folder = files.target(out) if out is not None else default
    for job in plan:
        job.experiment.scale(scale)
    result = Reproduction(str(target), scale, folder)
    for job in plan:
        less = job.experiment.smaller(scale, count) if job.rows else None
        if less:
            result.smaller.setdefault(less, []).append(job.experiment.name)
    summary = folder / f"{Path(result.target).stem}.json"
    require_free(summary, True, _made_here, "reproduce")
    with ExitStack() as locks:
        bar = locks.enter_context(progress_bar(progress))
        settings: dict[str, Any] = {"overwrite": overwrite, "device": device, "progress": bar, "stop": stop}
        work: list[tuple[Job, Stages, range]] = []
        for job in plan:
            at = folder / job.experiment.name
            locks.callback(Lock(at).release)
            stages = Stages(job.experiment, scale, at, algorithm=algorithm, **settings)
            work.append((job, stages, range(count or stages.scale.seeds)))
        if executor is not None or (workers or 1) > 1:
            for _, stages, _ in work:
                stages.ledger.note_done()
            make_ahead(work, executor or executors.DEFAULT, workers, Listener(bar, stop))
        for job, stages, own in work:
            _run(job, stages, own, result, picture)
    with write_whole(summary) as temporary:
        temporary.write_text(json.dumps(result.as_dict(), indent=1) + "\n")
    return result


def _made_here(path: Path) -> bool:
    """Whether ``path`` is the summary of a reproduction, which is made anew every time."""
    return bool(read_json(path)["title"] == TITLE)


def _run(job: Job, stages: Stages, seeds: range, result: Reproduction, picture: str) -> None:
    # training first, all seeds: the distances come from networks that are all there
    stages.data()
    for seed in seeds if job.rows else seeds[:1]:
        stages.network(seed)
    if job.rows:
        for row in job.experiment.rows:
            result.entries += [entry for n in stages.scale.N for entry in evaluate(stages, row, seeds, n)]
    for figure in job.experiment.figures:
        if figure.name in job.figures:
            result.pictures.append(result.folder / f"{figure.name}.{picture}")
            drawing.draw(figure, stages, result.pictures[-1])
    result.seconds += [(job.experiment.name, *row) for row in stages.ledger.summary()]
