"""Measure the weak error of the time schemes in the second moment, and the step that each needs for 1 %.

    python benchmarks/time_steps.py [--J 2000] [--seeds 16] [--A 100] [--T 0.02]

Equation (8) with the defaults, in the Kolmogorov flow (3D) and in laminar2d. The reference is `heun` with a step of
T / 4000. Every other run uses sums of the reference's Brownian increments: it follows the same paths as far as the flow
permits (Kolmogorov's is chaotic), and the difference of two second moments varies less than either.
The table has the mean over seeds of that difference, in per cent of the reference's second moment, with its standard
error.
"""

from __future__ import annotations

import argparse
import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
from harness import Table, parser

from ksdp_cli.base import rng
from ksdp_cli.chemistry.elliptic import Elliptic
from ksdp_cli.particles.case_run import facts
from ksdp_cli.particles.problem import Problem, diffusion, pose
from ksdp_cli.particles.schemes.euler import Euler
from ksdp_cli.particles.schemes.heun import Heun
from ksdp_cli.particles.stepper import Stepper

SCHEMES = {"euler": Euler(), "heun": Heun()}
FINE = 4000
STEPS = (5, 10, 20, 40, 80, 200, 400, 800)
TARGET = 0.01


def prepared(problem: Problem) -> tuple[Stepper, np.ndarray, np.ndarray]:
    """The drift of the only case, the initial cloud (J, d), and the fine Brownian increments (FINE, J, d)."""
    c, case = problem.config, problem.cases[0]
    chemistry = Elliptic(Elliptic.Params(), replace(facts(problem, case), engine="direct"))
    stepper = Stepper(c, case, chemistry, "cpu")
    scale = np.float32(diffusion(case, c.T / FINE))
    noise = np.stack([scale * rng.normals(c.seed, stepper.stream, k, 0, c.J, c.dim) for k in range(FINE)])
    return stepper, problem.initial.draw(c.J, c.dim, c.seed, stream=0), noise


def moment(stepper: Stepper, x: np.ndarray, noise: np.ndarray, scheme: str, steps: int, end: float) -> float:
    """E|X(T)|^2 by ``steps`` steps."""
    dt = end / steps
    together = noise.reshape(steps, FINE // steps, *noise.shape[1:]).sum(1)
    for k in range(steps):
        x = SCHEMES[scheme].step(x, k * dt, dt, stepper.drift, together[k])
    return float((x.astype(np.float64) ** 2).sum(1).mean())


def needed(steps: list[int], errors: list[float], target: float) -> str:
    """Steps at which the error falls to ``target``: a straight line between the logarithms of two neighbours."""
    if errors[0] < target:
        return f"fewer than {steps[0]}"
    pairs = zip(itertools.pairwise(steps), itertools.pairwise(errors), strict=True)
    for (few, many), (before, after) in pairs:
        if after < target <= before:
            slope = math.log(before / after) / math.log(many / few)
            return f"{few * (before / target) ** (1 / slope):.0f}"
    return f"more than {steps[-1]}"


def column(flow: str, options: argparse.Namespace) -> dict[str, list[str]]:
    """For each scheme the errors at `STEPS` in per cent, and the steps that it needs for `TARGET`."""
    gaps: dict[str, list[list[float]]] = {scheme: [] for scheme in SCHEMES}
    reference = []
    for seed in range(options.seeds):
        values: dict[str, Any] = {"flow": flow, "A": options.A, "T": options.T, "J": options.J, "seed": seed}
        stepper, start, noise = prepared(pose(values))
        reference.append(moment(stepper, start, noise, "heun", FINE, options.T))
        for scheme, rows in gaps.items():
            found = (moment(stepper, start, noise, scheme, steps, options.T) for steps in STEPS)
            rows.append([value - reference[-1] for value in found])
    cells = {}
    for scheme, rows in gaps.items():
        each = 100 * np.array(rows) / np.mean(reference)
        mean, spread = each.mean(0), each.std(0, ddof=1) / math.sqrt(len(each))
        cells[scheme] = [f"{m:+.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True)]
        cells[scheme].append(needed(list(STEPS), list(np.abs(mean) / 100), TARGET))
    return cells


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--J", type=int, default=2000)
    arguments.add_argument("--seeds", type=int, default=16)
    arguments.add_argument("--A", type=float, default=100.0)
    arguments.add_argument("--T", type=float, default=0.02)
    options = arguments.parse_args()
    flows = {"Kolmogorov": "kolmogorov", "laminar2d": "laminar2d"}
    heads = [f"{title}, `{scheme}`" for title in flows for scheme in SCHEMES]
    columns = [cells for flow in flows.values() for cells in column(flow, options).values()]
    table = Table("time-steps/time-steps", ["dt", "A dt", *heads], 20)
    places = [(f"{options.T / n:.2g}", f"{options.A * options.T / n:.2g}") for n in STEPS]
    for place, row in zip([*places, (f"steps for {TARGET:.0%}", "")], zip(*columns, strict=True), strict=True):
        table.row(*place, *row)
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
