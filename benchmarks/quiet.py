"""Measure by how much `--sampling quiet` reduces the chance of a run.

    python benchmarks/quiet.py [--J 4000] [--seeds 12] [--record]

Standard deviation over the seeds, random over quiet, of some means over the particles at the end of a run: E|X|^2, the
mean of x, the part with y > 0, the part nearer to the origin than half of all. ``as many``: the square of the ratio for
E|X|^2: random particles would have to be that many times as many. W2^2 between the clouds of two seeds, all
particles, random and quiet. ``seconds``: processor time, quiet over random, without compilation.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, parser
from numpy.typing import NDArray

import ksdp_cli as ksdp
from ksdp_cli.metrics.wasserstein import exact_w2_squared

CASES: dict[str, dict[str, Any]] = {
    "no flow, M = 4 pi, t = 0.1": {"M": "4pi", "T": 0.1, "dt": 1e-3},
    "no flow, M = 16 pi, t = 0.05": {"T": 0.05, "dt": 5e-4},
    "laminar2d, A = 100, t = 0.05": {"flow": "laminar2d", "A": 100, "T": 0.05, "dt": 5e-4},
    "3D Gaussian, M = 16 pi, t = 0.05": {"dim": 3, "init": "gaussian", "T": 0.05, "dt": 1e-3},
    "eps = 0.1, M = 16 pi, t = 0.05": {
        "chemistry": "parabolic", "eps": 0.1, "delta2": 1e-2, "accuracy": 1e-3, "T": 0.05, "dt": 1e-3
    },
}  # fmt: skip


def cloud(sampling: str, J: int, seed: int, options: dict[str, Any]) -> NDArray[np.float64]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "a.zarr"
        made = ksdp.simulate(J=J, seed=seed, sampling=sampling, out=out, warn=lambda _: None, **options)
        return np.asarray(made.frame(), np.float64)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--J", type=float, default=4000)
    arguments.add_argument("--seeds", type=int, default=12)
    options = arguments.parse_args()
    J, seeds = int(options.J), options.seeds
    columns = ["E|X|^2", "mean x", "y > 0", "inner half", "as many", "W2^2", "W2^2 quiet", "seconds"]
    table = Table("quiet/scatter", [f"J = {J}, {seeds} seeds", *columns])
    for name, case in CASES.items():
        spread, apart, spent, half = [], [], [], 0.0
        for sampling in ("random", "quiet"):
            cloud(sampling, J, 0, case)
            began = time.process_time()
            clouds = [cloud(sampling, J, seed, case) for seed in range(seeds)]
            spent.append(time.process_time() - began)
            squares = [(x**2).sum(1) for x in clouds]
            half = half or float(np.median(squares[0]))
            told = [
                (s.mean(), x[:, 0].mean(), (x[:, 1] > 0).mean(), (s < half).mean())
                for s, x in zip(squares, clouds, strict=True)
            ]
            spread.append(np.std(told, axis=0, ddof=1))
            apart.append(np.mean([exact_w2_squared(x, y) for x, y in zip(clouds[::2], clouds[1::2], strict=True)]))
        ratio = spread[0] / spread[1]
        less = [f"{one:.1f}" if one < 100 else f"{one:.0f}" for one in ratio]
        rest = f"{ratio[0] ** 2:.0f}", f"{apart[0]:.5f}", f"{apart[1]:.5f}", f"{spent[1] / spent[0]:.2f}"
        table.row(name, *less, *rest)
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
