"""Measure how errors for eps > 0 fall with the number of particles and with the step.

    python benchmarks/chemistry_orders.py [--only particles|steps] [--seeds 16] [--record]

``particles``: c on a grid after some steps, in the plane (the self-similar solution, eps = 1, M = 4 pi) and in space
(SIPF's ball, M = 20, with their box, modes and step): root mean square of its scatter over the seeds, over its largest
value, for four numbers of particles; the slope of its logarithm, with a standard error by leaving out one seed after
the other. ``steps``: particles and chemical of the self-similar solution from t_0 = 0.25 to 0.5 by 4, 8, 16 and 32
steps of a scheme on one Brownian path: the order by the last three, of E exp(-2 |X|^2) and of the mean of c with the
weight exp(-2 |x|^2).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import Table, parser
from numpy.typing import NDArray

from ksdp_cli.chemistry.base import Facts, Grid
from ksdp_cli.chemistry.parabolic import Parabolic, Params
from ksdp_cli.exact.self_similar import self_similar
from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.particles.engines.direct_cpu import DirectCPU
from ksdp_cli.particles.schemes.euler import Euler
from ksdp_cli.particles.schemes.heun import Heun

PARTICLES, BEGIN, M, EPS = (1000, 4000, 16_000, 64_000), 0.25, 4 * math.pi, 1.0
STEPS, CROWD = (4, 8, 16, 32), 2000
#: Times as many seeds for eps = 0, where Heun's differences are small beside their scatter.
MORE = 3
EXACT = self_similar(EPS, M=M)


def c0(axes: Any) -> NDArray[np.float64]:
    return np.asarray(EXACT.chemical(np.sqrt(axes[0] ** 2 + axes[1] ** 2), BEGIN))


def plane(J: int, seed: int) -> NDArray[np.float64]:
    """c on a grid after ten steps of the self-similar solution."""
    dt = 5e-3
    chemistry = Parabolic(Params(eps=EPS), Facts(2, J, M, 0.05, dt, delta=0.1, accuracy=1e-3, c0=c0))
    return _moved(chemistry, EXACT.draw(J, BEGIN, seed), seed, 10, dt, Grid([np.linspace(-1.5, 1.5, 13)] * 2))


def space(J: int, seed: int) -> NDArray[np.float64]:
    """c on a grid after 40 steps of SIPF's ball."""
    dt = 1e-4
    facts = Facts(3, J, 20.0, 4e-3, dt, delta=0.0, accuracy=3e-3)
    chemistry = Parabolic(Params(eps=1e-4, k=0.1, box=8, modes=24), facts)
    x = Ball().draw(J, 3, seed).astype(np.float64)
    return _moved(chemistry, x, seed, 40, dt, Grid([np.linspace(-1.5, 1.5, 9)] * 3))


def _moved(chemistry: Parabolic, x: Any, seed: int, steps: int, dt: float, grid: Grid) -> NDArray[np.float64]:
    noise, state = np.random.default_rng(seed), chemistry.start(x)
    for _ in range(steps):
        state = chemistry.advance(state, x, dt)
        x = x + dt * chemistry.gradient(state, x) + math.sqrt(2 * dt) * noise.standard_normal(x.shape)
    return chemistry.field(state, x, grid)


def particles(table: Table, seeds: int) -> None:
    for name, found in (("plane", plane), ("space, H = 24, L = 8", space)):
        fields = np.array([[found(J, seed) for seed in range(seeds)] for J in PARTICLES])
        flat = fields.reshape(len(PARTICLES), seeds, -1)
        scatter = _scatter(flat)
        left_out = np.array([_slope(_scatter(np.delete(flat, seed, 1))) for seed in range(seeds)])
        error = math.sqrt((seeds - 1) / seeds * float(((left_out - left_out.mean()) ** 2).sum()))
        table.row(name, *(f"{one:.2e}" for one in scatter), f"{_slope(scatter):.3f} +- {error:.3f}", "-0.5")


