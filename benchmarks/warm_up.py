"""The paper's warm-up: a simulation that starts from generated particles at an earlier time instead of from t = 0.

    python benchmarks/warm_up.py [--model laminar2d-time] [--folder runs/warm-up]

A network that knows t generates 10^4 particles at t0, and the interacting particles go on from them to t1 (`ksdp
sample MODEL --t t0 -o S.zarr`, `ksdp simulate --init S.zarr --T t1-t0`). Printed for several t0, for t1 inside the
trained range and beyond it: the part of the steps that is saved, and exact squared W2 at N = 10^4 to four independent
whole runs, of the warm run and of the network at t1 itself, less the noise floor between those runs (+- standard error,
jackknife over them). Runs in the folder are reused.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, parser

from ksdp_cli import api
from ksdp_cli import pretrained as models
from ksdp_cli.api.references import reference_options
from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.experiments.table2 import jackknife
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.model import Model

ENDS = {0.1: (0.02, 0.05, 0.08, 0.09), 0.12: (0.05, 0.08, 0.1)}
REFERENCES, SEED = 4, 7_000_000


def w2_squared(pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    return np.concatenate([Certified().solve(a[None].astype(float), b[None].astype(float)).value for a, b in pairs])


def until(
    table: Table,
    end: float,
    starts: tuple[float, ...],
    name: str,
    model: Model,
    folder: Path,
    options: dict[str, Any],
) -> None:
    """One row for each start, and one for the network alone."""
    whole = [
        api.simulate(out=folder / f"whole-{end}-{k}.zarr", resume=True, **options | {"T": end, "seed": SEED + k})
        for k in range(REFERENCES)
    ]
    clouds = [run.frame() for run in whole]
    between = np.zeros((REFERENCES, REFERENCES))
    for i, j in itertools.combinations(range(REFERENCES), 2):
        between[i, j] = between[j, i] = w2_squared([(clouds[i], clouds[j])])[0]
    floor = between.sum() / (REFERENCES * (REFERENCES - 1))

    def excess(cloud: np.ndarray) -> tuple[str, str]:
        far = w2_squared([(cloud, other) for other in clouds])
        return f"{far.mean() - floor:.4f} ± {jackknife(far, between):.4f}", f"{floor:.4f}"

    for start in starts:
        generated = folder / f"generated-{start}.zarr"
        if not generated.exists():
            api.sample(name, n=options["J"], seed=SEED, out=generated, t=start)
        own = {"T": end - start, "seed": SEED + 100, "init": str(generated)}
        warm = api.simulate(out=folder / f"warm-{start}-{end}.zarr", resume=True, **options | own)
        table.row(f"{end:g}", f"{start:g}", f"{start / end:.0%}", *excess(warm.frame()))
    alone = model.push(Ball().draw(options["J"], model.dim, SEED + 200), [end])
    table.row(f"{end:g}", "network alone", None, *excess(alone))


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--model", default="laminar2d-time")
    options.add_argument("--folder", type=Path, default=Path("runs/warm-up"))
    arguments = options.parse_args()
    model = Model.load(models.path(arguments.model))
    simulation = reference_options(model.provenance["simulation"], {})
    table = Table("sampling/warm-up", ["t1", "t0", "steps saved", "excess", "floor"], 18)
    for end, starts in ENDS.items():
        until(table, end, starts, arguments.model, model, arguments.folder, simulation)
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
