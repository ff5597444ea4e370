"""Time runs by the command line as whole processes: a tiny one, the paper's, and one of 10^6 particles.

    python benchmarks/paper_run.py [--repeats 3] [--J 1e6] [--steps 200]

The paper's run is 2D, A = 0, T = 0.1, dt = 1e-4, J = 10^4; section 4.1 gives 120 s on an RTX 2070. A tiny run first
fills the cache of compiled code, as any earlier run on the machine would; its second time is the start-up. The largest
runs once. Processor seconds count all threads: two quiet cores need half of them at best.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness import KSDP, Table, Usage, parser, process

TINY = ["--J", "100", "--T", "1e-3"]
PAPER = ["--J", "1e4", "--T", "0.1"]


def measure(arguments: list[str]) -> Usage:
    """``ksdp simulate`` with these arguments, as a whole process."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*KSDP, "simulate", "--flow", "none", "--dt", "1e-4", *arguments, "-o", Path(folder, "run.zarr")]
        return process(words)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--J", default="1e6")
    options.add_argument("--steps", type=int, default=200)
    given = options.parse_args()
    measure(TINY)
    table = Table("engine/runs", ("run", "wall s", "processor s", "ms a step", "GiB"))
    large = ["--J", given.J, "--T", f"{given.steps * 1e-4:g}"]
    for name, arguments, steps, repeats in (
        ("J = 100, 10 steps", TINY, 10, given.repeats),
        ("the paper's: J = 10^4, 1000 steps", PAPER, 1000, given.repeats),
        (f"J = {given.J}, {given.steps} steps", large, given.steps, 1),
    ):
        used = min(measure(arguments) for _ in range(repeats))
        cells = (f"{used.wall:.2f}", f"{used.cpu:.2f}", f"{1e3 * used.wall / steps:.3g}", f"{used.memory:.2f}")
        table.row(name, *cells)
    if given.record:
        table.record()


if __name__ == "__main__":
    main()
