"""One experiment at one scale in one folder: simulate, train, evaluate; finished stages are not repeated."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..api import sample, simulate, train
from ..api.generator import Generator
from ..api.paths import history_of, slug
from ..api.references import reference_options
from ..api.training import with_form
from ..api.training_data import parameters_of
from ..assignment.certified.solver import Certified
from ..base.files import JsonDict, read_json
from ..base.listener import Progress, Stop, discard
from ..base.shapes import Cloud
from ..config import TrainConfig, build
from ..errors import ConfigError, DataError, Interrupted
from ..learning.model import Model
from ..particles.problem import pose
from ..store import Run, open_run
from .definition import Experiment
from .ledger import Ledger

Point = dict[str, float]
Result = TypeVar("Result")
#: Largest number of disjoint sub-samples of N particles for a pair of clouds.
SUBSAMPLES = 5
#: First seed of the network's input particles, which no simulation uses.
INPUT_SEED = 1 << 40
#: The seed of the validation runs.
VALIDATION_SEED = 1 << 41


class Stages:
    """Runs the stages of a reproduction, or loads them: data, networks, references, distances."""

    def __init__(
        self,
        experiment: Experiment,
        scale: str,
        folder: Path,
        *,
        overwrite: bool = False,
        algorithm: str | None = None,
        device: str = "auto",
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> None:
        self.experiment, self.scale_name, self.scale = experiment, scale, experiment.scale(scale)
        self.folder, self.device, self.algorithm = folder, device, algorithm
        #: What makes the same stages in another process; JSON holds it.
        self.arguments = {
            "experiment": experiment.model_dump(mode="json", exclude_unset=True), "scale": scale,
            "folder": str(folder.absolute()), "overwrite": overwrite, "algorithm": algorithm, "device": device,
        }  # fmt: skip
        self.ledger = Ledger(folder / "stages", overwrite)
        self._progress, self.stop = progress, stop
        self._problem = pose(experiment.simulate_options(scale))
        self.simulation = self._problem.config.model_dump(mode="json", exclude={"device"})
        self._models: dict[int, Model] = {}

    def data(self) -> Run:
        """The simulation with the training data."""
        return self.simulation_of("simulate", self.experiment.simulate_options(self.scale_name), "training")

    def simulation_of(self, stage: str, options: dict[str, object], stem: str) -> Run:
        """The simulation of ``options``, in STEM.zarr."""
        out = self.folder / f"{stem}.zarr"
        config = pose(options).config.model_dump(mode="json", exclude={"device"})

        def work(afresh: bool) -> dict[str, object]:
            arguments: dict[str, Any] = {**options, "device": self.device}
            progress = self.progress_of(stage)
            arguments |= {"out": out, "progress": progress, "stop": self.stop, "warn": discard}
            _on_or_afresh(lambda again: simulate(resume=not again, overwrite=again, **arguments), afresh)
            return {"store": out.name}

        self.ledger.stage(stage, config, work, out)
        return open_run(out)

    def network(self, seed: int) -> tuple[Path, Model]:
        """The network of a seed: its file and the model."""
        run, out = self.data(), self.folder / f"seed-{seed}.safetensors"
        options = self.experiment.train_options(self.scale_name, seed, self.algorithm)
        settings = build(TrainConfig, options)
        config = with_form(settings, len(settings.eta or parameters_of(run))).model_dump(mode="json")
        other = self.validation()

        def work(afresh: bool) -> dict[str, object]:
            arguments: dict[str, Any] = {**options, "device": self.device}
            if other is not None:
                arguments["validate"] = other
            progress = self.progress_of(f"train seed {seed}")
            training = _on_or_afresh(
                lambda again: train(
                    run, out=out, progress=progress, stop=self.stop, resume=not again, overwrite=again, **arguments
                ),
                afresh,
            )
            return {name: value for name, value in training.as_dict().items() if name not in ("history", "path")}

        del config["device"]
        on = {} if other is None else {"validation": other.config}
        self.ledger.stage(f"train-{seed}", config | {"data": self.simulation} | on, work, out)
        if seed not in self._models:
            self._models[seed] = Model.load(out)
        return out, self._models[seed]

    def validation(self) -> Run | None:
        """The validation runs, with their own seed, or None if the experiment has none."""
        if not self.experiment.validation:
            return None
        options = {"seed": VALIDATION_SEED} | self.experiment.validation_options(self.scale_name)
        return self.simulation_of("validation", options, "validation")

    def reference(self, at: Point, number: int = 0) -> Run:
        """An independent simulation at a point, with the configuration of the training data and its own seed."""
        name = f"reference-{label(at)}-{number}"
        return self.simulation_of(name, reference_options(self.simulation, at) | {"seed": _seed(at, number)}, name)

    def references(self, at: Point) -> list[Cloud]:
        """The clouds of all references at a point."""
        return [self.reference(at, number).frame() for number in range(self.scale.references)]

    def samples(self, seed: int, at: Point, n: int) -> Cloud:
        """Draw ``n`` particles from the network of a seed at a point, from inputs that no simulation uses."""
        _, model = self.network(seed)
        return Generator(model, self.device).cloud(n, at, INPUT_SEED + seed)

    def goes_beyond(self, at: Point) -> bool:
        """Whether ``at`` is after the last trained time and particles alone determine the state there."""
        last = self._problem.config.times[-1]
        return at.get("t", last) > last * (1 + 1e-9) and not self._problem.chemistry.memory

    def further(self, seed: int, at: Point) -> Run:
        """Particles from the network of a seed at the last trained time, simulated on to ``at`` by equation (8)."""
        _, model = self.network(seed)
        out = self.folder / f"beyond-{label(at)}-seed{seed}.zarr"

        def work(afresh: bool) -> dict[str, object]:
            progress, count = self.progress_of(f"beyond {label(at)}, seed {seed}"), self.reference(at).J
            options: dict[str, Any] = {"n": count, "seed": INPUT_SEED + seed, "device": self.device, "out": out}
            options |= {"beyond": "simulate", "overwrite": True, **at}
            run = sample(model, progress=progress, stop=self.stop, warn=discard, **options)
            return {"store": out.name, "seconds": float(run.attrs["seconds"])}

        self.ledger.stage(f"beyond-{label(at)}-seed{seed}", self._of(at) | {"weights": model.sha256}, work, out)
        return open_run(out)

    def floor(self, at: Point, n: int) -> list[float]:
        """Exact W2^2 at N = ``n`` of every pair of references at a point: (0, 1), (0, 2), ..., (1, 2), ..."""
        clouds = self.references(at)
        pairs = list(itertools.combinations(range(len(clouds)), 2))

        def work(_: bool) -> dict[str, object]:
            title = f"floor {label(at)}, N = {n}"
            return {"w2_squared": self._distances(title, [(clouds[i], clouds[j]) for i, j in pairs], n)}

        return self._measurement(f"floor-{label(at)}-N{n}", at, {"N": n}, work)

    def distances(self, seed: int, at: Point, n: int, beyond: bool = False) -> list[float]:
        """Exact W2^2 at N = ``n`` between the network of a seed, or `further`, and each reference at a point."""
        clouds, (_, model) = self.references(at), self.network(seed)
        what = "beyond" if beyond else "W2"

        def work(_: bool) -> dict[str, object]:
            count = max(len(cloud) for cloud in clouds)
            samples = self.further(seed, at).frame() if beyond else self.samples(seed, at, count)
            title = f"{what} {label(at)}, N = {n}, seed {seed}"
            return {"w2_squared": self._distances(title, [(samples, cloud) for cloud in clouds], n)}

        name = f"w2-{'beyond-' if beyond else ''}{label(at)}-N{n}-seed{seed}"
        return self._measurement(name, at, {"N": n, "weights": model.sha256}, work)

    def by_name(self, name: str, words: list[Any]) -> None:
        """Make a stage of `side_by_side`: a method of this class, or ``measured``, all that is measured at a point of
        the network of a seed, or of the references among themselves."""
        if name != "measured":
            getattr(self, name)(*words)
            return
        at, seed = words
        for n in self.scale.N:
            if seed is None:
                self.floor(at, n)
                continue
            for beyond in (False, True) if self.goes_beyond(at) else (False,):
                self.distances(seed, at, n, beyond)

    def has(self, name: str, words: list[Any]) -> bool:
        """Whether a stage of `by_name` lies there done; of what configuration is not asked."""
        if name == "measured":
            at, seed = words
            if seed is None:
                names = [f"floor-{label(at)}-N{n}" for n in self.scale.N]
            else:
                beyond = self.goes_beyond(at)
                kinds = ["", "beyond-"] if beyond else [""]
                names = [f"w2-{kind}{label(at)}-N{n}-seed{seed}" for kind in kinds for n in self.scale.N]
                names += [f"beyond-{label(at)}-seed{seed}"] if beyond else []
        elif name == "reference":
            names = [f"reference-{label(words[0])}-{words[1]}"]
        else:
            names = [{"data": "simulate", "validation": "validation", "network": f"train-{(*words, 0)[0]}"}[name]]
        return not self.ledger.overwrite and all(self.ledger.is_done(one) for one in names)

    def history(self, seed: int) -> list[JsonDict]:
        """The history of a training: rows with step, loss, validation."""
        path, _ = self.network(seed)
        file = history_of(path)
        try:
            return list(read_json(file)["history"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{file} is not a history of a training: {error}", "use --overwrite to train again"
            ) from None

    def progress_of(self, title: str) -> Progress | None:
        """The caller's progress function, with a title of experiment and stage; None without one."""
        progress = self._progress
        if progress is None:
            return None

        def tell(stage: str, done: int, total: int, note: str = "") -> None:
            progress(f"{self.experiment.name}: {title}", done, total, f"{stage} {note}".strip())

        return tell

    def _measurement(
        self, name: str, at: Point, what: dict[str, object], work: Callable[[bool], dict[str, object]]
    ) -> list[float]:
        return list(self.ledger.stage(name, what | self._of(at), work).result["w2_squared"])

    def _of(self, at: Point) -> dict[str, object]:
        """The configuration on which every stage at a point depends."""
        return {"at": at, "references": self.scale.references, "data": self.simulation}

    def _distances(self, title: str, pairs: list[tuple[Cloud, Cloud]], n: int) -> list[float]:
        """Mean exact W2^2 of each pair over disjoint sub-samples of ``n`` particles."""
        values, tell = [], self.progress_of(title)
        for a, b in pairs:
            number = self.stop() if self.stop else None
            if number is not None:
                raise Interrupted(f"stopped by signal {number}; what is done is kept in {self.folder}", number,
                                  "repeat the command to continue")  # fmt: skip
            count = min(SUBSAMPLES, len(a) // n, len(b) // n)
            x, y = (cloud[: count * n].reshape(count, n, -1).astype(np.float64) for cloud in (a, b))
            values.append(float(Certified().solve(x, y).value.mean()))
            if tell:
                tell("pairs", len(values), len(pairs))
        return values


def _on_or_afresh(make: Callable[[bool], Result], afresh: bool) -> Result:
    """Resume by ``make(False)``; if that is refused and ``afresh``, start again, by ``make(True)``."""
    try:
        return make(False)
    except (ConfigError, DataError):
        if not afresh:
            raise
    return make(True)


def label(at: Point) -> str:
    """A point as part of a file name: ``A50-t0.02``."""
    return slug("-".join(f"{name}{value:g}" for name, value in at.items()))


def _seed(at: Point, number: int) -> int:
    """The seed of a reference: different at each point, and far from the small seeds of trainings."""
    return (1 << 32) + 1000 * int(hashlib.sha256(label(at).encode()).hexdigest()[:7], 16) + number
