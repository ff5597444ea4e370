"""Beyond the trained times: the network alone, and its particles moved on by equation (8), at Table 2's t = 0.12.

    python benchmarks/beyond.py [--seeds 5] [--references 4] [--N 10000] [--folder PATH]
                                [--experiments ks2d-time,laminar2d-time] [--ways network,simulate] [--record]

J = 10^4, dt = 1e-4. A network a seed; those that the folder holds (EXPERIMENT-SEED.safetensors) are taken. *z*: excess
over its standard error, by the jackknife over references and the spread over seeds together. *time*: processor seconds
of a cloud as a part of those of a whole simulation, the least of each.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, parser

import ksdp_cli as ksdp
from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.experiments.definition import read
from ksdp_cli.experiments.table2 import jackknife

EXPERIMENTS, T = ("ks2d-time", "laminar2d-time"), 0.12
#: Seeds of the references and of the clouds, none of them those of the training data.
REFERENCE, CLOUD = 7001, 9001


def quiet(_: str) -> None:
    """What the warnings say is known here."""


def distances(pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Exact W2^2 of every pair of clouds (N, d), side by side."""
    x, y = (np.stack([pair[side] for pair in pairs]).astype(np.float64) for side in (0, 1))
    return np.asarray(Certified().solve(x, y).value)


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


def whole(name: str, seed: int, folder: Path) -> Any:
    """A simulation to T from the start."""
    options = {key: value for key, value in read(name).simulate_options("paper").items() if key != "snapshots"}
    return ksdp.simulate(out=folder / f"{name}-{seed}.zarr", overwrite=True, warn=quiet, seed=seed, T=T, **options)


def clocked(make: Callable[[], Any]) -> tuple[Any, float]:
    """What ``make`` makes, and its processor seconds."""
    began = time.process_time()
    return make(), time.process_time() - began


def cloud(model: Any, how: str, seed: int, folder: Path) -> Any:
    """Particles of a network at T, in one of the two ways."""
    given: dict[str, Any] = {"n": 10_000, "t": T, "seed": CLOUD + seed, "beyond": how, "warn": quiet}
    return ksdp.sample(model, out=folder / f"cloud-{how}-{seed}.zarr", overwrite=True, **given)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--references", type=int, default=4)
    arguments.add_argument("--N", type=int, default=10_000)
    arguments.add_argument("--experiments", default=",".join(EXPERIMENTS))
    arguments.add_argument("--ways", default="network,simulate")
    arguments.add_argument("--folder", type=Path, default=None)
    options = arguments.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    table = Table("table2/beyond", ("experiment", "way", "W2^2", "floor", "excess", "z", "time"))
    for name in options.experiments.split(","):
        runs = [clocked(partial(whole, name, REFERENCE + i, folder)) for i in range(options.references)]
        clouds, simulated = [run.frame()[: options.N] for run, _ in runs], min(used for _, used in runs)
        count = len(clouds)
        floor = np.zeros((count, count))
        pairs = distances(list(itertools.combinations(clouds, 2)))
        floor[np.triu_indices(count, 1)] = pairs
        floor += floor.T
        models = networks(folder, name, options.seeds)

        for how in options.ways.split(","):
            spent = [clocked(partial(cloud, model, how, seed, folder)) for seed, model in enumerate(models)]
            made = [run.frame()[: options.N] for run, _ in spent]
            part = min(used for _, used in spent) / simulated
            found = distances(list(itertools.product(made, clouds))).reshape(len(made), count)
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
                f"{100 * part:.3g} %",
            )
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
