"""The exact blow-up in space (eps = 0): separate the errors of the scheme, of delta, and of chance.

    python benchmarks/collapse.py separated [--J 2e4] [--record]
    python benchmarks/collapse.py runs [--J 1e5] [--seeds 2] [--delta2 3e-6] [--record]
    python benchmarks/collapse.py shells [--most 1e7] [--record]

The solution that blows up at T = 0.05, cut at 2, in ``runs`` at 1.5. Errors of the mass within R = 0.1, 0.25, 0.5 and
of (T - t) rho(0, t), by the mass within half the length sqrt(T - t). ``separated``: at 0.95 T, one seed and one
Brownian path, the steps and delta changed one after the other. ``runs``: quiet particles by heun with steps of 3 % of
the time that is left, at parts of T, a row for each seed and for the mean; ``T of the run`` is the blow-up time for
which the exact mass within 0.1 equals the measured one. ``shells`` simulates the radial problem instead: the mass
inside a particle's own radius attracts it exactly (Newton), by heun with steps of a fiftieth of the remaining time.
Without delta and engine its errors are chance alone; the table gives their root mean square over the seeds.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, parser
from numpy.typing import NDArray

import ksdp_cli as ksdp
from ksdp_cli.exact.collapse import Collapse
from ksdp_cli.exact.radial_chemistry import solve

EXACT = Collapse(0.05, 2.0)
RADII, PARTS = (0.1, 0.25, 0.5), (0.5, 0.8, 0.9, 0.95)
COLUMNS = ["m(0.1)", "m(0.25)", "m(0.5)", "(T-t) rho(0)"]
#: Steps of 1/8 of 1e-3 always; and steps by the part of delta that attraction moves a particle.
FIXED: dict[str, Any] = {"dt": 1e-3, "halvings": 3, "dt_fraction": 1e-9}
CHANGED: list[tuple[str, dict[str, Any]]] = [
    ("euler, delta = 0.01, steps of 1.25e-4", {"scheme": "euler", "delta2": 1e-4, **FIXED}),
    ("heun, the same", {"delta2": 1e-4, **FIXED}),
    ("heun, delta = 0.01, --dt auto", {"delta2": 1e-4, "dt": "auto", "dt_fraction": 1.0}),
    ("heun, delta = 0.0032, --dt auto", {"delta2": 1e-5, "dt": "auto", "dt_fraction": 3.0}),
    ("the same, steps a third", {"delta2": 1e-5, "dt": "auto", "dt_fraction": 1.0}),
]
#: The cut of ``runs``, whose quiet particles follow steps of this part of the time that is left.
NEARER, STEP = 1.5, 0.03


class Cut:
    """The start as the radial solver takes it, with nothing beyond the cut."""

    def mass_within(self, r: Any, t: float) -> NDArray[np.float64]:
        return np.asarray(EXACT.mass_within(np.minimum(r, EXACT.radius), t) / EXACT.M)

    def chemical_slope(self, r: Any, t: float) -> NDArray[np.float64]:
        return np.asarray(-EXACT.M * self.mass_within(r, t) / (4 * math.pi * np.maximum(r, 1e-12) ** 2))


def errors(fractions: Any, t: float) -> NDArray[np.float64]:
    """Relative errors of the masses within the radii at ``t``, given the parts of all mass within each."""
    radii = (*RADII, 0.5 * math.sqrt(EXACT.T - t))
    return np.array([EXACT.M * fractions(R) / float(EXACT.mass_within(R, t)) - 1 for R in radii])


def percent(found: NDArray[np.float64], sign: str = "+") -> list[str]:
    return [f"{100 * one:{sign}.1f} %" for one in found]


def run(J: int, seed: int, **options: Any) -> tuple[list[NDArray[np.float64]], list[float], int]:
    """Errors at the parts of T, the run's own T there, and the steps that were taken."""
    times = [part * EXACT.T for part in PARTS]
    arguments: dict[str, Any] = {"scheme": "heun", "snapshots": times} | options
    places = [int(np.argmin(np.abs(np.array(arguments["snapshots"]) - t))) for t in times]
    with tempfile.TemporaryDirectory() as folder:
        made = ksdp.simulate(
            dim=3, J=J, seed=seed, init="collapse", cut=EXACT.radius, M=EXACT.M, kernel="plummer", T=times[-1],
            accuracy=1e-3, out=Path(folder) / "a.zarr", warn=lambda _: None, **arguments,
        )  # fmt: skip
        radii = [np.linalg.norm(np.asarray(made.frame(0, k), np.float64), axis=1) for k in places]
        taken = made.attrs["engine"][0].get("steps_taken", len(arguments["snapshots"]))
    found, own = [], []
    for r, t in zip(radii, times, strict=True):
        found.append(errors(lambda R, r=r: float(np.mean(r < R)), t))
        mass = EXACT.M * float(np.mean(r < RADII[0]))
        own.append(t + (16 * math.pi * RADII[0] ** 3 / mass - RADII[0] ** 2) / 2)
    return found, own, taken


