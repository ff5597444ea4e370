"""Compare interacting particles with the radial truth: 2D, no flow, every kernel and several delta.

    python benchmarks/radial.py [--J 10000] [--dt 1e-4] [--seeds 8]

Rows are differences in thousandths at three times, with the standard errors of their means over the seeds. All share
the seeds, and so the initial clouds and Brownian paths. The row of `coulomb`, which has no delta, is the difference
from the exact law: the error of the whole method at this J and dt. The others are differences from `coulomb`: that of
the regularisation alone, with much less noise. ``sup`` is the largest difference from the exact distribution of |X|
over all r, a mean over seeds; in the row of the exact law it is that of independent samples.
"""

from __future__ import annotations

import argparse

import numpy as np
from harness import Table, parser

from ksdp_cli.base.parsing import integer
from ksdp_cli.exact.radial import RadialSolution, radial
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.simulation import Simulation

TIMES = (0.05, 0.075, 0.09)
RADII = (0.1, 0.2)
#: Coulomb first: the others are compared with it. Plummer's kernel is the blob in 2D.
CASES = [("coulomb", 0.0)]
CASES += [(kernel, delta2) for kernel in ("blob", "eq7", "gaussian") for delta2 in (1e-2, 1e-3, 1e-4)]


def clouds(kernel: str, delta2: float, options: argparse.Namespace, seed: int) -> list[np.ndarray]:
    """Distances from the origin (J,) at each of `TIMES`, sorted."""
    simulation = Simulation(
        pose({"kernel": kernel, "delta2": delta2, "J": options.J, "dt": options.dt, "seed": seed, "snapshots": TIMES}),
        "cpu",
    )
    simulation.start()
    found: list[np.ndarray] = []
    simulation.run(lambda _, x: found.append(np.sort(np.linalg.norm(x[0].astype(np.float64), axis=1))), lambda _: None)
    return found


def figures(r: np.ndarray, solution: RadialSolution, t: float) -> list[float]:
    """Second moment and masses less the exact ones, and the largest gap between the distributions."""
    exact = solution.mass_within(r, t)
    rank = np.arange(1, len(r) + 1) / len(r)
    sup = max(np.abs(rank - exact).max(), np.abs(rank - 1 / len(r) - exact).max())
    inside = [float((r < radius).mean() - solution.mass_within(radius, t)) for radius in RADII]
    return [float((r**2).mean() - solution.second_moment(t)), *inside, float(sup)]


def drawn(solution: RadialSolution, t: float, count: int, seed: int) -> np.ndarray:
    """Independent distances by the exact law, sorted."""
    grid = np.linspace(0, 3, 6000)
    return np.sort(np.interp(np.random.default_rng(seed).random(count), solution.mass_within(grid, t), grid))


def three(mean: np.ndarray, error: np.ndarray | None = None) -> str:
    """Numbers at `TIMES` in thousandths, with standard errors."""
    if error is None:
        return ", ".join(f"{1e3 * m:.1f}" for m in mean)
    return ", ".join(f"{1e3 * m:+.1f} ± {1e3 * e:.1f}" for m, e in zip(mean, error, strict=True))


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--J", type=integer, default=10_000)
    arguments.add_argument("--dt", type=float, default=1e-4)
    arguments.add_argument("--seeds", type=int, default=8)
    options = arguments.parse_args()
    solution = radial(TIMES)
    columns = ["kernel", "delta^2", "E|X|^2", *(f"mass in {radius:g}" for radius in RADII), "sup"]
    table = Table("regularisation/radial", columns, 34)
    moments = [solution.second_moment(t) for t in TIMES]
    masses = [[solution.mass_within(radius, t) for t in TIMES] for radius in RADII]
    samples = [figures(drawn(solution, TIMES[0], options.J, seed), solution, TIMES[0])[-1] for seed in range(40)]
    table.row("exact law", None, *(three(np.array(row)) for row in (moments, *masses)), f"{1e3 * np.mean(samples):.1f}")
    baseline = np.zeros(())
    for kernel, delta2 in CASES:
        runs = [clouds(kernel, delta2, options, seed) for seed in range(options.seeds)]
        each = np.array([[figures(r, solution, t) for r, t in zip(run, TIMES, strict=True)] for run in runs])
        less = each[..., :-1] - baseline
        if kernel == "coulomb":
            baseline = each[..., :-1]
        mean, error = less.mean(0).T, less.std(0, ddof=1).T / options.seeds**0.5
        cells = [three(*pair) for pair in zip(mean, error, strict=True)]
        table.row(kernel, f"{delta2:g}", *cells, three(each[..., -1].mean(0)))
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