def _scatter(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation over seeds (axis 1), rms over points, over the largest mean, of each number of particles."""
    largest = np.abs(flat.mean(1)).max(1)
    return np.asarray(np.sqrt(flat.var(1, ddof=1).mean(1)) / largest)


def _slope(scatter: NDArray[np.float64]) -> float:
    return float(np.polyfit(np.log(PARTICLES), np.log(scatter), 1)[0])


def steps(table: Table, seeds: int) -> None:
    for scheme in (Euler(), Heun()):
        for chemistry, moves in (("eps = 0", _elliptic), ("eps = 1", _parabolic)):
            many = seeds * (MORE if chemistry == "eps = 0" else 1)
            found = np.array([[moves(scheme, count, seed) for count in STEPS] for seed in range(many)])
            differences = found[:, 1:] - found[:, :-1]  # seed, step, observable
            for which, name in enumerate(("E exp(-2 |X|^2)", "mean of c")[: found.shape[2]]):
                part = differences[:, :, which]
                whole = _order(part.mean(0))
                left_out = np.array([_order(np.delete(part, seed, 0).mean(0)) for seed in range(many)])
                error = math.sqrt((many - 1) / many * float(((left_out - left_out.mean()) ** 2).sum()))
                told = [f"{value:.1e}" for value in part.mean(0)]
                wanted = scheme.order if chemistry == "eps = 0" else 1
                table.row(
                    f"{type(scheme).__name__.lower()}, {chemistry}, {name}",
                    *told,
                    f"{whole:.2f} +- {error:.2f}",
                    wanted,
                )


def _order(differences: NDArray[np.float64]) -> float:
    return math.log2(abs(float(differences[-2] / differences[-1])))


def _path(count: int, seed: int) -> tuple[NDArray[np.float64], list[NDArray[np.float64]], float]:
    """First positions, increments of ``count`` steps, and their length; all counts share one path."""
    dt = BEGIN / STEPS[-1]
    fine = math.sqrt(2 * dt) * np.random.default_rng(seed).standard_normal((STEPS[-1], CROWD, 2))
    return EXACT.draw(CROWD, BEGIN, seed), list(fine.reshape(count, -1, CROWD, 2).sum(1)), BEGIN / count


def _elliptic(scheme: Any, count: int, seed: int) -> list[float]:
    """The mean over a path and its mirror image, whose noise is opposite in what is odd in it."""
    engine = DirectCPU(Gaussian, (0.04,), 2, "float64")

    def drift(y: Any, t: float) -> Any:
        return M / CROWD * engine(y)

    seen = []
    for sign in (1.0, -1.0):
        x, increments, dt = _path(count, seed)
        for noise in increments:
            x = scheme.step(x, 0.0, dt, drift, sign * noise)
        seen.append(_seen(x))
    return [sum(seen) / 2.0]


def _parabolic(scheme: Any, count: int, seed: int) -> list[float]:
    """As `Stepper`: each drift starts with the chemical at the start of the step; that of the last is kept."""
    x, increments, dt = _path(count, seed)
    chemistry = Parabolic(Params(eps=EPS), Facts(2, CROWD, M, BEGIN, dt, delta=0.2, accuracy=1e-3, c0=c0))
    memory = chemistry.start(x)
    last = [memory]

    def drift_from(memory: Any) -> Callable[[Any, float], Any]:
        def drift(y: Any, t: float) -> Any:
            last[0] = chemistry.advance(memory, y, dt)
            return chemistry.gradient(last[0], y)

        return drift

    for noise in increments:
        x = scheme.step(x, 0.0, dt, drift_from(memory), noise)
        memory = last[0]
    axis = np.linspace(-1.5, 1.5, 13)
    weight = np.exp(-2.0 * (axis[:, None] ** 2 + axis[None, :] ** 2))
    return [_seen(x), float((chemistry.field(memory, x, Grid([axis] * 2)) * weight).sum() / weight.sum())]


def _seen(x: NDArray[np.float64]) -> float:
    return float(np.exp(-2.0 * (x**2).sum(1)).mean())


SECTIONS: dict[str, tuple[Callable[[Table, int], None], list[str], int]] = {
    "particles": (particles, ["scatter of c", *(f"P = {J}" for J in PARTICLES), "slope", "expected"], 16),
    "steps": (
        steps,
        ["difference of", *(f"{a} to {b}" for a, b in itertools.pairwise(STEPS)), "order", "expected"],
        8,
    ),
}


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--only", choices=SECTIONS)
    arguments.add_argument("--seeds", type=int, default=0, help="0: 16 for particles, 8 for steps")
    options = arguments.parse_args()
    for name, (section, columns, seeds) in SECTIONS.items():
        if options.only in (None, name):
            table = Table(f"chemistry/{name}", columns, 14)
            section(table, options.seeds or seeds)
            if options.record:
                table.record()


if __name__ == "__main__":
    main()
