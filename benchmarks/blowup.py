"""Blow-up in the plane: steps that are halved against fixed ones on one Brownian path, and the time of the blow-up.

    python benchmarks/blowup.py steps [--J 1000] [--seeds 3] [--T 0.096] [--record]
    python benchmarks/blowup.py time [--J 100000] [--seeds 1] [--delta2 1e-5] [--record]

M = 16 pi from the uniform unit disc, which blows up at t = 0.09602 (the radial truth). ``steps``: root mean square over
the seeds of the difference from the finest steps on the same path, of the radii that hold a tenth and a half of the
mass and of E|X|^2, beside the number of steps. ``fewer`` is how many fixed steps make the error of the tenth's radius,
by the power law that fits the fixed ones, over those taken. ``time``: the detector's t_b and interval, scheme heun,
--dt auto.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from typing import Any

import harness
import numpy as np

import ksdp_cli
from ksdp_cli.exact.radial import radial
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.simulation import Simulation

FINEST = 7
#: Any step is longer than so little of delta allows.
ALWAYS = 1e-9


def measured(options: dict[str, Any]) -> tuple[np.ndarray, int]:
    """Radii of a tenth and a half about the mean, E|X|^2; and the number of steps."""
    simulation = Simulation(pose(options), "cpu")
    simulation.start()
    simulation.run(lambda k, clouds: None, lambda done: None)
    run = simulation.runs[0]
    r = np.linalg.norm(run.state.x - run.state.x.mean(0), axis=1)
    return np.array([np.quantile(r, 0.1), np.quantile(r, 0.5), (r**2).mean()]), run.state.place.taken


def steps(given: argparse.Namespace) -> harness.Table:
    table = harness.Table("blow-up/steps", ["steps", "taken", "r of 10 %", "r of 50 %", "E|X|^2", "fewer"])
    base = {"J": given.J, "T": given.T, "delta2": given.delta2, "dtype": "float64", "engine": "direct"}
    kinds = [(f"dt / {2**level}", {"halvings": level, "dt_fraction": ALWAYS}) for level in range(1, FINEST - 1)]
    kinds += [(f"auto, {part:g} delta", {"halvings": 20, "dt_fraction": part}) for part in (1.0, 0.5, 0.25)]
    fixed: list[tuple[float, float]] = []
    for scheme in ("euler", "heun"):
        exact, found = [], {name: [] for name, _ in kinds}
        for seed in range(given.seeds):
            options = base | {"seed": seed, "scheme": scheme, "dt": given.T / 100}
            exact.append(measured(options | {"halvings": FINEST, "dt_fraction": ALWAYS})[0])
            for name, kind in kinds:
                found[name].append(measured(options | kind))
        fixed.clear()
        for name, kind in kinds:
            errors = np.sqrt(np.mean([(one - true) ** 2 for (one, _), true in zip(found[name], exact, strict=True)], 0))
            taken = float(np.mean([count for _, count in found[name]]))
            fewer = "" if kind["dt_fraction"] == ALWAYS else f"{_steps_for(fixed, errors[0]) / taken:.1f}"
            if not fewer:
                fixed.append((math.log(errors[0]), math.log(taken)))
            table.row(f"{scheme}, {name}", f"{taken:.0f}", *(f"{1e3 * one:.2f}e-3" for one in errors), fewer)
    return table


def _steps_for(fixed: list[tuple[float, float]], error: float) -> float:
    """Fixed steps that make ``error``, by the power law that fits them best."""
    errors, counts = np.array(fixed).T
    slope, constant = np.polyfit(errors, counts, 1)
    return math.exp(constant + slope * math.log(error))


def time(given: argparse.Namespace) -> harness.Table:
    table = harness.Table("blow-up/time", ["J, delta^2, seed", "t_b", "low", "high", "less exact", "covers", "steps"])
    exact = radial(0.01).blow_up_time
    for seed in range(given.seeds):
        options: dict[str, Any] = {"J": given.J, "delta2": given.delta2, "seed": seed, "scheme": "heun", "dt": "auto"}
        with tempfile.TemporaryDirectory() as folder:
            made = ksdp_cli.simulate(out=Path(folder) / "a.zarr", dt_fraction=1, snapshots="0.05:0.098:33", **options)
            found, taken = made.attrs["t_b"][0], made.attrs["engine"][0]["steps_taken"]
        cells = (f"{found[name]:.5f}" for name in ("t", "low", "high"))
        covers = "yes" if found["low"] <= exact <= found["high"] else "no"
        less = f"{100 * (found['t'] / exact - 1):+.2f} %"
        table.row(f"{given.J:g}, {given.delta2:g}, {seed}", *cells, less, covers, taken)
    table.row("exact", f"{exact:.5f}", *[""] * 5)
    return table


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("part", choices=("steps", "time"))
    parser.add_argument("--J", type=lambda text: int(float(text)))
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--T", type=float, default=0.096)
    parser.add_argument("--delta2", type=float)
    given = parser.parse_args()
    usual = (
        {"J": 1000, "seeds": 3, "delta2": 1e-4} if given.part == "steps" else {"J": 100_000, "seeds": 1, "delta2": 1e-5}
    )
    for name, value in usual.items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    table = steps(given) if given.part == "steps" else time(given)
    if given.record:
        table.record()


if __name__ == "__main__":
    main()
