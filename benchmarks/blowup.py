"""Blow-up in the plane: compare halved with fixed steps on one Brownian path, and estimate the blow-up time.

    python benchmarks/blowup.py steps [--J 1000] [--seeds 6] [--T 0.096] [--record]
    python benchmarks/blowup.py bound [--J 1000] [--seeds 3] [--T 0.096] [--record]
    python benchmarks/blowup.py time [--J 100000] [--seeds 4] [--delta2 1e-5] [--record]

M = 16 pi from the uniform unit disc, which blows up at t = 0.09602 (the radial truth). ``steps``: root mean square over
the seeds of the difference from the finest steps on the same path, of the radii that hold a tenth and a half of the
mass and of E|X|^2, beside the numbers of steps and of forces. ``fewer``: fixed steps with the same error of a radius,
by a power law fitted to the fixed ones, over the steps taken. ``bound``: the share of each part of the time in the
error of scheme euler, measured by steps 16 times as long in that part alone; it bounds the gain of any choice of steps
by time.
``time``: the detector's t_b and interval, scheme heun, --dt auto, one frame after the blow-up.
"""

from __future__ import annotations

import argparse
import itertools
import math
import tempfile
from pathlib import Path
from typing import Any

import harness
import numpy as np

import ksdp_cli
from ksdp_cli.exact.radial import radial
from ksdp_cli.particles.case_run import CaseRun
from ksdp_cli.particles.halving import Halving, Place
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.schemes.euler import Euler
from ksdp_cli.particles.schemes.heun import Heun
from ksdp_cli.particles.simulation import Simulation

FINEST = 7
#: Forces in a step.
EVALUATIONS = {"euler": Euler.evaluations, "heun": Heun.evaluations}
#: Any step is longer than so little of delta allows.
ALWAYS = 1e-9


#: Ends of the parts of the time for `bound`, in T; and the levels of halving within one and elsewhere.
ENDS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
COARSE, FINE = 1, 5


class Within(Halving):
    """Steps of one level within a part of the time (in T), and of another elsewhere."""

    def __init__(self, run: CaseRun, low: float, high: float) -> None:
        super().__init__(run.stepper, run.scheme)
        self.low, self.high, self.T, self.level = low * run.config.T, high * run.config.T, run.config.T, FINE

    def advance(self, arrays: Any, place: Place, t: float, dt: float, step: int) -> Any:
        self.level = COARSE if self.low - 1e-9 * self.T <= t < self.high - 1e-9 * self.T else FINE
        return super().advance(arrays, place, t, dt, step)

    def _level(self, place: Place, dt: float, speed: float) -> int:
        return self.level


def measured(options: dict[str, Any], part: tuple[float, float] | None = None) -> tuple[np.ndarray, int]:
    """Radii of a tenth and a half about the mean, E|X|^2; and the number of steps."""
    simulation = Simulation(pose(options), "cpu")
    simulation.start()
    if part:
        simulation.runs[0].halving = Within(simulation.runs[0], *part)
    simulation.run(lambda k, clouds: None, lambda done: None)
    run = simulation.runs[0]
    r = np.linalg.norm(run.state.x - run.state.x.mean(0), axis=1)
    return np.array([np.quantile(r, 0.1), np.quantile(r, 0.5), (r**2).mean()]), run.state.place.taken


def steps(arguments: argparse.Namespace) -> harness.Table:
    columns = ["steps", "taken", "forces", "r of 10 %", "r of 50 %", "E|X|^2", "fewer, 10 %", "fewer, 50 %"]
    table = harness.Table("blow-up/steps", columns)
    base = {"J": arguments.J, "T": arguments.T, "delta2": arguments.delta2, "dtype": "float64", "engine": "direct"}
    kinds = [(f"dt / {2**level}", {"halvings": level, "dt_fraction": ALWAYS}) for level in range(1, FINEST - 1)]
    kinds += [(f"auto, {part:g} delta", {"halvings": 20, "dt_fraction": part}) for part in (1.0, 0.5, 0.25)]
    for scheme in ("euler", "heun"):
        exact, found = [], {name: [] for name, _ in kinds}
        for seed in range(arguments.seeds):
            options = base | {"seed": seed, "scheme": scheme, "dt": arguments.T / 100}
            exact.append(measured(options | {"halvings": FINEST, "dt_fraction": ALWAYS})[0])
            for name, kind in kinds:
                found[name].append(measured(options | kind))
        fixed: list[tuple[float, np.ndarray]] = []
        for name, kind in kinds:
            errors = np.sqrt(np.mean([(one - true) ** 2 for (one, _), true in zip(found[name], exact, strict=True)], 0))
            taken = float(np.mean([count for _, count in found[name]]))
            fewer = ["", ""]
            if kind["dt_fraction"] == ALWAYS:
                fixed.append((taken, errors))
            else:
                fewer = [f"{_steps_for(fixed, radius, errors[radius]) / taken:.1f}" for radius in (0, 1)]
            forces = f"{taken * EVALUATIONS[scheme]:.0f}"
            table.row(f"{scheme}, {name}", f"{taken:.0f}", forces, *(f"{1e3 * one:.2f}e-3" for one in errors), *fewer)
    return table


