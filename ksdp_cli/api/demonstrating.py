"""The main job, end to end: simulate, train, generate at amplitudes never simulated, compare, draw."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import figures
from .comparing import Compared, compare
from .sampling import sample
from .simulating import simulate
from .training import train

#: The paper's laminar flow (19) at its amplitudes 10^(0.2 i); the time step is its reference solver's.
SIMULATION: dict[str, Any] = {"flow": "laminar2d", "A": "1:100:11log", "T": 0.02, "J": 10_000, "dt": 2e-4}
TRAINING: dict[str, Any] = {"N": 2000, "steps": 3000, "renew_batch": 500, "renew_gamma": 100, "validate_every": 500}
#: One amplitude inside the trained range and one outside, neither of them trained on: a row of Table 2.
UNSEEN = (50.0, 130.0)
GENERATED = 1_000_000


@dataclass
class Demonstration:
    """Where everything went, what was measured, and how long each stage took (seconds)."""

    folder: Path
    compared: list[Compared] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "compared": [one.as_dict() for one in self.compared],
            "pictures": [str(path) for path in self.pictures],
            "seconds": self.seconds,
        }


def demonstrate(
    folder: str | Path = "runs/demo",
    *,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], int | None] | None = None,
) -> Demonstration:
    """Run the main job into ``folder``; what an earlier demonstration left there is found again and not repeated.

    Raises what its four stages raise.
    """
    done = Demonstration(Path(folder))
    at = done.folder

    def staged(name: str, work: Callable[[], Any]) -> Any:
        began = time.monotonic()
        result = work()
        done.seconds[name] = time.monotonic() - began
        return result

    run = staged(
        "simulate",
        lambda: simulate(out=at / "laminar2d.zarr", resume=True, progress=progress, stop=stop, **SIMULATION),
    )
    model = at / "laminar2d-A.safetensors"
    trained = staged("train", lambda: train(run, out=model, overwrite=True, progress=progress, stop=stop, **TRAINING))
    for amplitude in UNSEEN:
        cloud = staged(
            f"generate {GENERATED} at A = {amplitude:g}",
            lambda a=amplitude: sample(model, n=GENERATED, A=a, out=at / f"generated-A{a:g}.zarr", overwrite=True),
        )
        reference = staged(
            f"simulate afresh at A = {amplitude:g}",
            lambda a=amplitude: [
                simulate(out=at / f"fresh-A{a:g}-{seed}.zarr", resume=True, seed=seed, **(SIMULATION | {"A": a}))
                for seed in (101, 102)
            ],
        )
        done.compared.append(
            staged(
                f"compare at A = {amplitude:g}",
                lambda c=cloud, r=reference: compare(c, r[0], floor=r[1], N=2000, repeats=3),
            )
        )
        picture = at / f"A{amplitude:g}.png"
        figures.histogram_pair(
            cloud.frame(0, 0), reference[0].frame(0, 0), picture, title=f"laminar flow, A = {amplitude:g}"
        )
        done.pictures.append(picture)
    curves = at / "training.png"
    figures.training_curves(trained.trained.history, curves, floor=done.compared[0].comparison.floor)
    done.pictures.append(curves)
    return done
