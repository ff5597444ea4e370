"""plot: pictures of a store, of a model, or of one beside the other."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .. import figures
from .. import pretrained as models
from ..api import paths
from ..api.clouds import part_of
from ..api.generator import Generator
from ..api.options import Number, Values
from ..base.bars import drawn
from ..base.files import JsonDict, local, read_json, target
from ..base.grids import SEED
from ..base.labels import KINDS, evenly, label
from ..base.listener import Progress
from ..base.outputs import Lock, claim
from ..base.parsing import integer, sweep
from ..base.records import History, checked
from ..base.shapes import Cloud
from ..errors import ConfigError, DataError
from ..learning.model import Model
from ..metrics import Moments, moments
from ..store import Run, open_run
from ..store.selection import Selection, fixed, select
from . import curves as plotting_curves
from . import filming

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Clouds in one picture: of a store alone, in 2D and 3D, and beside another.
MOST_2D, MOST_3D, MOST_PAIRS, MOST_SECTIONS = 12, 4, 4, 2
#: Particles of a frame that a picture counts, more than any picture can show.
LARGEST = 2_000_000
SAMPLES = 1_000_000

At = dict[str, float]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Plotted:
    """The files that were written, and what a reader of the pictures should know.

    ``figures`` are those of matplotlib, one a picture, to be changed and saved again; a film has none.
    """

    files: list[Path]
    notes: list[str]
    figures: list[Figure] = field(default_factory=list, repr=False)

    @property
    def figure(self) -> Figure:
        """That of the first picture. Raises `ConfigError` for a film."""
        if not self.figures:
            raise ConfigError("a film has no figure", "plot a picture, as -o cloud.png")
        return self.figures[0]

    def _repr_html_(self) -> str:
        return "".join(_embedded(path) for path in self.files if path.suffix not in (".pdf", ".mp4"))

    def as_dict(self) -> JsonDict:
        return {"files": [str(path) for path in self.files], "notes": self.notes}


def _embedded(path: Path) -> str:
    """A picture as an element of a page that needs no file."""
    kind = "svg+xml" if path.suffix == ".svg" else path.suffix[1:]
    return f'<img alt="{path.name}" src="data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}">'


@dataclass(frozen=True)
class _Shown:
    """One cloud with the values of its parameters, and the chemical where it is stored, loaded when it is drawn;
    of several seeds a cloud for each."""

    values: At
    runs: tuple[Callable[[], Cloud], ...]
    field: Callable[[], figures.Field] | None = None

    def load(self) -> Cloud:
        """The particles of all seeds."""
        return self.runs[0]() if len(self.runs) == 1 else np.concatenate([run() for run in self.runs])

    def moments(self) -> list[Moments]:
        """Of each seed."""
        return [moments(run()) for run in self.runs]


@dataclass
class _Work:
    """What the parts of a picture are made of: ``parts`` maps the end of each file's name to what draws it."""

    title: str
    parts: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def drawn(self, x: Cloud) -> Cloud:
        """``x`` (n, d) as it is drawn, its first three axes; that is said once."""
        told = f"the first 3 of {x.shape[1]} dimensions are drawn"
        if x.shape[1] > 3 and told not in self.notes:
            self.notes.append(told)
        return x[:, :3]


