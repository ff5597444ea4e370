"""plot: pictures of a store, of a model, or of both side by side."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import figures
from .. import pretrained as models
from ..api import paths
from ..api.clouds import part_of
from ..api.options import Number, Values
from ..base.bars import progress_bar
from ..base.files import local, read_json, target
from ..base.grids import SEED
from ..base.labels import KINDS
from ..base.listener import Progress
from ..base.outputs import Lock, claim
from ..base.parsing import integer, sweep
from ..base.records import History, as_record
from ..errors import ConfigError, DataError
from ..learning.model import Model
from ..store import Run, open_run
from ..store.selection import Selection, constant, select
from . import curves as plotting_curves
from . import filming
from .picture import At, NetworkClouds, PictureCloud, Work, labels_of, of_store, thin

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Most clouds in one picture: of one store in 2D and 3D, pairs, and pairs with all projections.
MOST_2D, MOST_3D, MOST_PAIRS, MOST_SECTIONS = 12, 4, 4, 2
#: Most particles of a frame that a picture counts: more than any picture can show.
LARGEST = 2_000_000
SAMPLES = 1_000_000


@dataclass(frozen=True)
class Plotted:
    """The files written, and notes for the reader of the pictures.

    ``figures`` are matplotlib figures, one for each picture, which may be changed and saved again; a film has none.
    """

    files: list[Path]
    notes: list[str]
    figures: list[Figure] = field(default_factory=list, repr=False)

    @property
    def figure(self) -> Figure:
        """The figure of the first picture. Raises `ConfigError` for a film."""
        if not self.figures:
            raise ConfigError("a film has no figure", "plot a picture, as -o cloud.png")
        return self.figures[0]

    def _repr_html_(self) -> str:
        return "".join(_image(path) for path in self.files if path.suffix not in (".pdf", ".mp4"))

    def as_dict(self) -> dict[str, object]:
        return {"files": [str(path) for path in self.files], "notes": self.notes}


def _image(path: Path) -> str:
    """Return a picture as an HTML element that contains its data."""
    kind = "svg+xml" if path.suffix == ".svg" else path.suffix[1:]
    return f'<img alt="{path.name}" src="data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}">'


def plot(
    subject: str | PathLike[str] | Model,
    reference: str | PathLike[str] | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    case: int | str | Sequence[int] | None = None,
    n: Number | None = None,
    device: str | None = None,
    progress: Progress | bool | None = None,
    **at: Values,
) -> Plotted:
    """Draw a store or a model, beside ``reference`` if given, and return the files.

    A store gives the densities of its clouds and, if it has several, their second moments, with equation (6) where it
    holds. A model gives the densities that it generates from ``n`` particles (default 10^6) and its training curves.
    With a reference store, densities are side by side on one scale, and moments in one picture. ``case``, ``t`` and
    parameters by name (``A=50``, ``A=[1, 10]``) select what is drawn. ``out`` (.png, .pdf or .svg) is the first
    picture, others add a word to its name; default a new name in ``./runs``. With .gif, .webp or .mp4 (needs ffmpeg) it
    is a film over the snapshots or the swept parameter of a store, or over a parameter of a model.

    Raises `ConfigError` for an unknown case or parameter, `DataError` for damaged files, and for files that exist and
    may not be replaced.
    """
    place = target(out) if out is not None else None
    as_film = place is not None and place.suffix in figures.FILMS
    if place is not None and not as_film:
        figures.require_suffix(place)
    if place is not None and place.suffix == ".mp4":
        figures.require_ffmpeg()
    own = _open(subject)
    other = None if reference is None else _open(reference)
    if isinstance(other, Model):
        raise ConfigError(f"the reference {reference} is a model", "give the model first and a store second")
    work = Work(_name(subject))
    if as_film:
        if other is not None:
            raise ConfigError("a film shows one store or model", "film each; a picture shows both side by side")
        _film(work, own, at, case, n, device)
        return _draw(work, place, overwrite, progress)
    if isinstance(own, Model):
        network = NetworkClouds(own, _count(n, SAMPLES), device or "auto")
        if other is None:
            _model_alone(work, network, at, case)
            _training(work, subject)
        else:
            pairs = _model_pairs(work, network, select(other, case=case, **at))
            _beside(work, pairs, other, ("network", KINDS[other.kind]), own)
    else:
        if n is not None:
            raise ConfigError(f"{own.path} is a store: it has {own.J} particles", "use --n with a model only")
        selection = select(own, case=case, **at)
        if other is None:
            _store_alone(work, selection)
        else:
            pairs = _store_pairs(work, selection, other, at)
            _beside(work, pairs, other, _labels(own, other))
    return _draw(work, place, overwrite, progress)


def _count(n: Number | None, usual: int) -> int:
    """Return the number of particles that a model generates."""
    count = usual if n is None else integer(n)
    if count < 1:
        raise ConfigError(f"n = {count} particles", "use --n 1 or more")
    return count


def _draw(work: Work, place: Path | None, overwrite: bool, progress: Progress | bool | None) -> Plotted:
    """Draw every part, after checking that every output may be written."""

    def files(first: Path) -> list[Path]:
        return [first.with_name(f"{first.stem}{end}{first.suffix}") for end in work.parts]

    def begin(first: Path) -> Lock:
        return claim(first, figures.is_own_picture, "plot", overwrite=overwrite, also=files(first))

    first, lock = paths.begin_output(place, paths.slug(Path(work.title).stem), ".png", begin)
    with lock, progress_bar(progress) as bar, figures.keep_figures() as drawings:
        for number, (file, draw) in enumerate(zip(files(first), work.parts.values(), strict=True)):
            draw(file)
            if bar:
                bar("pictures", number + 1, len(work.parts))
    return Plotted(files(first), work.notes, drawings)


def _open(subject: str | PathLike[str] | Model) -> Run | Model:
    if isinstance(subject, (Run, Model)):
        return subject
    if (selection := part_of(subject)) is not None:
        return selection
    path = local(subject)
    if path.suffix == ".zarr":
        return open_run(path)
    there = paths.existing(path)
    return open_run(there) if there.is_dir() else Model.load(there)


def _name(subject: str | PathLike[str] | Model) -> str:
    if isinstance(subject, Run):
        return subject.path.name
    return "model" if isinstance(subject, Model) else local(subject).name


def _store_alone(work: Work, selection: Selection) -> None:
    run, every = selection.run, of_store(work, selection, LARGEST)
    most = MOST_2D if run.dim == 2 else MOST_3D
    _densities(work, thin(work, every, most), figures.histogram_sheet)
    if len(every) > 1:
        if any(len(one.runs) > 1 for one in every):
            work.notes.append("second moments are means over the seeds with Student's 95 % bands")
        work.parts["-moments"] = lambda path: plotting_curves.of_store(
            selection, [(one.values, one.moments()) for one in every], path
        )


def _model_alone(work: Work, network: NetworkClouds, at: Mapping[str, Values], case: object) -> None:
    if case is not None:
        raise ConfigError("a model has no cases", "give its parameters, as --A 50")
    model = network.generator.model
    names = model.eta_map.names
    highest = model.complete({name: sweep(value)[0] for name, value in at.items()})
    grids = [sweep(at[name]) if name in at else (highest[name],) for name in names]
    every = [dict(zip(names, values, strict=True)) for values in itertools.product(*grids)]
    points = thin(work, every, MOST_2D if model.dim == 2 else MOST_3D)
    work.notes += network.warnings(points)
    _densities(work, [network.at(values) for values in points], figures.histogram_sheet)


def _densities(work: Work, clouds: Sequence[PictureCloud], draw: Callable[..., None]) -> None:
    """Draw the first axes of ``clouds`` by ``draw``, a sheet or a film."""
    titles = labels_of([one.values for one in clouds])
    work.parts[""] = lambda path: draw(
        [(label, work.first_axes(one.load())) for label, one in zip(titles, clouds, strict=True)],
        path,
        title=work.title,
        fields=[one.field() if one.field else None for one in clouds],
    )


def _film(
    work: Work, own: Run | Model, at: Mapping[str, Values], case: object, n: Number | None, device: str | None
) -> None:
    if isinstance(own, Model):
        if case is not None:
            raise ConfigError("a model has no cases", "name its parameters, as --A 50")
        network = NetworkClouds(own, _count(n, filming.PARTICLES), device or "auto")
        points = filming.points_of_model(network.generator, at)
        work.notes += network.warnings([points[0], points[-1]])
        clouds = [network.at(values) for values in points]
    else:
        clouds = filming.in_order(work, select(own, case=case, **at))
    _densities(work, clouds, figures.film)


def _training(work: Work, subject: str | PathLike[str] | Model) -> None:
    """Add the curves of NAME.history.json, which 'ksdp train' writes beside NAME.safetensors."""
    if isinstance(subject, (Model, Run)):
        return
    model = paths.existing(subject)
    file = paths.history_of(model)
    if not file.is_file():
        ships = model.parent == models.FOLDER
        why = f"{model.stem} ships without the history of its training" if ships else f"there is no {file}"
        work.notes.append(f"{why}, so no training curves")
        return
    try:
        document = read_json(file)
        as_record(History, document)
        panel = figures.training_panel(document["history"], title=work.title)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is not a training history: {error}", "move it away, or train again") from None
    work.parts["-training"] = lambda path: figures.curve_panels([panel], path)


def _model_pairs(work: Work, network: NetworkClouds, selection: Selection) -> list[tuple[PictureCloud, PictureCloud]]:
    """Pair the network with every selected frame of the store."""
    pairs = []
    for one in of_store(work, selection, LARGEST):
        values = {name: one.values.get(name, constant(selection.run, name)) for name in network.generator.names}
        missing = [name for name, value in values.items() if value is None]
        if missing:
            message = f"{selection.run.path} has no value of {missing[0]!r}, a parameter of the network"
            raise ConfigError(message, "give a store of that simulation")
        pairs.append((network.at({name: value for name, value in values.items() if value is not None}), one))
    work.notes += network.warnings([cloud.values for cloud, _ in pairs])
    return pairs


def _store_pairs(
    work: Work, selection: Selection, other: Run, at: Mapping[str, Values]
) -> list[tuple[PictureCloud, PictureCloud]]:
    """Pair the frames of two stores that agree in every common parameter; if each has one frame, pair these."""
    own = {"t", *other.cases[0]}
    values = {name: value for name, value in at.items() if name in own or constant(other, name) is not None}
    first, second = of_store(work, selection, LARGEST), of_store(work, select(other, **values), LARGEST)
    if len(first) == len(second) == 1:
        return [(first[0], second[0])]
    pairs = [(a, b) for a in first for b in second if _agree(selection.run, a.values, other, b.values)]
    if not pairs:
        raise ConfigError(
            f"{selection.run.path} and {other.path} have no case and snapshot in common",
            "select by name, as --A 50 --t 0.1",
        )
    return pairs


def _agree(a: Run, x: At, b: Run, y: At) -> bool:
    for name in {*x, *y} - {SEED}:  # runs with two seeds have one law
        one, other = x.get(name, constant(a, name)), y.get(name, constant(b, name))
        if one is not None and other is not None and not np.isclose(one, other, rtol=1e-9, atol=1e-12):
            return False
    return True


def _shared(pairs: Sequence[tuple[At, At]]) -> list[At]:
    """The parameters of each pair, from both clouds, without those in which the clouds of some pair differ."""
    differ = {name for a, b in pairs for name in a if name in b and not np.isclose(a[name], b[name], rtol=1e-9)}
    every = [{name: value for name, value in (b | a).items() if name not in differ} for a, b in pairs]
    return [dict(sorted(values.items(), key=lambda item: item[0] == "t")) for values in every]  # the time last


def _labels(a: Run, b: Run) -> tuple[str, str]:
    if a.kind != b.kind:
        return KINDS[a.kind].removesuffix(" samples"), KINDS[b.kind].removesuffix(" samples")
    return a.path.stem, b.path.stem


def _beside(
    work: Work,
    pairs: list[tuple[PictureCloud, PictureCloud]],
    other: Run,
    labels: tuple[str, str],
    model: Model | None = None,
) -> None:
    """Draw densities in pairs, in all projections if they fit, and the second moment if one parameter varies."""
    some = thin(work, pairs, MOST_PAIRS)
    titles = labels_of(_shared([(a.values, b.values) for a, b in some]))

    def densities(path: Path) -> None:
        rows = [
            (label, work.first_axes(a.load()), work.first_axes(b.load()))
            for label, (a, b) in zip(titles, some, strict=True)
        ]
        if len(rows) == 1:
            title = ", ".join(word for word in (work.title, titles[0]) if word)
            figures.histogram_pair(rows[0][1], rows[0][2], path, title=title, labels=labels)
        elif rows[0][1].shape[1] == 3 and len(rows) <= MOST_SECTIONS:
            figures.histogram_sections(rows, path, title=work.title, labels=labels)
        else:
            figures.histogram_grid(rows, path, title=work.title, labels=labels)

    work.parts[""] = densities
    along = plotting_curves.only_varying([b.values for _, b in pairs])
    if along is None or len(pairs) < 3:
        return

    def curves(path: Path) -> None:
        moments = [(b.values[along], a.moments(), b.moments()) for a, b in pairs]
        first = pairs[0][1].values
        law = plotting_curves.equation_6(other, first, moments[0][2])
        plotting_curves.of_pairs(moments, along, labels, path, title=work.title, model=model, law=law)

    work.parts["-moments"] = curves