def shrinking() -> list[float]:
    """Times at which each step ends, where every one is `STEP` of the time that is left; the parts of T among them."""
    t, times = 0.0, []
    for end in (part * EXACT.T for part in PARTS):
        while t < end:
            step = STEP * (EXACT.T - t)
            t = end if t + 1.2 * step > end else t + step
            times.append(t)
    return times


def separated(J: int) -> Table:
    table = Table("chemistry/collapse-separated", ["J, at 0.95 T", "steps", *COLUMNS])
    end = PARTS[-1] * EXACT.T
    solution = solve(end, dim=3, eps=0.0, k=0.0, M=EXACT.M, start=Cut(), points=1600)
    table.row(
        "the cut alone, radial problem", None, *percent(errors(lambda R: float(solution.mass_within(R, end)), end))
    )
    for name, options in CHANGED:
        found, _, taken = run(J, 0, **options)
        table.row(f"{J:g}, {name}", taken, *percent(found[-1]))
    return table


def runs(J: int, seeds: int, delta2: float) -> Table:
    global EXACT
    EXACT = Collapse(EXACT.T, NEARER)
    table = Table("chemistry/collapse", ["J, seed, t / T", "steps", *COLUMNS, "T of the run"])
    all_found = []
    for seed in range(seeds):
        found, own, taken = run(J, seed, sampling="quiet", delta2=delta2, dt=EXACT.T, snapshots=shrinking())
        all_found.append(found)
        for k, part in enumerate(PARTS):
            last = taken if k + 1 == len(PARTS) else None
            table.row(f"{J:g}, {seed}, {part:g}", last, *percent(found[k]), f"{100 * (own[k] / EXACT.T - 1):+.1f} %")
    for k, part in enumerate(PARTS):
        table.row(f"{J:g}, mean of {seeds}, {part:g}", None, *percent(np.mean(all_found, axis=0)[k]), None)
    return table


def shells(J: int, seed: int, bins: int = 20_000, top: float = 5.0) -> list[NDArray[np.float64]]:
    """Errors at the parts of T of ``J`` particles of the radial problem."""
    generator, size = np.random.default_rng(seed), np.float32(bins / top)
    r = EXACT.radii(generator.random(J, dtype=np.float32)).astype(np.float32)

    def force(r: NDArray[np.float32]) -> NDArray[np.float32]:
        place = np.minimum(r * size, np.float32(bins - 1))
        cell, inside = place.astype(np.int32), np.zeros(bins + 1)
        np.cumsum(np.bincount(cell, minlength=bins), out=inside[1:])
        m = (inside * (EXACT.M / J)).astype(np.float32)
        held = m[cell] + (m[cell + 1] - m[cell]) * (place - cell)
        return np.asarray(-held / (np.float32(4 * math.pi) * np.maximum(r, np.float32(1e-6)) ** 2))

    found, t = [], 0.0
    for end in (part * EXACT.T for part in PARTS):
        while t < end * (1 - 1e-12):
            h = min(end - t, 0.02 * (EXACT.T - t))
            along = generator.standard_normal(J, dtype=np.float32) * np.float32(math.sqrt(2 * h))
            across2 = generator.standard_exponential(J, dtype=np.float32) * np.float32(4 * h)
            before = force(r)
            x = r + np.float32(h) * before + along  # the predicted place along r; across it only noise
            there = np.sqrt(x * x + across2)
            pull = force(there) / there
            x, left = r + np.float32(h / 2) * (before + pull * x) + along, 1 + np.float32(h / 2) * pull
            r, t = np.sqrt(x * x + left * left * across2), t + h
        found.append(errors(lambda R, r=r: float(np.mean(r < R)), end))
    return found


def sampled(most: int) -> Table:
    table = Table("chemistry/collapse-chance", ["J, seeds, t / T", *COLUMNS])
    for J, seeds in ((10**5, 16), (10**6, 8), (10**7, 2)):
        if most >= J:
            squares = np.square([shells(J, seed) for seed in range(seeds)])
            for k, part in enumerate(PARTS):
                table.row(f"{J:g}, {seeds}, {part:g}", *percent(np.sqrt(squares[:, k].mean(0)), ""))
    return table


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("part", choices=("separated", "runs", "shells"))
    arguments.add_argument("--J", type=float)
    arguments.add_argument("--seeds", type=int, default=2)
    arguments.add_argument("--delta2", type=float, default=3e-6)
    arguments.add_argument("--most", type=float, default=1e7)
    options = arguments.parse_args()
    if options.part == "separated":
        table = separated(int(options.J or 2e4))
    elif options.part == "runs":
        table = runs(int(options.J or 1e5), options.seeds, options.delta2)
    else:
        table = sampled(int(options.most))
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
