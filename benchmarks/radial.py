"""Compare interacting particles with the radial truth: 2D, no flow, every kernel and several delta.

    python benchmarks/radial.py [--J 10000] [--dt 1e-4] [--seeds 8]

Prints differences in thousandths, with the standard errors of their means over the seeds. All rows share the seeds, and
so the initial clouds and Brownian paths. The difference from the exact law shows the error of the whole method at this
J and dt; the difference from `coulomb`, which has no delta, that of the regularisation alone, with much less noise.
``sup`` is the largest difference from the exact distribution of |X| over all r, a mean over seeds; independent samples
of the exact law have the value of the line ``samples``.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from ksdp_cli.exact.radial import RadialSolution, radial
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.simulation import Simulation

TIMES = (0.025, 0.05, 0.075, 0.09)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--J", type=lambda text: int(float(text)), default=10_000)
    parser.add_argument("--dt", type=float, default=1e-4)
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args()
    solution = radial(TIMES)
    print(f"J = {options.J}, dt = {options.dt:g}, {options.seeds} seeds, M = 16 pi, delta -> 0 blows up at ", end="")
    print(f"t = {solution.blow_up_time:.5f}\n")
    head = ["kernel", "delta^2", "t", "what", "E\\|X\\|^2", *(f"mass in {radius:g}" for radius in RADII), "sup"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for t in TIMES:
        masses = " | ".join(f"{solution.mass_within(radius, t):.4f}" for radius in RADII)
        print(f"| exact | 0 | {t:g} | value | {solution.second_moment(t):.4f} | {masses} | |")
    sup = [figures(drawn(solution, TIMES[0], options.J, seed), solution, TIMES[0])[-1] for seed in range(40)]
    print(f"| samples | 0 | any | less exact | | | | {1e3 * np.mean(sup):.1f} |")
    baseline: np.ndarray | None = None
    for kernel, delta2 in CASES:
        begin = time.perf_counter()
        runs = [clouds(kernel, delta2, options, seed) for seed in range(options.seeds)]
        each = np.array([[figures(r, solution, t) for r, t in zip(run, TIMES, strict=True)] for run in runs])
        baseline = each if baseline is None else baseline
        for k, t in enumerate(TIMES):
            print(f"| {kernel} | {delta2:g} | {t:g} | less exact | {cells(each[:, k, :-1])} | "
                  f"{1e3 * each[:, k, -1].mean():.1f} |")  # fmt: skip
            if kernel != "coulomb":
                print(f"| | | | less coulomb | {cells((each - baseline)[:, k, :-1])} | |", flush=True)
        print(f"<!-- {time.perf_counter() - begin:.0f} s -->", flush=True)


def cells(values: np.ndarray) -> str:
    """Means and standard errors over the first axis, in thousandths."""
    mean, error = 1e3 * values.mean(0), 1e3 * values.std(0, ddof=1) / len(values) ** 0.5
    return " | ".join(f"{m:+.1f} ± {e:.1f}" for m, e in zip(mean, error, strict=True))


if __name__ == "__main__":
    main()
