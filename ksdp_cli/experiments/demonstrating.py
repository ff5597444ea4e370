"""The main job, end to end: simulate, train, generate at amplitudes never simulated, compare, draw."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import figures
from ..api.comparing import Compared, compare
from ..api.sampling import sample
from ..api.simulating import simulate
from ..api.training import train
from ..base.files import target
from ..base.listener import Progress, Stop, discard
from ..base.outputs import Lock, require_free

#: The paper's laminar flow (19) at its amplitudes 10^(0.2 i); the time step is its reference solver's.
SIMULATION: dict[str, Any] = {"flow": "laminar2d", "A": "1:100:11log", "T": 0.02, "J": 10_000, "dt": 2e-4}
TRAINING: dict[str, Any] = {"N": 2000, "steps": 1000, "validate_every": 250}
#: One amplitude inside the trained range and one outside, not in the training data: rows of Table 2.
UNSEEN = (50.0, 130.0)
GENERATED = 1_000_000
#: Two independent references, for the distance and its noise floor.
FRESH_SEEDS = (101, 102)


@dataclass
class Demonstration:
    """Folder, comparisons, pictures, and the seconds of each stage."""

    folder: Path
    compared: list[Compared] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        return {
            "folder": str(self.folder),
            "compared": [one.as_dict() for one in self.compared],
            "pictures": [str(path) for path in self.pictures],
            "seconds": self.seconds,
        }


def demonstrate(
    folder: str | Path = "runs/demo",
    *,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Demonstration:
    """Run the main job in ``folder``; finished stages of an earlier demonstration are not repeated.

    Raises the errors of `simulate`, `train`, `sample` and `compare`.
    """
    at = target(folder)
    pictures = [at / f"{name}.png" for name in (*(f"A{amplitude:g}" for amplitude in UNSEEN), "training")]
    with Lock(at):
        for picture in pictures:
            require_free(picture, True, figures.is_own_picture, "demo")
        return _demonstrate(at, pictures, progress, stop)


def _demonstrate(at: Path, pictures: list[Path], progress: Progress | None, stop: Stop | None) -> Demonstration:
    """The demonstration in the folder ``at``, which is claimed."""
    result = Demonstration(at, pictures=pictures)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        result.seconds[name] = time.monotonic() - began

    model = at / "laminar2d-A.safetensors"
    listener: dict[str, Any] = {"progress": progress, "stop": stop}
    with stage("simulate"):
        run = simulate(out=at / "laminar2d.zarr", resume=True, warn=discard, **listener, **SIMULATION)
    with stage("train"):
        training = train(run, out=model, overwrite=True, **listener, **TRAINING)
    for amplitude, picture in zip(UNSEEN, pictures, strict=False):
        one = SIMULATION | {"A": amplitude}
        with stage(f"generate {GENERATED} at A = {amplitude:g}"):
            out = at / f"generated-A{amplitude:g}.zarr"
            cloud = sample(model, n=GENERATED, out=out, overwrite=True, warn=discard, A=amplitude)
        with stage(f"simulate afresh at A = {amplitude:g}"):
            reference, second = (
                simulate(out=at / f"fresh-A{amplitude:g}-{seed}.zarr", resume=True, warn=discard, seed=seed, **one)
                for seed in FRESH_SEEDS
            )
        with stage(f"compare at A = {amplitude:g}"):
            comparison = compare(cloud, reference, floor=second, N=2000, repeats=3)
        result.compared.append(comparison)
        title = f"laminar flow (19), A = {amplitude:g}, t = {SIMULATION['T']:g}"
        figures.histogram_pair(cloud.frame(0, 0), reference.frame(0, 0), picture, title=title)
    figures.training_curves(training.trained.history, pictures[-1])
    return result
