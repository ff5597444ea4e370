"""Beyond the trained times: the network alone, and its particles moved on by equation (8), at Table 2's t = 0.12.

    python benchmarks/beyond.py [--seeds 5] [--references 4] [--N 10000] [--folder PATH] [--record]

J = 10^4, dt = 1e-4. A network a seed; a folder that holds networks (EXPERIMENT-SEED.safetensors) and references is gone
on with. *z*: excess over its standard error, by the jackknife over references and the spread over seeds together.
*time*: processor seconds of a cloud as a part of those of a whole simulation, in turns, compiled before.
"""

from __future__ import annotations

import itertools
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, in_turns, parser

import ksdp_cli as ksdp
from ksdp_cli.experiments.definition import read
from ksdp_cli.experiments.table2 import jackknife
from ksdp_cli.metrics.wasserstein import exact_w2_squared

EXPERIMENTS, T = ("ks2d-time", "laminar2d-time"), 0.12
#: Seeds of the references and of the clouds, none of them those of the training data.
REFERENCE, CLOUD = 7001, 9001


def quiet(_: str) -> None:
    """What the warnings say is known here."""


def networks(folder: Path, name: str, seeds: int) -> list[Any]:
    """The networks of an experiment, trained where they are not there."""
    found, experiment = [], read(name)
    for seed in range(seeds):
        file = folder / f"{name}-{seed}.safetensors"
        if not file.exists():
            data = folder / f"{name}.zarr"
            run = ksdp.simulate(out=data, resume=True, warn=quiet, **experiment.simulate_options("paper"))
            # fewer validations do not change the weights
            options = experiment.train_options("paper", seed) | {"validate_every": 3000}
            ksdp.train(run, out=file, resume=True, **options)
        found.append(ksdp.open_model(file))
    return found


def whole(name: str, seed: int, out: Path, overwrite: bool = False) -> Any:
    """A simulation to T from the start."""
    options = {key: value for key, value in read(name).simulate_options("paper").items() if key != "snapshots"}
    options |= {"overwrite": overwrite, "resume": not overwrite}
    return ksdp.simulate(out=out, warn=quiet, seed=seed, T=T, **options)


def cloud(model: Any, how: str, seed: int, folder: Path) -> Any:
    """Particles of a network at T, in one of the two ways."""
    given: dict[str, Any] = {"n": 10_000, "t": T, "seed": CLOUD + seed, "beyond": how, "warn": quiet}
    return ksdp.sample(model, out=folder / f"cloud-{how}.zarr", overwrite=True, **given)


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--seeds", type=int, default=5)
    made.add_argument("--references", type=int, default=4)
    made.add_argument("--N", type=int, default=10_000)
    made.add_argument("--folder", type=Path, default=None)
    options = made.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    table = Table("table2/beyond", ("experiment", "way", "W2^2", "floor", "excess", "z", "time"))
    for name in EXPERIMENTS:
        models = networks(folder, name, options.seeds)
        runs = [whole(name, REFERENCE + i, folder / f"{name}-whole-{i}.zarr") for i in range(options.references)]
        clouds = [run.frame()[: options.N] for run in runs]
        count = len(clouds)
        floor = np.zeros((count, count))
        for i, j in itertools.combinations(range(count), 2):
            floor[i, j] = floor[j, i] = exact_w2_squared(clouds[i], clouds[j])
        pairs = floor[np.triu_indices(count, 1)]

        further = partial(cloud, folder=folder)
        calls = [
            partial(whole, name, 0, folder / "timed.zarr", overwrite=True),
            partial(further, models[0], "network", 0),
            partial(further, models[0], "simulate", 0),
        ]
        spent = in_turns(calls, 1)
        for how, used in zip(("network", "simulate"), spent[1:], strict=True):
            found = np.array(
                [
                    [exact_w2_squared(further(model, how, seed).frame()[: options.N], other) for other in clouds]
                    for seed, model in enumerate(models)
                ]
            )
            each = found.mean(1)
            spread = float(each.std(ddof=1)) if len(each) > 1 else 0.0
            excess = float(each.mean() - pairs.mean())
            error = np.hypot(jackknife(found.mean(0), floor) or np.nan, spread / np.sqrt(len(each)))
            table.row(
                f"`{name}`",
                {"network": "the network alone", "simulate": "to t = 0.1, then equation (8)"}[how],
                f"{each.mean():.4f} ± {spread:.4f}",
                f"{pairs.mean():.4f} ± {pairs.std(ddof=1):.4f}",
                f"{excess:.4f} ± {error:.4f}",
                f"{excess / error:.1f}",
                f"{100 * used.cpu / spent[0].cpu:.3g} %",
            )
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
