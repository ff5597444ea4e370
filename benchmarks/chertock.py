"""Blow-up time of 840/420 (Chertock and Kurganov, eps = k = 1), by the radial problem and by particles.

    ksdp simulate --preset chertock-kurganov -o runs/ck-1e5.zarr
    ksdp simulate --preset chertock-kurganov --J 1e6 -o runs/ck-1e6.zarr
    python benchmarks/chertock.py runs/ck-1e5.zarr runs/ck-1e6.zarr [--record]

The radial problem starts in free space from the same density and chemical; diffusion over the cloud's 0.03 does not
reach the walls of their square. ``t_b`` of a pair of radii 2 r and r is the detector's: the time at r plus a third of
the time between the two; its interval is from the time at r to that plus the whole time between. A pair agrees with
the previous one if its t_b lies in the previous interval; otherwise `ksdp simulate` gives no t_b. Particles are
followed down to r = 16 delta, where they begin to feel delta.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from harness import Table, parser
from numpy.typing import NDArray

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


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("stores", nargs="*")
    options = arguments.parse_args()
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
