"""export: positions of a store in the file formats of other tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..base.bars import progress_bar
from ..base.files import local, target
from ..base.listener import Progress
from ..errors import ConfigError
from ..exporters.formats import export as write
from ..exporters.formats import format_of, image_format
from ..store import Run, open_run
from ..store.selection import select
from .clouds import part_of
from .options import Values


@dataclass(frozen=True)
class Exported:
    """The file, its format and its content; ``parameters`` hold one value for each case."""

    path: Path
    format: str
    bytes: int
    J: int
    dim: int
    cases: list[int]
    parameters: dict[str, list[float]]
    times: list[float]

    def as_dict(self) -> dict[str, object]:
        return {**vars(self), "path": str(self.path)}


def export(
    store: str | Path | Run,
    out: str | Path,
    *,
    case: int | str | Sequence[int] | None = None,
    t: Values | None = None,
    overwrite: bool = False,
    field: bool = False,
    progress: Progress | bool | None = None,
    **at: Values,
) -> Exported:
    """Write positions of a store to ``out``: .npz, .nc, .parquet, .csv, or .vtkhdf by its suffix.

    ``case`` (numbers), ``t`` and parameters by name (``A=50``, ``A=[1, 10]``) select cases and snapshots; default all.
    Positions are float32, bit for bit, or float64 with a moving origin. In .npz and .nc the chemical on its grid is
    included; ``field`` writes only the chemical, as an image for ParaView (.vtkhdf). The file is written whole or not
    at all. Raises `ConfigError` for an unknown suffix, case or value, `DataError` for a damaged store or an output that
    exists, `ResourceError` for a missing library or a full disk.
    """
    path = target(out)
    kind = image_format(path) if field else format_of(path)
    if not isinstance(store, Run) and local(store).is_file():
        raise ConfigError(f"{store} is not a store of particles", "for a model: 'ksdp sample' writes a store")
    run = store if isinstance(store, Run) else part_of(store) or open_run(store)
    selection = select(run, case=case, t=t, **at)
    with progress_bar(progress) as bar:
        report = (lambda done, total: bar("particles", done, total)) if bar else None
        write(selection, path, overwrite=overwrite, field=field, progress=report)
    return Exported(
        path,
        kind.name,
        path.stat().st_size,
        run.J,
        run.dim,
        list(selection.cases),
        selection.parameters,
        selection.times,
    )
