"""Compare forms of the network beyond the trained range, on held-out cases that Table 2 does not use.

    python benchmarks/extrapolation.py [--flow laminar2d] [--along A] [--J 10000] [--steps 1500] [--seeds 2]
                                       [--forms paper,separable] [--folder PATH]

``--along A`` trains on A = 10^(0.2 i) up to 63.1 at t = 0.02 and predicts A = 82 and 100; ``--along t`` trains on
t = 0, 0.01 ... 0.08 at A = 100 and predicts t = 0.1. Exact W2 squared at N = 2000 and at N = J, mean over four fresh
runs, with the floor between those runs. One row for each form and seed; "inside" is a case within the range.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import ksdp_cli as ksdp
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.forms import FORMS
from ksdp_cli.metrics.wasserstein import exact_w2_squared

FRESH = (101, 102, 103, 104)
#: Options of the trained run and of the fresh ones, and the cases at which they are compared; the first lies inside.
ALONG: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[float, ...]]] = {
    "A": ({"A": "1:63.0957344480193:10log", "T": 0.02}, {"A": "50,82,100", "T": 0.02}, (50.0, 82.0, 100.0)),
    "t": ({"snapshots": "0:0.08:9"}, {"snapshots": "0.05,0.1"}, (0.05, 0.1)),
}


def mean_w2(pairs: list[tuple[np.ndarray, np.ndarray]], n: int) -> float:
    return float(np.mean([exact_w2_squared(x[:n], y[:n]) for x, y in pairs]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flow", default="laminar2d")
    parser.add_argument("--along", choices=list(ALONG), default="A")
    parser.add_argument("--J", type=int, default=10_000)
    parser.add_argument("--N", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--forms", default=",".join(FORMS))
    parser.add_argument("--folder", type=Path, default=None, help="where stores and models are kept")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    trained_on, fresh_at, cases = ALONG[options.along]
    shared: dict[str, Any] = {"flow": options.flow, "J": options.J, "resume": True}
    if options.along == "t" and options.flow != "none":
        shared["A"] = 100
    run = ksdp.simulate(out=folder / "trained.zarr", **trained_on, **shared)
    fresh = [ksdp.simulate(seed=seed, out=folder / f"fresh-{seed}.zarr", **fresh_at, **shared) for seed in FRESH]
    where: Callable[[int], tuple[int, int]] = (lambda k: (k, 0)) if options.along == "A" else (lambda k: (0, k))
    clouds = [[one.frame(*where(k)) for one in fresh] for k in range(len(cases))]
    sizes = [min(options.N, options.J), options.J]
    heads = [f"{options.along} = {value:g}, N = {n}" for value in cases for n in sizes]
    floors = [mean_w2(list(itertools.combinations(own, 2)), n) for own in clouds for n in sizes]
    print(f"{'form':>10} {'seed':>4} {'seconds':>8} " + " ".join(f"{head:>20}" for head in heads))
    print(f"{'floor':>10} {'':4} {'':8} " + " ".join(f"{value:20.5f}" for value in floors), flush=True)
    for form, seed in itertools.product(options.forms.split(","), range(options.seeds)):
        out = folder / f"{form}-{seed}.safetensors"
        told = {"network": form, "steps": options.steps, "seed": seed, "N": min(options.N, int(0.8 * options.J))}
        trained = ksdp.train(run, out=out, overwrite=True, **told)
        model, found = Model.load(out), []
        for value, own in zip(cases, clouds, strict=True):
            pushed = [model.push(Ball().draw(options.J, model.dim, 7, stream=i), [value]) for i in range(len(own))]
            found += [mean_w2(list(zip(pushed, own, strict=True)), n) for n in sizes]
        numbers = " ".join(f"{value:20.5f}" for value in found)
        print(f"{form:>10} {seed:4} {trained.seconds:8.1f} {numbers}", flush=True)


if __name__ == "__main__":
    main()
