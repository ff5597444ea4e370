"""The exact blow-up in space (eps = 0) by quiet particles; `collapse_errors.py` has what each error does alone.

    python benchmarks/collapse.py [--J 5e5] [--seeds 1] [--delta2 3e-7] [--folder runs/collapse] [--record]

The solution that blows up at T = 0.05, cut at 1.5. Errors of the mass within R = 0.1, 0.25, 0.5 and of (T - t) rho(0,
t), by the mass within half the length sqrt(T - t), at parts of T, a row for each seed and, of several, for the mean.
Heun with 200 steps in which sqrt(T - t) falls evenly. ``T of the run`` is the blow-up time for which the exact mass
within 0.1 is the measured one. With ``--folder`` stores are kept there: a run that is complete is read,
one that was stopped goes on.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from harness import Table, parser
from numpy.typing import NDArray

import ksdp_cli as ksdp
from ksdp_cli.exact.collapse import Collapse

#: The cut, and the steps to 0.95 T.
NEARER, STEPS = 1.5, 200
EXACT = Collapse(0.05, NEARER)
RADII, PARTS = (0.1, 0.25, 0.5), (0.5, 0.8, 0.9, 0.95)
COLUMNS = ["m(0.1)", "m(0.25)", "m(0.5)", "(T-t) rho(0)"]


def errors(fractions: Callable[[float], float], t: float, exact: Collapse = EXACT) -> NDArray[np.float64]:
    """Relative errors of the masses within the radii at ``t``, given the parts of all mass within each."""
    radii = (*RADII, 0.5 * math.sqrt(exact.T - t))
    return np.array([exact.M * fractions(R) / float(exact.mass_within(R, t)) - 1 for R in radii])


def percent(found: NDArray[np.float64], sign: str = "+") -> list[str]:
    return [f"{100 * one:{sign}.1f} %" for one in found]


def shrinking(steps: float = STEPS) -> list[float]:
    """Times at which each step ends: sqrt(T - t) falls evenly, in about ``steps`` to 0.95 T; the parts of T are among
    them."""
    parts = [math.sqrt(1 - part) for part in (0.0, *PARTS)]
    falls = [
        np.linspace(high, low, max(1, round(steps * (high - low) / (1 - parts[-1]))) + 1)[1:]
        for high, low in pairwise(parts)
    ]
    return [float(EXACT.T * (1 - one**2)) for one in np.concatenate(falls)]


def run(J: int, seed: int, delta2: float, folder: Path) -> tuple[list[NDArray[np.float64]], list[float]]:
    """Errors at the parts of T, and the run's own T there."""
    out, times = folder / f"collapse-{J:g}-{delta2:g}-{seed}.zarr", shrinking()
    made = ksdp.simulate(
        dim=3, J=J, seed=seed, init="collapse", cut=NEARER, M=EXACT.M, kernel="plummer", delta2=delta2, scheme="heun",
        sampling="quiet", accuracy=3e-4, T=times[-1], dt=EXACT.T, snapshots=times, out=out, resume=out.exists(),
        warn=lambda _: None,
    )  # fmt: skip
    found, own = [], []
    for t in (part * EXACT.T for part in PARTS):
        frame = made.frame(0, int(np.argmin(np.abs(np.array(times) - t))))
        r = np.linalg.norm(np.asarray(frame, np.float64), axis=1)
        found.append(errors(lambda R, r=r: float(np.mean(r < R)), t))
        mass = EXACT.M * float(np.mean(r < RADII[0]))
        own.append(t + (16 * math.pi * RADII[0] ** 3 / mass - RADII[0] ** 2) / 2)
    return found, own


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--J", type=float, default=5e5)
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument("--delta2", type=float, default=3e-7)
    arguments.add_argument("--folder", type=Path)
    options = arguments.parse_args()
    J = int(options.J)
    table = Table("chemistry/collapse", ["J, seed, t / T", *COLUMNS, "T of the run"])
    all_found = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            found, own = run(J, seed, options.delta2, options.folder or Path(folder))
            all_found.append(found)
            for part, errors_there, T in zip(PARTS, found, own, strict=True):
                table.row(f"{J:g}, {seed}, {part:g}", *percent(errors_there), f"{100 * (T / EXACT.T - 1):+.1f} %")
    for k, part in enumerate(PARTS if options.seeds > 1 else ()):
        table.row(f"{J:g}, mean of {options.seeds}, {part:g}", *percent(np.mean(all_found, axis=0)[k]), None)
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