def plot(
    subject: str | Path | Run | Model,
    reference: str | Path | Run | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    case: int | str | Sequence[int] | None = None,
    n: Number | None = None,
    device: str | None = None,
    progress: Progress | bool | None = None,
    **at: Values,
) -> Plotted:
    """Draw what ``subject`` holds, beside ``reference`` where there is one, and return the files.

    A store gives the densities of its clouds and, when it has several, their second moments with equation (6) where
    it holds; a model gives the densities it generates from ``n`` particles (10^6) and its training curves; a model or
    a store with a reference store gives densities side by side on one scale, and moments. ``case``, ``t`` and
    parameters by name (``A=50``, ``A=[1, 10]``) choose what is drawn. ``out`` (.png, .pdf or .svg) is the first
    picture, others add a word to its name; by default a fresh name in ``./runs``. With .gif, .webp or .mp4 (which needs
    ffmpeg) it is a film: over the snapshots or the swept parameter of a store, or over a parameter of a model.

    Raises `ConfigError` for what there is not, `DataError` for files that are damaged, or exist and may not be
    replaced.
    """
    place = target(out) if out is not None else None
    filmed = place is not None and place.suffix in figures.FILMS
    if place is not None and not filmed:
        figures.require_suffix(place)
    if place is not None and place.suffix == ".mp4":
        figures.require_ffmpeg()
    own = _open(subject)
    other = None if reference is None else _open(reference)
    if isinstance(other, Model):
        raise ConfigError(f"the reference {reference} is a model", "name the model first and a store second")
    work = _Work(_name(subject))
    if filmed:
        if other is not None:
            raise ConfigError("a film of two", "film the one, then the other; a picture shows them side by side")
        _film(work, own, at, case, n, device)
        return _written(work, place, overwrite, progress)
    if isinstance(own, Model):
        network = _Network(own, _count(n, SAMPLES), device or "auto")
        if other is None:
            _model_alone(work, network, at, case)
            _training(work, subject)
        else:
            pairs = _model_pairs(work, network, select(other, case=case, **at))
            _beside(work, pairs, other, ("network", "simulation"), own)
    else:
        if n is not None:
            raise ConfigError(f"{own.path} is a store: it has {own.J} particles", "--n is for a model")
        chosen = select(own, case=case, **at)
        if other is None:
            _store_alone(work, chosen)
        else:
            pairs = _store_pairs(work, chosen, other, at)
            _beside(work, pairs, other, _labels(own, other))
    return _written(work, place, overwrite, progress)


def _count(n: Number | None, usual: int) -> int:
    """Particles that a model generates."""
    count = usual if n is None else integer(n)
    if count < 1:
        raise ConfigError(f"n = {count} particles", "give --n a number of 1 or more")
    return count


def _written(work: _Work, place: Path | None, overwrite: bool, progress: Progress | bool | None) -> Plotted:
    """Draw every part, once every place is known to be free."""

    def files(first: Path) -> list[Path]:
        return [first.with_name(f"{first.stem}{end}{first.suffix}") for end in work.parts]

    def begin(first: Path) -> Lock:
        return claim(first, figures.made_here, "plot", overwrite=overwrite, also=files(first))

    first, lock = paths.begun(place, paths.slug(Path(work.title).stem), ".png", begin)
    with lock, drawn(progress) as bar, figures.kept() as kept:
        for number, (file, draw) in enumerate(zip(files(first), work.parts.values(), strict=True)):
            draw(file)
            if bar:
                bar("pictures", number + 1, len(work.parts))
    return Plotted(files(first), work.notes, kept)


def _open(given: str | Path | Run | Model) -> Run | Model:
    if isinstance(given, (Run, Model)):
        return given
    if (chosen := part_of(given)) is not None:
        return chosen
    path = local(given)
    if path.suffix == ".zarr":
        return open_run(path)
    there = paths.found(path)
    return open_run(there) if there.is_dir() else Model.load(there)


def _name(given: str | Path | Run | Model) -> str:
    if isinstance(given, Run):
        return given.path.name
    return "model" if isinstance(given, Model) else Path(given).name


class _Network:
    """A generator that pushes the same ``n`` particles, those of ``ksdp sample``, to every point."""

    def __init__(self, model: Model, n: int, device: str) -> None:
        self.generator, self.n = Generator(model, device), n
        self._x: Cloud | None = None

    def at(self, values: At) -> _Shown:
        def load() -> Cloud:
            if self._x is None:
                self._x = self.generator.inputs(self.n)
            return self.generator.push(self._x, values)

        return _Shown(values, (load,))

    def warnings(self, points: Sequence[At]) -> list[str]:
        return self.generator.warnings(self.n, *points)


def _store_alone(work: _Work, chosen: Selection) -> None:
    run, every = chosen.run, _of_store(work, chosen)
    most = MOST_2D if run.dim == 2 else MOST_3D
    _sheet(work, _spread(work, every, most))
    if len(every) > 1:
        work.parts["-moments"] = lambda path: plotting_curves.of_store(
            chosen, [(one.values, one.moments()) for one in every], path
        )


