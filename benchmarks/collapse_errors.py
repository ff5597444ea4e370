"""The exact blow-up in space: what each error of a run by particles does alone, by calculation.

    python benchmarks/collapse_errors.py biases [--record]
    python benchmarks/collapse_errors.py chance [--most 1e6] [--record]

Errors as in ``collapse.py``. ``biases``, without chance. g = m / r^3 solves g_t = g'' + 4 g' / r + (3 g + r g') G / (4
pi), where G r^3 is the mass that attracts at r. Without delta G = g, and g = 16 pi / (r^2 + 2 (T - t)) is exact. With
Plummer's delta the shell at s counts by W(r, s) of its mass. The tree's rows take G (1 + b): b(r) is the mean radial
error of its force at t = 0, J = 10^5, in seven shells, found with a direct sum, and kept for all time. The rows of
steps are shells (below) whose increments come from a lattice, in the order of their radii: with chance a twentieth, the
error is that of the scheme. ``chance``: root mean square over the seeds of the errors of J shells, each attracted
exactly by the mass inside its radius (Newton): no delta, no engine, 200 steps by the rule of ``collapse.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from collapse import COLUMNS, EXACT, PARTS, errors, percent, shrinking
from harness import Table, parser
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from scipy.special import ndtri

from ksdp_cli.exact.collapse import Collapse
from ksdp_cli.exact.radial_chemistry import solve
from ksdp_cli.initial.base import around
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.engines.direct_cpu import DirectCPU
from ksdp_cli.particles.quiet import sobol
from ksdp_cli.particles.tree.engine import TreeEngine

Reals = NDArray[np.float64]
#: Nodes r = CORE sinh(y) up to FAR, where g is exact.
NODES, CORE, FAR = 300, 0.02, 1.8
SHELLS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.5)


class Cut:
    """The start as the radial solver takes it, with nothing beyond the cut."""

    def __init__(self, exact: Collapse) -> None:
        self.exact = exact

    def mass_within(self, r: Any, t: float) -> Reals:
        return np.asarray(self.exact.mass_within(np.minimum(r, self.exact.radius), t) / self.exact.M)

    def chemical_slope(self, r: Any, t: float) -> Reals:
        return np.asarray(-self.exact.M * self.mass_within(r, t) / (4 * math.pi * np.maximum(r, 1e-12) ** 2))


def cut_at(radius: float) -> list[Reals]:
    """Errors at the parts of T by the radial solver, of the solution cut at ``radius``."""
    exact = Collapse(EXACT.T, radius)
    times = [part * exact.T for part in PARTS]
    made = solve(times[-1], dim=3, eps=0.0, k=0.0, M=exact.M, start=Cut(exact), points=1600)
    return [errors(lambda R, t=t: float(made.mass_within(R, t)), t, exact) for t in times]


def counted(r: float, s: Reals, delta2: float) -> Reals:
    """W(r, s): the part of the mass of a shell at ``s`` that attracts at ``r``; without delta 1 inside, 0 outside."""
    far, near = np.sqrt((r + s) ** 2 + delta2), np.sqrt((r - s) ** 2 + delta2)
    return (far - near) / (2 * s) - r / (2 * s) * ((r + s) / far - (r - s) / near)


def missing(r: Reals, delta2: float) -> Reals:
    """The matrix of g -> g - G on the nodes ``r``: Gauss-Legendre in asinh(|s - r| / delta), on both sides."""
    points, weights = np.polynomial.legendre.leggauss(40)
    spline = CubicSpline(r, np.eye(len(r)), bc_type=((1, np.zeros(len(r))), "not-a-knot"))
    slope, made = spline.derivative(), np.zeros((len(r), len(r)))
    for i, here in enumerate(r[1:], 1):
        for sign, top in ((-1.0, here), (1.0, r[-1] - here)):
            most = math.asinh(top / math.sqrt(delta2))
            y = most * (points + 1) / 2
            s = np.maximum(here + sign * math.sqrt(delta2) * np.sinh(y), 1e-12)
            part = 1 - counted(here, s, delta2) if sign < 0 else -counted(here, s, delta2)
            w = weights / 2 * most * math.sqrt(delta2) * np.cosh(y) * part * s**2 / here**3
            made[i] += (3 * w) @ spline(s) + (w * s) @ slope(s)
    near, next_ = r[1] ** 2, r[2] ** 2
    made[0] = (next_ * made[1] - near * made[2]) / (next_ - near)  # even in r
    return made


def radial(delta2: float = 0.0, factor: Callable[[Reals], Reals] | None = None) -> list[Reals]:
    """Errors at the parts of T of the uncut radial problem with delta, or with the attraction times ``factor(r)``."""
    h = math.asinh(FAR / CORE) / NODES
    y = h * np.arange(NODES + 1)
    r, stretch = CORE * np.sinh(y), CORE * np.cosh(y)
    first, second = np.zeros((2, NODES + 1, NODES + 1))
    for i in range(NODES - 1):  # of fourth order in y, and even at the origin
        for place, one, two in zip(range(i - 2, i + 3), (1, -8, 0, 8, -1), (-1, 16, -30, 16, -1), strict=True):
            first[i, abs(place)] += one / (12 * h)
            second[i, abs(place)] += two / (12 * h * h)
    first[-2, [-3, -1]] = -1 / (2 * h), 1 / (2 * h)
    second[-2, -3:] = np.array([1, -2, 1]) / h**2
    slope = first / stretch[:, None]
    diffusion = second / stretch[:, None] ** 2 - (r / stretch**3)[:, None] * first
    diffusion[1:] += 4 / r[1:, None] * slope[1:]
    diffusion[0] *= 5.0
    density, attracting = 3 * np.eye(NODES + 1) + r[:, None] * slope, np.eye(NODES + 1)
    if delta2:
        attracting = attracting - missing(r, delta2)
    if factor is not None:
        attracting = attracting * factor(r)[:, None]

    def rate(t: float, g: Reals) -> Reals:
        out = diffusion @ g + (density @ g) * (attracting @ g) / (4 * math.pi)
        out[-1] = 32 * math.pi / (FAR**2 + 2 * (EXACT.T - t)) ** 2
        return np.asarray(out)

    def jacobian(t: float, g: Reals) -> Reals:
        pull = (attracting @ g)[:, None] * density + (density @ g)[:, None] * attracting
        made = diffusion + pull / (4 * math.pi)
        made[-1] = 0.0
        return np.asarray(made)

    start, times = 16 * math.pi / (r**2 + 2 * EXACT.T), [part * EXACT.T for part in PARTS]
    made = solve_ivp(
        rate, (0, times[-1]), start, "BDF", jac=jacobian, rtol=1e-7, atol=1e-7 * start, t_eval=times
    )  # fmt: skip
    found = []
    for k, t in enumerate(times):
        g = CubicSpline(r, made.y[:, k])
        found.append(errors(lambda R, g=g: R**3 * float(g(R)) / EXACT.M, t))
    return found


def weaker_by_the_tree(accuracy: float, J: int = 100_000) -> Callable[[Reals], Reals]:
    """1 + b(r) of the tree's force at t = 0."""
    u = sobol(0, 0, J, 4)
    x = np.asarray(around(EXACT.radii(u[:, 0]), u[:, 1:3]), np.float32)
    tree = TreeEngine(Plummer, (1e-6,), 3, "float32", accuracy=accuracy)
    tree(x)
    inward, exact = (-(force * x).sum(1) for force in (tree(x), DirectCPU(Plummer, (1e-6,), 3, "float64")(x)))
    shell = np.digitize(np.linalg.norm(x, axis=1), SHELLS[1:-1])
    b = [inward[shell == k].sum() / exact[shell == k].sum() for k in range(len(SHELLS) - 1)]
    middle = (np.array(SHELLS[1:]) + np.array(SHELLS[:-1])) / 2
    return lambda r: np.interp(r, middle, b)


