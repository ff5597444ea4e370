"""The interacting particles against the radial truth: 2D, no flow, every kernel and several delta.

    python benchmarks/radial.py [--J 10000] [--dt 1e-4] [--seeds 4]

Prints a Markdown table. ``E|X|^2`` and ``mass in r`` are the run less the exact value, in thousandths; ``sup`` is the
largest difference between the two distributions of |X|, in thousandths, over all r. The line ``noise`` is what the
same estimates give for independent samples of the exact law (mean of the absolute value; sup: mean). The seeds, and so
the initial clouds and the Brownian paths, are those of every row: rows differ by the kernel alone.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from ksdp_cli.particles.integrator import Simulation
from ksdp_cli.particles.problem import pose
from ksdp_cli.reference import RadialSolution, radial

TIMES = (0.025, 0.05, 0.075, 0.09)
RADII = (0.1, 0.2, 0.5)
#: Plummer's kernel is the blob in 2D.
CASES = [(kernel, delta2) for kernel in ("blob", "eq7", "gaussian") for delta2 in (1e-2, 1e-3, 1e-4)]
CASES.append(("coulomb", 0.0))


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--J", type=lambda text: int(float(text)), default=10_000)
    parser.add_argument("--dt", type=float, default=1e-4)
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args()
    solution = radial(TIMES)
    masses = {t: ", ".join(f"{solution.mass_within(radius, t):.4f}" for radius in RADII) for t in TIMES}
    print(f"J = {options.J}, dt = {options.dt:g}, {options.seeds} seeds, M = 16 pi, delta -> 0 blows up at ", end="")
    print(f"t = {solution.blow_up_time:.5f}\n")
    head = ["kernel", "delta^2", "t", "E\\|X\\|^2", *(f"mass in {radius:g}" for radius in RADII), "sup"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for t in TIMES:
        print(f"| exact | 0 | {t:g} | {solution.second_moment(t):.4f} | {masses[t].replace(', ', ' | ')} | 0 |")
    for t in TIMES:
        draws = np.array([figures(drawn(solution, t, options.J, seed), solution, t) for seed in range(40)])
        print(f"| noise | 0 | {t:g} | " + " | ".join(f"{1e3 * v:.1f}" for v in np.abs(draws).mean(0)) + " |")
    for kernel, delta2 in CASES:
        begin = time.perf_counter()
        runs = [clouds(kernel, delta2, options, seed) for seed in range(options.seeds)]
        for k, t in enumerate(TIMES):
            each = np.array([figures(run[k], solution, t) for run in runs])
            mean, error = each.mean(0), each.std(0, ddof=1) / len(runs) ** 0.5
            cells = [f"{1e3 * m:+.1f} ± {1e3 * e:.1f}" for m, e in zip(mean[:-1], error[:-1], strict=True)]
            print(f"| {kernel} | {delta2:g} | {t:g} | " + " | ".join(cells) + f" | {1e3 * mean[-1]:.1f} |", flush=True)
        print(f"<!-- {time.perf_counter() - begin:.0f} s -->", flush=True)


if __name__ == "__main__":
    main()
