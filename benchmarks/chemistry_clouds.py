"""Compare clouds with a chemical with the radial problem: the same equation without particles or boxes.

    python benchmarks/chemistry_clouds.py [--only balls|late-focus|learned] [--most 64] [--particles 1e5] [--record]

``balls``: SIPF's unit ball, M = 20 and 80, eps = 1e-4, k = 0.1, by their box and modes and by others. ``late-focus``:
Lyu and Lei's Gaussian of M = 96, eps = k = 1, by modes: the radius of half the mass over that at the start, before its
blow-up, where the answer is known, and long after it, where there is none. ``learned``: a network on the self-similar
solution in the plane, from the law at t_0; squares of lengths over E|X|^2.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, parser
from scipy.optimize import brentq
from scipy.stats import chi

import ksdp_cli as ksdp
from ksdp_cli import presets
from ksdp_cli.exact.radial_chemistry import ChemotaxisSolution, solve
from ksdp_cli.exact.self_similar import self_similar
from ksdp_cli.metrics import exact_w2_squared

#: Modes, box, particles of the balls: theirs, more modes, more particles, and boxes twice as large with the same cells.
BALLS = (
    *((24, 8, 10_000), (48, 8, 10_000), (24, 8, 100_000), (48, 8, 100_000)),
    *((48, 16, 100_000), (96, 16, 100_000)),
)
TIMES = (0.025, 0.05)
LATE, AFTER = (0.1, 0.2), 2.0


class Start:
    """A Gaussian cloud of standard deviation ``width`` on each axis, without a chemical."""

    def __init__(self, width: float) -> None:
        self.width = width

    def mass_within(self, r: Any, t: float) -> np.ndarray:
        return np.asarray(chi(3).cdf(np.asarray(r) / self.width))

    def chemical_slope(self, r: Any, t: float) -> np.ndarray:
        return 0.0 * np.asarray(r)


def radii(preset: str, folder: str, times: tuple[float, ...], **changes: Any) -> list[np.ndarray]:
    """Distances from the origin (J,) at each time, of a preset with changes."""
    name = "-".join(f"{key}{value}" for key, value in changes.items())
    options = presets.with_changes(preset, {"T": times[-1], "snapshots": times, **changes})
    run = ksdp.simulate(**options, out=Path(folder) / f"{preset}-{name}-{times[-1]}.zarr", warn=lambda _: None)
    return [np.linalg.norm(run.frame(0, k).astype(np.float64), axis=1) for k in range(len(times))]


def balls(table: Table, most: int, particles: int) -> None:
    """E|X|^2 in standard errors, and the mass within 1/4, before the blow-up at .0654 of M = 80."""
    for M in (20, 80):
        exact = solve(TIMES[-1], dim=3, eps=1e-4, k=0.1, M=float(M), points=800)
        with tempfile.TemporaryDirectory() as folder:
            for modes, box, J in [row for row in BALLS if row[0] <= most and row[2] <= particles]:
                found = radii(f"sipf-ball-{M}", folder, TIMES, modes=modes, box=box, J=J)
                for t, r in zip(TIMES, found, strict=True):
                    squared, told = r**2, exact.second_moment(t)
                    off = (squared.mean() - told) / (squared.std() / math.sqrt(J))
                    near, true = float(np.mean(r < 0.25)), float(exact.mass_within(0.25, t))
                    case = f"M = {M}, H = {modes}, L = {box}, P = {J:.0e}, t = {t:g}".replace("e+0", "e")
                    table.row(case, f"{told:.4f}", f"{squared.mean():.4f}", f"{off:+.1f}", f"{true:.4f}", f"{near:.4f}")


def late_focus(table: Table, most: int, particles: int) -> None:
    """R_1/2(t) / R_1/2(0) by modes, against the radial problem."""
    exact = solve(AFTER, dim=3, eps=1.0, k=1.0, M=96.0, points=800, start=Start(0.45))
    first = _half(exact, 0.0)
    told = [f"{_half(exact, t) / first:.4f}" for t in LATE]
    table.row("radial problem", *told, f"blows up at {exact.end:.4f}" if exact.blown_up else "")
    with tempfile.TemporaryDirectory() as folder:
        for modes in [count for count in (16, 32, 64, 128) if count <= most]:
            found = radii("delayed-focus", folder, (0.0, *LATE), modes=modes, J=20_000)
            before = [f"{np.median(r) / np.median(found[0]):.4f}" for r in found[1:]]
            after = radii("delayed-focus", folder, (0.0, AFTER), modes=modes, dt=2e-3) if modes < 128 else None
            end = f"{np.median(after[1]) / np.median(after[0]):.3f}" if after else ""
            table.row(f"H = {modes}", *before, end)


def learned(table: Table, most: int, particles: int) -> None:
    """A network of t on samples of the self-similar solution from t_0 to 4 t_0, where the map is x sqrt(t / t_0)."""
    exact, begin, n = self_similar(1.0, M=4 * math.pi), 0.25, 10_000
    times = [float(begin * turns) for turns in np.linspace(1.0, 4.0, 11)]
    with tempfile.TemporaryDirectory() as folder:
        clouds = {t: exact.draw(n, t, 100 + i) for i, t in enumerate(times)}
        store = ksdp.clouds(clouds, names=["t"], source=exact.draw(n, begin, 1), out=Path(folder) / "clouds.zarr")
        path = ksdp.train(store, N=1000, steps=1500, out=Path(folder) / "map.safetensors").path
        model = ksdp.open_model(path)
    for turns in (1.5, 3.25, 4.0, 8.0):
        t, x = begin * turns, exact.draw(2000, begin, 7).astype(np.float32)
        made = np.asarray(model(x, t=t), np.float64)
        off = float(((made - x * math.sqrt(turns)) ** 2).sum(1).mean()) / exact.second_moment(t)
        other, again = exact.draw(2000, t, 8), exact.draw(2000, t, 9)
        found = [exact_w2_squared(one, other) / exact.second_moment(t) for one in (made, again)]
        table.row(f"{turns:g}", f"{off:.1e}", f"{found[0]:.4f}", f"{found[1]:.4f}")


def _half(solution: ChemotaxisSolution, t: float) -> float:
    """The radius of half the mass."""
    return float(brentq(lambda r: float(solution.mass_within(r, t)) - 0.5, 1e-3, 20.0))


SECTIONS = {
    "balls": (balls, ["cloud", "E|X|^2", "found", "s.e. off", "mass within 1/4", "found there"]),
    "learned": (learned, ["t / t_0", "map off by", "W2^2", "of two samples"]),
    "late-focus": (late_focus, ["by", "ratio at t = 0.1", "at t = 0.2", "at t = 2"]),
}


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--only", choices=SECTIONS)
    arguments.add_argument("--most", type=int, default=64, help="modes an axis at most")
    arguments.add_argument("--particles", type=float, default=1e5, help="of a ball at most")
    options = arguments.parse_args()
    for name, (section, columns) in SECTIONS.items():
        if options.only in (None, name):
            table = Table(f"chemistry/{name}", columns, 12)
            section(table, options.most, int(options.particles))
            if options.record:
                table.record()


if __name__ == "__main__":
    main()
