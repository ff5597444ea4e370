"""import: make a store of the user's own clouds, from arrays or files."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import provenance
from ..base.files import target
from ..base.labels import counted
from ..base.listener import Say, as_warning
from ..base.outputs import write_whole
from ..base.parsing import number, option, sweep
from ..base.shapes import Cloud
from ..errors import ConfigError, DataError, Taken
from ..initial.stored import StoredCloud
from ..store import Header, Run, create, open_run, require_room
from ..store.layout import MOST_AXES
from ..store.owner import Owner
from . import paths
from .clouds import initial_cloud, resolve_user_cloud
from .options import Number
from .own_files import is_array, own_cloud, read_cloud, rounding_doubt

#: The parameter that is the time of a cloud.
TIME = "t"
#: The values of a cloud's parameters.
Key = TypeVar("Key", bound=float | str | tuple[float | str, ...])


def clouds(
    arrays: Mapping[Key, object],
    *,
    names: Sequence[str],
    source: object = None,
    t: Number | None = None,
    fixed: Mapping[str, float] | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    seed: int = 0,
    warn: Say | None = None,
) -> Run:
    """Store clouds (N, d), d = 1 to 8, one for each value of the parameters ``names``.

    ``arrays`` maps values, a tuple in the order of ``names`` or one number, to arrays. If ``"t"`` is among the names it
    is the time of a cloud; else ``t`` is the time of all. Clouds of different sizes are cut to the smallest size, at
    random by ``seed``, with a warning. ``source`` is the initial cloud of a network that learns them: a registered law
    (default the uniform ball), or an array, a file or a store of one cloud, from which samples are drawn as a
    bootstrap. An array is written beside the store, as NAME.source.npy. ``fixed`` are parameters with one value.

    Raises `DataError` for an invalid or missing cloud and for an output that exists; `ConfigError` for names and values
    that do not fit.
    """
    words = ["ksdp_cli.clouds"]
    return _store(arrays, names, source, t, fixed or {}, out, overwrite, seed, warn or as_warning, words)


def _store(
    arrays: Mapping[Key, object],
    names: Sequence[str],
    source: object,
    t: object,
    fixed: Mapping[str, float],
    out: str | Path | None,
    overwrite: bool,
    seed: int,
    warn: Say,
    words: list[str],
) -> Run:
    """`clouds`, made by the command ``words``."""
    by_values = {_values(key, names): own_cloud(cloud, f"the cloud of {key}") for key, cloud in arrays.items()}
    if not by_values:
        raise DataError("no clouds are given", "give one for each value of the parameters")
    names, by_values = _with_time(names, by_values, 0.0 if t is None else number(t))
    cases, times = _grid(names, by_values)
    dims, sizes = ({one.shape[axis] for one in by_values.values()} for axis in (1, 0))
    if len(dims) > 1:
        raise DataError(f"clouds of {' and '.join(map(str, sorted(dims)))} dimensions", "give clouds of one dimension")
    dim, J = dims.pop(), min(sizes)
    if dim > MOST_AXES:
        raise DataError(f"clouds of {dim} dimensions", f"at most {MOST_AXES} are stored; leave columns out")
    if len(sizes) > 1:
        warn(f"the clouds have {J} to {max(sizes)} particles: each keeps {J} at random, seed {seed}")
    doubts = [rounding_doubt(cloud, f"cloud of {values}") for values, cloud in by_values.items()]
    for doubt in [doubt for doubt in doubts if doubt][:1]:
        warn(doubt)
    frames = np.empty((len(times), len(cases), J, dim), np.float32)
    for place, values in enumerate(sorted(by_values)):
        k, case = times.index(values[-1]), cases.index(values[:-1])
        frames[k, case] = _sub_sample(by_values[values], J, [seed, place], str(values))
    path, origin = _source(source, dim)

    def begin(place: Path) -> Owner:
        require_room(place, frames.nbytes, f"{counted(len(by_values), 'cloud')} of {counted(J, 'particle')}", overwrite)
        init = path or str(_beside(place))
        config = {"init": init, "J": J, "dim": dim, "T": times[-1], **fixed}
        columns = {name: tuple(case[i] for case in cases) for i, name in enumerate(names[:-1])}
        attrs = {"versions": provenance.versions(), "command": shlex.join(words)}
        attrs |= {"origin": {"sha256": origin.digest}} if origin else {}
        header = Header("clouds", tuple(times), J, dim, columns, len(cases), config=config, attrs=attrs)
        if not path and _beside(place).exists() and not overwrite:
            raise Taken(f"{_beside(place)} exists", "use --overwrite, or another -o")
        return create(place, header, overwrite=overwrite)

    store, writer = paths.begin_output(target(out) if out is not None else None, "clouds", ".zarr", begin)
    with writer:
        if origin and not path:
            with write_whole(_beside(store)) as temporary, temporary.open("wb") as file:
                np.save(file, origin.frame)
        for k, frame in enumerate(frames):
            writer.write(k, frame)
        writer.finish()
    return open_run(store)


def import_files(
    files: Sequence[str | Path],
    parameters: Mapping[str, object],
    *,
    source: object = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    warn: Say | None = None,
) -> Run:
    """Store the clouds of ``files``, one per file; each of ``parameters`` has one value per file, or one for all.

    Raises as `clouds`, and for files that cannot be read.
    """
    columns, fixed = {}, {}
    for name, text in parameters.items():
        with option(name):
            values = sweep(text)
        if len(values) not in (1, len(files)):
            raise ConfigError(
                f"--{name} has {counted(len(values), 'value')} for {counted(len(files), 'file')}",
                "give one a file, or one",
            )
        if len(values) == len(files) > 1 or (len(files) == 1 and name != TIME):
            columns[name] = values
        else:
            fixed[name] = values[0]
    t = fixed.pop(TIME, None)
    rows = list(zip(*columns.values(), strict=True)) if columns else [()] * len(files)
    if len(set(rows)) < len(files):
        message = f"{len(files)} files, and the parameters have {counted(len(set(rows)), 'value')}"
        raise ConfigError(message, "give each file its own, as --A 1,10,100")
    arrays = {values: read_cloud(Path(file).expanduser()) for values, file in zip(rows, files, strict=True)}
    words = ["ksdp", "import", *map(str, files)]
    words += [word for name, text in parameters.items() for word in (f"--{name}", str(text))]
    words += [] if source is None else ["--source", str(source)]
    return _store(arrays, tuple(columns), source, t, fixed, out, overwrite, 0, warn or as_warning, words)


def _values(key: object, names: Sequence[str]) -> tuple[float, ...]:
    values = tuple(number(value) for value in (key if isinstance(key, tuple) else (key,)))
    if len(values) != len(names):
        raise ConfigError(f"{key!r} has {len(values)} values for {', '.join(names)}", "give one for each name")
    return values


def _with_time(
    names: Sequence[str], by_values: dict[tuple[float, ...], Cloud], t: float
) -> tuple[list[str], dict[tuple[float, ...], Cloud]]:
    """Return names and values with the time as the last one."""
    if TIME not in names:
        return [*names, TIME], {(*values, t): cloud for values, cloud in by_values.items()}
    at = list(names).index(TIME)
    order = [name for name in names if name != TIME]
    return [*order, TIME], {(*v[:at], *v[at + 1 :], v[at]): cloud for v, cloud in by_values.items()}


def _grid(
    names: Sequence[str], by_values: Mapping[tuple[float, ...], Cloud]
) -> tuple[list[tuple[float, ...]], list[float]]:
    """Return the cases and the times. Raises `DataError` unless every case has a cloud at every time."""
    cases, times = sorted({values[:-1] for values in by_values}), sorted({values[-1] for values in by_values})
    for case in cases:
        for t in times:
            if (*case, t) not in by_values:
                values = ", ".join(f"{name} = {value:g}" for name, value in zip(names, (*case, t), strict=True))
                raise DataError(f"there is no cloud at {values}", "give every case a cloud at each time")
    return cases, times


def _sub_sample(cloud: Cloud, n: int, key: list[int], name: str) -> NDArray[np.float32]:
    """Return ``n`` random rows as float32; all rows in order if there are no more."""
    rows = cloud if len(cloud) == n else cloud[np.random.default_rng(key).permutation(len(cloud))[:n]]
    with np.errstate(over="ignore"):
        float_rows = rows.astype(np.float32)
    if not np.isfinite(float_rows).all():
        raise DataError(f"the cloud at {name} holds positions that float32 cannot", "give finite numbers below 3e38")
    return float_rows


def _source(source: object, dim: int) -> tuple[str, StoredCloud | None]:
    """Return the name of the source, empty for an array, and its particles if it is a stored cloud."""
    if is_array(source):
        cloud = own_cloud(source, "the source")
        rows = _sub_sample(cloud, len(cloud), [0], "source")
        if rows.shape[1] != dim:
            raise DataError(f"the source has {rows.shape[1]} dimensions and the clouds {dim}", "give one of theirs")
        return "", StoredCloud("source", len(rows), dim, lambda: rows)
    if source is None and dim not in (2, 3):
        raise ConfigError(f"clouds of dimension {dim} need a source", "give --source, a file of one cloud")
    name, law = initial_cloud("ball" if source is None else resolve_user_cloud(source), dim)
    return name, law if isinstance(law, StoredCloud) else None


def _beside(store: Path) -> Path:
    """Return the file for the source of a store that is given as an array."""
    return store.with_name(store.name.removesuffix(".zarr") + ".source.npy")
