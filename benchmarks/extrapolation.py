"""Compare forms of the network beyond the trained range, on held-out cases that Table 2 does not use.

    python benchmarks/extrapolation.py [--flow laminar2d] [--along A] [--J 10000] [--steps 1500] [--seeds 2]
                                       [--forms paper,separable] [--folder PATH]

``--along A`` trains on A = 10^(0.2 i) up to 63.1 at t = 0.02 and predicts A = 82 and 100; ``--along t`` trains on
t = 0, 0.01 ... 0.08 at A = 100 and predicts t = 0.1. Exact W2 squared at N = J, mean over four fresh runs, for each
seed, with the floor between those runs. The first case lies within the trained range.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, parser

import ksdp_cli as ksdp
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.model import Model
from ksdp_cli.metrics.wasserstein import exact_w2_squared

FRESH = (101, 102, 103, 104)
#: Options of the trained run and of the fresh ones, and the cases at which they are compared; the first lies inside.
ALONG: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[float, ...]]] = {
    "A": ({"A": "1:63.0957344480193:10log", "T": 0.02}, {"A": "50,82,100", "T": 0.02}, (50.0, 82.0, 100.0)),
    "t": ({"snapshots": "0:0.08:9"}, {"snapshots": "0.05,0.1"}, (0.05, 0.1)),
}


def mean_w2(pairs: list[tuple[np.ndarray, np.ndarray]]) -> str:
    return f"{np.mean([exact_w2_squared(x, y) for x, y in pairs]):.4f}"


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--flow", default="laminar2d")
    arguments.add_argument("--along", choices=list(ALONG), default="A")
    arguments.add_argument("--J", type=int, default=10_000)
    arguments.add_argument("--steps", type=int, default=1500)
    arguments.add_argument("--seeds", type=int, default=2)
    arguments.add_argument("--forms", default="paper,residual,separable")
    arguments.add_argument("--folder", type=Path, default=None, help="where stores and models are kept")
    options = arguments.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    trained_on, fresh_at, cases = ALONG[options.along]
    shared: dict[str, Any] = {"flow": options.flow, "J": options.J, "resume": True}
    if options.along == "t" and options.flow != "none":
        shared["A"] = 100
    run = ksdp.simulate(out=folder / "trained.zarr", **trained_on, **shared)
    fresh = [ksdp.simulate(seed=seed, out=folder / f"fresh-{seed}.zarr", **fresh_at, **shared) for seed in FRESH]
    clouds = [[one.frame(*((k, 0) if options.along == "A" else (0, k))) for one in fresh] for k in range(len(cases))]
    heads = [f"{options.along} = {value:g}" for value in cases]
    table = Table(f"training/forms-{options.flow}-{options.along}", ["form of the network", *heads], 16)
    table.row("floor", *(mean_w2(list(itertools.combinations(own, 2))) for own in clouds))
    for form in options.forms.split(","):
        found: list[list[str]] = [[] for _ in cases]
        for seed in range(options.seeds):
            out = folder / f"{form}-{seed}.safetensors"
            ksdp.train(run, out=out, overwrite=True, network=form, steps=options.steps, seed=seed)
            model = Model.load(out)
            for value, own, cell in zip(cases, clouds, found, strict=True):
                pushed = [model.push(Ball().draw(options.J, model.dim, 7, stream=i), [value]) for i in range(len(own))]
                cell.append(mean_w2(list(zip(pushed, own, strict=True))))
        table.row(f"`{form}`", *(", ".join(cell) for cell in found))
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