def _model_alone(work: _Work, network: _Network, at: JsonDict, case: object) -> None:
    if case is not None:
        raise ConfigError("a model has no cases", "name its parameters, as --A 50")
    model = network.generator.model
    names = model.eta_map.names
    highest = model.complete({name: sweep(value)[0] for name, value in at.items()})
    grids = [sweep(at[name]) if name in at else (highest[name],) for name in names]
    every = [dict(zip(names, values, strict=True)) for values in itertools.product(*grids)]
    shown = _spread(work, every, MOST_2D if model.dim == 2 else MOST_3D)
    work.notes += network.warnings(shown)
    _sheet(work, [network.at(values) for values in shown])


def _sheet(work: _Work, shown: Sequence[_Shown]) -> None:
    named = _labelled([one.values for one in shown])
    work.parts[""] = lambda path: figures.histogram_sheet(
        [(label, work.drawn(one.load())) for label, one in zip(named, shown, strict=True)],
        path,
        title=work.title,
        fields=[one.field() if one.field else None for one in shown],
    )


def _film(work: _Work, own: Run | Model, at: JsonDict, case: object, n: Number | None, device: str | None) -> None:
    if isinstance(own, Model):
        if case is not None:
            raise ConfigError("a model has no cases", "name its parameters, as --A 50")
        network = _Network(own, _count(n, filming.PARTICLES), device or "auto")
        points = filming.points_of_model(network.generator, at)
        work.notes += network.warnings([points[0], points[-1]])
        shown = [network.at(values) for values in points]
    else:
        chosen = select(own, case=case, **at)
        step = -(-own.J // filming.PARTICLES)
        shown = [_frame(own, case, k, step) for case, k in filming.along_store(chosen)]
    named = _labelled([one.values for one in shown])
    work.parts[""] = lambda path: figures.film(
        [(label, one.load()) for label, one in zip(named, shown, strict=True)],
        path,
        title=work.title,
        fields=[one.field() if one.field else None for one in shown],
    )


def _training(work: _Work, subject: Any) -> None:
    """The curves of NAME.history.json, which 'ksdp train' writes beside NAME.safetensors."""
    if isinstance(subject, Model):
        return
    model = paths.found(subject)
    file = paths.history_of(model)
    if not file.is_file():
        ships = model.parent == models.FOLDER
        why = f"{model.stem} ships without the history of its training" if ships else f"there is no {file}"
        work.notes.append(f"{why}, so no training curves")
        return
    try:
        document = read_json(file)
        checked(History, document)
        panel = figures.training_panel(document["history"], title=work.title)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is no history of a training: {error}", "move it away, or train again") from None
    work.parts["-training"] = lambda path: figures.curve_panels([panel], path)


def _model_pairs(work: _Work, network: _Network, chosen: Selection) -> list[tuple[_Shown, _Shown]]:
    """Network and store at every chosen frame of the store."""
    pairs = []
    for one in _of_store(work, chosen):
        known = {name: one.values.get(name, fixed(chosen.run, name)) for name in network.generator.names}
        missing = [name for name, value in known.items() if value is None]
        if missing:
            told = f"{chosen.run.path} does not say its {missing[0]!r}, a parameter of the network"
            raise ConfigError(told, "give a store of that simulation")
        pairs.append((network.at({name: value for name, value in known.items() if value is not None}), one))
    work.notes += network.warnings([generated.values for generated, _ in pairs])
    return pairs


def _store_pairs(work: _Work, chosen: Selection, other: Run, at: JsonDict) -> list[tuple[_Shown, _Shown]]:
    """The frames of two stores that agree in every parameter that both have; the only two, whatever they are."""
    known = {name: value for name, value in at.items() if name == "t" or name in other.cases[0] or fixed(other, name)}
    first, second = _of_store(work, chosen), _of_store(work, select(other, **known))
    if len(first) == len(second) == 1:
        return [(first[0], second[0])]
    pairs = [(a, b) for a in first for b in second if _agree(chosen.run, a.values, other, b.values)]
    if not pairs:
        raise ConfigError(
            f"{chosen.run.path} and {other.path} have no case and snapshot in common",
            "choose by name, as --A 50 --t 0.1",
        )
    return pairs


def _agree(a: Run, x: At, b: Run, y: At) -> bool:
    for name in {*x, *y} - {SEED}:  # runs of two seeds are of one law
        one, other = x.get(name, fixed(a, name)), y.get(name, fixed(b, name))
        if one is not None and other is not None and not np.isclose(one, other, rtol=1e-9, atol=1e-12):
            return False
    return True


def _labels(a: Run, b: Run) -> tuple[str, str]:
    if a.kind != b.kind:
        return KINDS[a.kind].removesuffix(" samples"), KINDS[b.kind].removesuffix(" samples")
    return a.path.stem, b.path.stem


def _beside(
    work: _Work, pairs: list[tuple[_Shown, _Shown]], other: Run, labels: tuple[str, str], model: Model | None = None
) -> None:
    """Densities in pairs; all projections where there is room; the second moment where one parameter varies."""
    some = _spread(work, pairs, MOST_PAIRS)
    named = _labelled([b.values for _, b in some])

    def densities(path: Path) -> None:
        rows = [(label, work.drawn(a.load()), work.drawn(b.load())) for label, (a, b) in zip(named, some, strict=True)]
        if len(rows) == 1:
            title = ", ".join(word for word in (work.title, named[0]) if word)
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
        measured = [(b.values[along], a.moments(), b.moments()) for a, b in pairs]
        first = pairs[0][1].values
        law = plotting_curves.equation_6(other, first, measured[0][2])
        plotting_curves.of_pairs(measured, along, labels, path, title=work.title, model=model, law=law)

    work.parts["-moments"] = curves


def _of_store(work: _Work, chosen: Selection) -> list[_Shown]:
    """Every chosen frame, those of several seeds as one; of more particles than a picture can show, evenly spaced
    ones."""
    run, seeds = chosen.run, {chosen.run.cases[case].get(SEED) for case in chosen.cases}
    step = -(-run.J * len(seeds) // LARGEST)
    if step > 1:
        work.notes.append(f"{-(-run.J // step)} of the {run.J} particles of {run.path} are counted: one in {step}")

    every = [_frame(run, case, k, step) for case, k in chosen.frames()]
    pooled = _of_all_seeds(every)
    if len(pooled) == len(every):  # one seed, or another one for each case
        return every
    work.notes.append(
        f"the particles of {len(seeds)} seeds of {run.path} are drawn together, and moments are means over seeds with "
        "Student's 95 % bands; --seed chooses one"
    )
    return pooled


def _of_all_seeds(every: list[_Shown]) -> list[_Shown]:
    """Frames that differ in their seed alone as one, which has no chemical: each seed has its own."""
    together: dict[tuple[float, ...], list[_Shown]] = {}
    for one in every:
        together.setdefault(tuple(value for name, value in one.values.items() if name != SEED), []).append(one)
    return [
        _Shown({n: v for n, v in shown[0].values.items() if n != SEED}, tuple(run for one in shown for run in one.runs))
        for shown in together.values()
    ]


def _frame(run: Run, case: int, k: int, step: int) -> _Shown:
    """Every ``step``-th particle of a frame."""
    values = run.cases[case] | {"t": float(run.times[k])}
    field = (lambda: field_of(run, case, k)) if run.grid else None
    return _Shown(values, (lambda: run.rows(case, k, slice(0, None, step)),), field)


def field_of(run: Run, case: int, k: int) -> figures.Field:
    """The chemical of a frame, of a store that holds it."""
    assert run.grid is not None
    return figures.Field(run.grid.axes(), run.field(case, k))


def _spread(work: _Work, items: list[Item], most: int) -> list[Item]:
    """All of them, or ``most`` evenly spaced ones with the first and the last."""
    if len(items) <= most:
        return items
    work.notes.append(f"{most} of {len(items)} clouds are shown; choose others by name, as --A 50 --t 0.1")
    return evenly(items, most)


def _labelled(every: Sequence[At]) -> list[str]:
    """``A = 50, t = 0.1``: what varies among them, or everything where nothing does."""
    names = [name for name in every[0] if len({values[name] for values in every}) > 1] or list(every[0])
    return [label({name: values[name] for name in names}, 4) for values in every]