def _steps_for(fixed: list[tuple[float, np.ndarray]], which: int, error: float) -> float:
    """Fixed steps that make ``error`` of a quantity, by the power law that fits them best."""
    errors, counts = np.log([one[which] for _, one in fixed]), np.log([count for count, _ in fixed])
    slope, constant = np.polyfit(errors, counts, 1)
    return math.exp(constant + slope * math.log(error))


def bound(arguments: argparse.Namespace) -> harness.Table:
    """g = d error / d (step x time) by parts; N steps err by (int g)(T / N) if fixed, and by (int sqrt g)^2 / N at
    best (Cauchy and Schwarz)."""
    table = harness.Table("blow-up/bound", ["error a step length and time", "r of 10 %", "r of 50 %", "E|X|^2"])
    base = {"J": arguments.J, "T": arguments.T, "delta2": arguments.delta2, "dtype": "float64", "engine": "direct"}
    options = base | {"scheme": "euler", "dt": arguments.T / 100, "halvings": FINEST, "dt_fraction": ALWAYS}
    fine = [measured(options | {"seed": seed}, (2.0, 3.0))[0] for seed in range(arguments.seeds)]
    longer = arguments.T / 100 * (2.0**-COARSE - 2.0**-FINE)
    lengths, owed = np.diff(ENDS), []
    for low, high in itertools.pairwise(ENDS):
        off = [measured(options | {"seed": seed}, (low, high))[0] - fine[seed] for seed in range(arguments.seeds)]
        owed.append(np.abs(np.mean(off, 0)) / (longer * (high - low) * arguments.T))
        table.row(f"{low:g} T to {high:g} T", *(f"{one:.0f}" for one in owed[-1]))
    g = np.array(owed)
    most = (lengths @ g) / (lengths @ np.sqrt(g)) ** 2
    table.row("the most that steps by time can gain", *(f"{one:.1f}" for one in most))
    return table


def time(arguments: argparse.Namespace) -> harness.Table:
    table = harness.Table("blow-up/time", ["J, delta^2, seed", "t_b", "low", "high", "t_b - exact", "covers", "steps"])
    exact = radial(0.01).blow_up_time
    for seed in range(arguments.seeds):
        options: dict[str, Any] = {
            "J": arguments.J,
            "delta2": arguments.delta2,
            "seed": seed,
            "scheme": "heun",
            "dt": "auto",
        }
        with tempfile.TemporaryDirectory() as folder:
            made = ksdp_cli.simulate(out=Path(folder) / "a.zarr", dt_fraction=1, T=arguments.T, **options)
            found, taken = made.attrs["t_b"][0], made.attrs["engine"][0]["steps_taken"]
        cells = (f"{found[name]:.5f}" for name in ("t", "low", "high"))
        covers = "yes" if found["low"] <= exact <= found["high"] else "no"
        less = f"{100 * (found['t'] / exact - 1):+.2f} %"
        table.row(f"{arguments.J:g}, {arguments.delta2:g}, {seed}", *cells, less, covers, taken)
    table.row("exact", f"{exact:.5f}", *[""] * 5)
    return table


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("part", choices=("steps", "bound", "time"))
    parser.add_argument("--J", type=lambda text: int(float(text)))
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--T", type=float)
    parser.add_argument("--delta2", type=float)
    arguments = parser.parse_args()
    usual: dict[str, float] = {"J": 1000, "seeds": 3, "delta2": 1e-4, "T": 0.096}
    if arguments.part == "steps":
        usual["seeds"] = 6
    if arguments.part == "time":
        usual = {"J": 100_000, "seeds": 4, "delta2": 1e-5, "T": 0.0965}
    for name, value in usual.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    table = {"steps": steps, "bound": bound, "time": time}[arguments.part](arguments)
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
