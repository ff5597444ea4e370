"""Measure the weak error of the time schemes in the second moment, and the step that each needs for 1 %.

    python benchmarks/time_steps.py [--J 2000] [--seeds 16] [--A 100] [--T 0.02]

Equation (8) with the defaults, in the Kolmogorov flow (3D) and in laminar2d. The reference is `heun` with a step of
T / 4000. Every other run uses sums of the reference's Brownian increments: it follows the same paths as far as the flow
permits (Kolmogorov's is chaotic), and the difference of two second moments varies less than either.
``error`` is the mean over seeds of that difference over the reference's second moment, with its standard error.
"""

from __future__ import annotations

import argparse
import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np

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


def compare(flow: str, options: argparse.Namespace) -> None:
    """The rows of one flow."""
    runs: list[tuple[str, int]] = [(scheme, steps) for scheme in SCHEMES for steps in STEPS]
    gaps: dict[tuple[str, int], list[float]] = {run: [] for run in runs}
    reference = []
    for seed in range(options.seeds):
        values: dict[str, Any] = {"flow": flow, "A": options.A, "T": options.T, "J": options.J, "seed": seed}
        stepper, start, noise = prepared(pose(values))
        reference.append(moment(stepper, start, noise, "heun", FINE, options.T))
        for scheme, steps in runs:
            gaps[scheme, steps].append(moment(stepper, start, noise, scheme, steps, options.T) - reference[-1])
    exact = float(np.mean(reference))
    print(f"\n{flow}, E|X|^2 = {exact:.4f} at T = {options.T:g}\n")
    print("| scheme | dt | A dt | error, % | drifts |\n|---|---|---|---|---|")
    for scheme in SCHEMES:
        errors = []
        for steps in STEPS:
            each = 100 * np.array(gaps[scheme, steps]) / exact
            errors.append(abs(float(each.mean())) / 100)
            dt, spread = options.T / steps, each.std(ddof=1) / math.sqrt(len(each))
            cells = f"{dt:.3g} | {options.A * dt:.3g} | {each.mean():+.3f} ± {spread:.3f}"
            print(f"| {scheme} | {cells} | {SCHEMES[scheme].evaluations * steps} |")
        many = needed(list(STEPS), errors, TARGET)
        print(f"\n{scheme}: {many} steps for {TARGET:.0%}, {SCHEMES[scheme].evaluations} drifts each\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--J", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--A", type=float, default=100.0)
    parser.add_argument("--T", type=float, default=0.02)
    options = parser.parse_args()
    print(f"J = {options.J}, {options.seeds} seeds, A = {options.A:g}; the reference takes {FINE} steps of heun")
    for flow in ("kolmogorov", "laminar2d"):
        compare(flow, options)


if __name__ == "__main__":
    main()
