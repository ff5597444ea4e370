"""Blow-up time of 840/420 (Chertock and Kurganov, eps = k = 1), by the radial problem and by particles.

    ksdp simulate --preset chertock-kurganov -o runs/ck-1e5.zarr
    ksdp simulate --preset chertock-kurganov --J 1e6 -o runs/ck-1e6.zarr
    python benchmarks/chertock.py runs/ck-1e5.zarr runs/ck-1e6.zarr [--record]
    python benchmarks/chertock.py --pair runs/fine.zarr runs/coarse.zarr [--record]
    python benchmarks/chertock.py --volumes [--record]

The radial problem starts in free space from the same density and chemical; diffusion over the cloud's 0.03 does not
reach the walls of their square. ``t_b`` of a pair of radii 2 r and r is the detector's: the time at r plus a third of
the time between the two; its interval is from the time at r to that plus the whole time between. A pair agrees with
the previous one if its t_b lies in the previous interval; otherwise `ksdp simulate` gives no t_b. Particles are
followed down to r = 16 delta, where they begin to feel delta.

``--pair`` takes two runs of one J, which the name of the table holds, with frames near the end, of the square [-1/2,
1/2]^2 and otherwise equal but for delta^2:

    set -- simulate --preset chertock-kurganov --box 1 --scheme heun --dt auto --dt-fraction 1
    ksdp "$@" --delta2 2e-6 --modes 1152 --snapshots 8e-5:1.6e-4:33 -o runs/fine.zarr
    ksdp "$@" --delta2 4e-6 --modes 840 --snapshots 8e-5:1.75e-4:39 -o runs/coarse.zarr

The time at which R = r is linear in delta^2, down to r = 2 delta, so that a line through both gives that of delta = 0.
The interval of its t_b is wider by what the line adds. ``--volumes`` checks the radial problem by another scheme:
finite volumes in annuli, Scharfetter and Gummel's fluxes, implicit Euler with steps of a part of 1 / rho(0); and what
delta does to the same problem.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from harness import Table, parser
from numpy.typing import NDArray
from scipy.linalg import solve_banded
from scipy.special import exprel

import ksdp_cli as ksdp
from ksdp_cli.exact.radial_chemistry import ChemotaxisSolution, solve
from ksdp_cli.metrics.blow_up_time import blow_up_time, passed

M, CRITICAL = 10 * math.pi, 8 * math.pi
RADII = (0.064, 0.032, 0.016, 0.008, 0.004)
TIMES = (6e-5, 1.2e-4)


class Start:
    """rho = 840 exp(-84 r^2) and c = 420 exp(-42 r^2)."""

    def mass_within(self, r: Any, t: float) -> NDArray[np.float64]:
        return np.asarray(1 - np.exp(-84 * np.square(r)))

    def chemical_slope(self, r: Any, t: float) -> NDArray[np.float64]:
        return np.asarray(-84 * 420 * np.asarray(r) * np.exp(-42 * np.square(r)))


def radial(points: int) -> ChemotaxisSolution:
    return solve(4e-4, dim=2, eps=1.0, k=1.0, M=M, start=Start(), points=points)


def radius(solution: ChemotaxisSolution, t: float) -> float:
    """R of the critical mass."""
    return float(np.interp(CRITICAL, solution.profile(t), solution.r))


def pairs(table: Table, by: str, times: NDArray[np.float64], squares: NDArray[np.float64], least: float) -> None:
    """A row for each radius that is passed."""
    for r, last in zip(RADII[1:], RADII[:-1], strict=True):
        if r < least * (1 - 1e-6):
            continue
        when, before = blow_up_time(times, squares, r), blow_up_time(times, squares, last)
        at = passed(times, squares, r * r)
        if when is None or at is None:
            continue
        agrees = None if before is None else "yes" if before.low <= when.t <= before.high else "no"
        table.row(f"{by}, r = {r:g}", *(f"{one:.3e}" for one in (at, when.t, when.high)), agrees)


def times_of(run: ksdp.Run) -> dict[float, float | None]:
    """When R is each of `RADII`, by the looks of a run between its frames and by the frames."""
    seen: dict[float, float] = {}
    for columns in (run.attrs["followed"][0], run.attrs["concentration"][0]):
        seen |= dict(zip(columns["t"], columns["critical_radius"], strict=True))
    t = np.array(sorted(seen))
    return {r: passed(t, np.array([seen[one] for one in t]) ** 2, r * r) for r in RADII}


def pair(stores: list[str]) -> Table:
    """t_b from the times of two runs, extrapolated to delta = 0."""
    fine, coarse = sorted((ksdp.open_run(path) for path in stores), key=lambda run: run.config["delta2"][0])
    (a, b), solution = (run.config["delta2"][0] for run in (fine, coarse)), radial(800)
    columns = ["", f"delta^2 = {b:g}", f"delta^2 = {a:g}", "delta = 0", "exact", "t_b", "at least", "at most"]
    table = Table(f"blow-up/chertock-pair-{fine.J}", [*columns, "agrees with 2 r"])
    at = solution.end * (1 - np.geomspace(1.0, 1e-3, 400))
    squares = np.array([radius(solution, t) for t in at]) ** 2
    found, before = {}, None
    for r in RADII:
        near, far = times_of(fine)[r], times_of(coarse)[r]
        if near is None or far is None:
            break
        added = a / (b - a) * (near - far)
        found[r] = near + added
        cells: list[str | None] = [None] * 4
        if (first := found.get(2 * r)) is not None:
            halving, wider = found[r] - first, abs(added)
            t_b, low, high = found[r] + halving / 3, found[r] - wider, found[r] + halving + wider
            agrees = None if before is None else "yes" if before[0] <= t_b <= before[1] else "no"
            cells, before = [*(f"{one:.3e}" for one in (t_b, low, high)), agrees], (low, high)
        exact = passed(at, squares, r * r)
        table.row(f"R = {r:g}", f"{far:.3e}", f"{near:.3e}", f"{found[r]:.3e}", f"{exact:.3e}", *cells)
    table.row("radial problem", None, None, None, None, f"{solution.end:.3e}", None, None, None)
    return table


def volumes(cells: int, part: float, delta: float = 0.0) -> list[float]:
    """When R is each of `RADII`, and the end, where rho(0) = 1e9 or t = 1.8e-4. ``part``: steps times rho(0)."""
    face = np.concatenate([[0.0], np.geomspace(2e-5, 1.5, cells)])
    area, k = np.pi * np.diff(face**2), 2 * np.pi * face[1:-1] / np.diff((face[1:] + face[:-1]) / 2)
    rho, c = (-M * np.diff(np.exp(-a * face**2)) / area for a in (84, 42))

    def solved(out: Any, back: Any, diagonal: Any, right: Any) -> NDArray[np.float64]:
        bands = np.zeros((3, cells))
        bands[1] = diagonal
        bands[1, :-1] += out
        bands[1, 1:] += back
        bands[0, 1:], bands[2, :-1] = -back, -out
        return np.asarray(solve_banded((1, 1), bands, right))

    t, when, held = 0.0, [0.0], [1.0]
    while rho[0] < 1e9 and t < 1.8e-4:
        dt = part / rho[0]
        t += dt
        c = solved(dt * k, dt * k, area * (1 + dt), area * (c + dt * rho))
        felt, heat = c, delta**2 / 16 * k  # four steps of heat: the Gaussian exp(-(q delta / 2)^2)
        for _ in range(4 if delta else 0):
            felt = solved(heat, heat, area, area * felt)
        fall = np.diff(felt)
        out, back = (dt * k / exprel(sign * fall) for sign in (-1, 1))
        rho = solved(out, back, area, area * rho)
        when.append(t)
        held.append(float(np.interp(CRITICAL, np.cumsum(area * rho), face[1:])))
    return [float(np.interp(-r, -np.array(held), when)) for r in RADII[1:]] + [t]


def check() -> Table:
    """The radial problem by `volumes`, and how much later R = r is for a delta."""
    table = Table("blow-up/chertock-volumes", ["", *(f"R = {r:g}" for r in RADII[1:]), "t_b"])
    sizes = ((800, 0.01), (800, 0.005), (1600, 0.005))
    coarse, longer, fine = (np.array(volumes(*size)) for size in sizes)
    for (cells, part), found in zip(sizes, (coarse, longer, fine), strict=True):
        table.row(f"{cells} annuli, steps of {part:g} / rho(0)", *(f"{one:.3e}" for one in found))
    limit = fine + (longer - coarse) + (fine - longer) / 3
    table.row("extrapolated, first order in steps, second in space", *(f"{one:.3e}" for one in limit))
    solution = radial(800)
    times = solution.end * (1 - np.geomspace(1.0, 1e-3, 400))
    squares = np.array([radius(solution, t) for t in times]) ** 2
    exact = [passed(times, squares, r * r) for r in RADII[1:]] + [solution.end]
    table.row("radial problem, 800 cells to r = 1", *(f"{one:.3e}" for one in exact))
    plain = volumes(400, 0.02)
    for delta in (0.0005, 0.001, 0.0014142, 0.002):
        later = [one - other for one, other in zip(volumes(400, 0.02, delta)[:-1], plain, strict=False)]
        table.row(f"later by delta^2 = {delta**2:.3g}", *(f"{one:.2e}" for one in later), None)
    return table


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("stores", nargs="*")
    arguments.add_argument("--pair", action="store_true", help="t_b of two stores, extrapolated to delta = 0")
    arguments.add_argument("--volumes", action="store_true", help="check the radial problem by finite volumes")
    options = arguments.parse_args()
    if options.pair or options.volumes:
        special = pair(options.stores) if options.pair else check()
        if options.record:
            special.record()
        return
    table = Table("blow-up/chertock", ["by", "R = r at", "t_b", "at most", "agrees with 2 r"])
    for points in (400, 800, 1600):
        solution = radial(points)
        table.row(f"radial problem, {points} cells to r = 1", None, f"{solution.end:.3e}", None, None)
    times = solution.end * (1 - np.geomspace(1.0, 1e-3, 400))
    pairs(table, "radial problem", times, np.array([radius(solution, t) for t in times]) ** 2, 0.0)
    for path in options.stores:
        run = ksdp.open_run(path)
        delta, looks = math.sqrt(run.config["delta2"][0]), run.attrs["followed"][0]
        name = f"J = {run.J:.0e}, delta = {delta:g}"
        pairs(table, name, np.array(looks["t"]), np.array(looks["critical_radius"]) ** 2, 8 * delta)
        for t in TIMES:
            found, exact = np.interp(t, looks["t"], looks["critical_radius"]), radius(solution, t)
            table.row(f"{name}, R at {t:g}: {found:.4f}, exact {exact:.4f}", f"{t:.3e}", None, None, None)
        said = run.attrs["t_b"][0]
        table.row(
            f"{name}, reached, and t_b given",
            f"{run.times[-1]:.3e}",
            f"{said['t']:.3e}" if said else "none",
            None,
            None,
        )
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
