"""Forms of the network beyond the trained range, on held-out cases that are none of Table 2's.

    python benchmarks/extrapolation.py [--flow laminar2d] [--J 10000] [--steps 1500] [--seeds 2] [--folder PATH]

Trains on A = 10^(0.2 i) up to 63.1 and predicts A = 82 and 100: exact W2 squared at N = 2000, mean over four fresh
runs, with the floor between those runs. One row a form of the network and seed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import ksdp_cli as ksdp
from ksdp_cli.initial.ball import Ball
from ksdp_cli.metrics.wasserstein import exact_w2_squared
from ksdp_cli.transport.model import Model

TRAINED, HELD_OUT, FRESH = "1:63.0957344480193:10log", (50.0, 82.0, 100.0), (101, 102, 103, 104)
FORMS = ("paper", "residual", "separable")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flow", default="laminar2d")
    parser.add_argument("--J", type=int, default=10_000)
    parser.add_argument("--N", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None, help="where stores and models are kept")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    shared = {"flow": options.flow, "T": 0.02, "J": options.J, "resume": True}
    run = ksdp.simulate(A=TRAINED, out=folder / "trained.zarr", **shared)
    asked = ",".join(f"{value:g}" for value in HELD_OUT)
    fresh = [ksdp.simulate(A=asked, seed=seed, out=folder / f"fresh-{seed}.zarr", **shared) for seed in FRESH]
    n = min(options.N, options.J)
    clouds = {value: [one.frame(k, 0)[:n] for one in fresh] for k, value in enumerate(HELD_OUT)}
    pairs = [(i, j) for i in range(len(FRESH)) for j in range(i)]
    floors = [np.mean([exact_w2_squared(clouds[a][i], clouds[a][j]) for i, j in pairs]) for a in HELD_OUT]
    print(f"{'form':>10} {'seed':>4} {'seconds':>8} " + " ".join(f"{f'A = {a:g}':>9}" for a in HELD_OUT))
    print(f"{'floor':>10} {'':4} {'':8} " + " ".join(f"{value:9.5f}" for value in floors), flush=True)
    for form in FORMS:
        for seed in range(options.seeds):
            out = folder / f"{form}-{seed}.safetensors"
            told = {"network": form, "steps": options.steps, "seed": seed, "N": min(options.N, int(0.8 * options.J))}
            trained = ksdp.train(run, out=out, overwrite=True, **told)
            model, found = Model.load(out), []
            for value in HELD_OUT:
                own = [model.push(Ball().draw(n, model.dim, 7, stream=i), [value]) for i in range(len(FRESH))]
                found.append(np.mean([exact_w2_squared(x, y) for x, y in zip(own, clouds[value], strict=True)]))
            numbers = " ".join(f"{value:9.5f}" for value in found)
            print(f"{form:>10} {seed:4} {trained.seconds:8.1f} {numbers}", flush=True)


if __name__ == "__main__":
    main()