def shells(J: int, seed: int, how: str, times: Sequence[float]) -> list[Reals]:
    """Errors at the parts of T of ``J`` shells by heun with steps to ``times``. ``how``: random, quiet or lattice."""
    generator, bins, top = np.random.default_rng(seed), 40_000, 5.0
    i = np.arange(J)
    r = EXACT.radii(generator.random(J) if how == "random" else (i + generator.random()) / J)

    def force(r: Reals) -> Reals:
        place = np.minimum(r * (bins / top), bins - 1)
        cell, inside = place.astype(np.int32), np.zeros(bins + 1)
        np.cumsum(np.bincount(cell, minlength=bins), out=inside[1:])
        held = inside[cell] + (inside[cell + 1] - inside[cell]) * (place - cell)
        return np.asarray(held * (-EXACT.M / J / (4 * math.pi)) / np.maximum(r, 1e-6) ** 2)

    found, t, ends = [], 0.0, [part * EXACT.T for part in PARTS]
    for end in times:
        h, t = end - t, end
        if how == "lattice":
            r.sort()
            u, v = ((i * a + generator.random()) % 1 for a in (0.7548776662466927, 0.5698402909980532))
            normal, exponential = ndtri(u), -np.log1p(-v)
        else:
            normal, exponential = generator.standard_normal(J), generator.standard_exponential(J)
        if how == "quiet":
            r.sort()
            normal[1::2], exponential[1::2] = -normal[: J // 2 * 2 : 2], exponential[: J // 2 * 2 : 2]
        along, across2 = math.sqrt(2 * h) * normal, 4 * h * exponential
        before = force(r)
        x = r + h * before + along  # the predicted place along r; across it only noise
        there = np.sqrt(x * x + across2)
        pull = force(there) / there
        x, left = r + h / 2 * (before + pull * x) + along, 1 + h / 2 * pull
        r = np.sqrt(x * x + left * left * across2)
        if min(abs(end - one) for one in ends) < 1e-12:
            found.append(errors(lambda R, r=r: float(np.mean(r < R)), end))
    return found


def biases() -> Table:
    table = Table(
        "chemistry/collapse-biases",
        ["alone", *(f"{name}, {part:g} T" for part in (0.8, 0.95) for name in (COLUMNS[0], COLUMNS[-1]))],
    )

    def row(name: str, found: Sequence[Reals]) -> None:
        table.row(name, *(f"{100 * found[k][j]:+.2f} %" for k in (1, 3) for j in (0, 3)))

    for radius in (2.0, 1.5, 1.2):
        row(f"cut at {radius:g}", cut_at(radius))
    for delta2 in (1e-5, 3e-6, 1e-6, 3e-7):
        row(f"delta^2 = {delta2:g}", radial(delta2))
    row("attraction 0.1 % weaker", radial(factor=lambda r: np.full_like(r, 0.999)))
    for accuracy in (1e-3, 3e-4, 1e-4):
        row(f"tree, accuracy {accuracy:g}", radial(factor=weaker_by_the_tree(accuracy)))
    t, even = 0.0, []
    for part in PARTS:  # the rule before: 3 % of the time that is left
        n = round(math.log((EXACT.T - t) / (EXACT.T * (1 - part))) / 0.03)
        even += list(EXACT.T - (EXACT.T - t) * ((1 - part) / (1 - t / EXACT.T)) ** (np.arange(1, n + 1) / n))
        t = part * EXACT.T
    rules = [(f"heun, {len(even)} steps, 3 % of the time left", even)]
    rules += [(f"heun, {n} steps by sqrt(T - t)", shrinking(n)) for n in (100, 200)]
    for name, times in rules:
        row(name, np.mean([shells(100_000, seed, "lattice", times) for seed in range(4)], axis=0))
    return table


def chance(most: int) -> Table:
    table = Table("chemistry/collapse-chance", ["start, J, seeds, t / T", *COLUMNS])
    for how, J, seeds in (("random", 10**5, 8), ("quiet", 10**5, 8), ("quiet", 5 * 10**5, 4)):
        if most >= J:
            squares = np.square([shells(J, seed, how, shrinking()) for seed in range(seeds)])
            for k, part in enumerate(PARTS):
                table.row(f"{how}, {J:g}, {seeds}, {part:g}", *percent(np.sqrt(squares[:, k].mean(0)), ""))
    return table


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("part", choices=("biases", "chance"))
    arguments.add_argument("--most", type=float, default=1e6)
    options = arguments.parse_args()
    table = biases() if options.part == "biases" else chance(int(options.most))
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
