"""Measure the exact laws for eps >= 0: mass and frozen modes, images of the boxes, spreading.

    python benchmarks/chemistry_laws.py [--only frozen|images|paths] [--J 1e5] [--steps 150] [--record]

``frozen``: mass of the chemical and all modes of fixed particles after 50 steps, against the discrete solution.
``images``: force of the nested boxes at eps -> 0 against the pair sum of free space, kernel `gaussian`.
``paths``: the self-similar solution in the plane from t_0 = 0.25 to 4 t_0 by heun, two quiet runs, E|X|^2 and c(0, t);
the standard error is that of J independent particles.
The exact blow-up in space is `benchmarks/collapse.py`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import Table, parser

from ksdp_cli.chemistry.base import Facts, Grid, State
from ksdp_cli.chemistry.parabolic import Parabolic, Params
from ksdp_cli.exact.self_similar import self_similar
from ksdp_cli.initial.ball import Ball
from ksdp_cli.initial.base import around
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.particles.engines.direct_cpu import DirectCPU
from ksdp_cli.particles.mesh.nested import Nested, Sizes, choose
from ksdp_cli.particles.quiet import opposite, sobol
from ksdp_cli.particles.schemes.heun import Heun

#: eps, and M over pi, of the self-similar solutions.
SPREADING = [(eps, turns) for eps in (0.1, 1.0, 10.0) for turns in (2, 4, 6)]


def axes_of(x: np.ndarray) -> list[np.ndarray]:
    return [np.ascontiguousarray(axis) for axis in x.T]


def frozen(table: Table, J: int, steps: int) -> None:
    """The worst relative error of the mass, and of a mode over the largest one."""
    eps, k, dt, mass = 0.1, 0.5, 1e-3, 20.0
    for dim, count in ((2, 128), (3, 32)):
        axes = axes_of(Ball().draw(J, dim, 1))
        nested = Nested([0.0] * dim, choose(dim, 2.0, 0.1, 1e-3, count=count), 0.1)
        field, held, memory, worst = nested.zeros(), 0.0, eps / dt, 0.0
        for _ in range(50):
            field, held = nested.advanced(field, axes, mass, memory, k), (memory * held + mass) / (memory + k * k)
            worst = max(worst, abs(nested.mass(field) / held - 1))
        table.row(f"mass of the chemical, {dim}D", "discrete", f"{worst:.0e}", "1e-12")
        worst = 0.0
        for box, modes, density in zip(nested.boxes, field, nested.densities(axes, mass), strict=True):
            state = density / (box.q2 + k * k)
            left = (memory / (box.q2 + k * k + memory)) ** 50
            worst = max(worst, float(np.abs(modes - (1 - left) * state).max() / np.abs(state).max()))
        table.row(f"modes of frozen particles, {dim}D", "discrete", f"{worst:.0e}", "1e-12")


def images(table: Table, J: int, steps: int) -> None:
    """Relative l2 error of the force by one box and by three."""
    for dim, delta, count, goal in ((2, 0.1, 96, "1e-3"), (3, 0.25, 48, "1e-4")):
        x = Ball().draw(10_000, dim, 1).astype(np.float64)
        exact = DirectCPU(Gaussian, (delta**2,), dim, "float64")(x).T / len(x)
        for boxes in (1, 3):
            nested = Nested([0.0] * dim, Sizes(4.0, count, boxes, 6, 2.0, 0.0, 0.0), delta)
            force = nested.at(nested.advanced(nested.zeros(), axes_of(x), 1.0, 0.0, 0.0), axes_of(x))[1]
            error = float(np.linalg.norm(force - exact) / np.linalg.norm(exact))
            name = "one periodic box" if boxes == 1 else f"{boxes} nested boxes"
            table.row(f"force of {name}, {dim}D", "pair sum", f"{error:.1e}", goal if boxes > 1 else None)


def paths(table: Table, J: int, steps: int) -> None:
    """E|X|^2 and c(0, t) of every case on two paths."""
    for seed in (0, 1):
        for eps, turns in SPREADING:
            told, squared, centre = ended(eps, turns, J, steps, seed)
            off, apart = f"{standard_errors(squared, told[0]):+.1f} s.e.", f"{100 * (centre / told[1] - 1):+.1f} %"
            spread = f"{told[0]:.4f}", f"{squared.mean():.4f}", off
            table.row(f"{seed}: {eps:g}, {turns} pi", *spread, f"{told[1]:.4f}", f"{centre:.4f}", apart)


def standard_errors(squared: np.ndarray, told: float) -> float:
    return float((squared.mean() - told) / (squared.std() / math.sqrt(squared.size)))


def ended(eps: float, turns: int, J: int, steps: int, seed: int) -> tuple[tuple[float, float], np.ndarray, float]:
    """E|X|^2 and c(0, t) of the solution at four times its age; |X|^2 of particles, and their c(0, t)."""
    begin, end, exact = 0.25, 1.0, self_similar(eps, M=turns * math.pi)

    def c0(axes: Any) -> np.ndarray:
        return np.asarray(exact.chemical(np.sqrt(axes[0] ** 2 + axes[1] ** 2), begin))

    told = exact.second_moment(end), float(exact.chemical(0.0, end))
    spread = 0.2 * math.sqrt(begin / exact.a * told[0] / 2.2)  # adds some 0.4 % to E|X|^2
    delta = min(spread, math.sqrt(0.014 * told[1] * end / exact.a))  # takes some 0.35 % off c(0, t): rho delta^2 / 4
    count = max(steps, math.ceil((end - begin) * exact.a / (0.2 * begin)))  # of a core that a step holds
    dt = (end - begin) / count
    facts = Facts(2, J, turns * math.pi, end - begin, dt, delta=delta, accuracy=1e-3, c0=c0)
    chemistry = Parabolic(Params(eps=eps), facts)
    u, normal = sobol(seed, 0, J, 2), np.random.default_rng(1 + seed)
    x = around(exact.radii(u[:, 0], begin), u[:, 1:]).astype(np.float64)
    last = [chemistry.start(x)]

    def drift_from(state: State) -> Callable[[np.ndarray, float], np.ndarray]:
        def drift(y: np.ndarray, t: float) -> np.ndarray:
            last[0] = chemistry.advance(state, y, dt)
            return chemistry.gradient(last[0], y)

        return drift

    for _ in range(count):
        noise = opposite(math.sqrt(2 * dt) * normal.standard_normal(x.shape), x)
        x = Heun().step(x, 0.0, dt, drift_from(last[0]), noise)
    centre = chemistry.field(last[0], x, Grid([np.zeros(1)] * 2)).item()
    return told, (x**2).sum(1), centre


SECTIONS = {"frozen": frozen, "images": images, "paths": paths}
COLUMNS = {
    "frozen": ["law", "exact", "found", "goal"],
    "images": ["law", "exact", "found", "goal"],
    "paths": ["seed: eps, M", "E|X|^2", "found", "off by", "c(0, t)", "found", "off by"],
}


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--only", choices=SECTIONS)
    arguments.add_argument("--J", type=float, default=1e5)
    arguments.add_argument("--steps", type=int, default=150)
    options = arguments.parse_args()
    for name, section in SECTIONS.items():
        if options.only in (None, name):
            table = Table(f"chemistry/{name}", COLUMNS[name], 12)
            section(table, int(options.J), options.steps)
            if options.record:
                table.record()


if __name__ == "__main__":
    main()
