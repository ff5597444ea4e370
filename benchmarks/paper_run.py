"""Time the paper's run by the command line as a whole process: 2D, A = 0, T = 0.1, dt = 1e-4, J = 10^4.

    python benchmarks/paper_run.py [--repeats 3]

The paper (section 4.1) gives 120 s on an RTX 2070. A tiny run first fills the cache of compiled code, as any earlier
run on the machine would; its second time is the start-up. Processor seconds count all threads: two quiet cores need
half of them at best.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness import KSDP, Table, Usage, parser, process

TINY = ["--J", "100", "--T", "1e-3"]
PAPER = ["--flow", "none", "--J", "1e4", "--T", "0.1", "--dt", "1e-4"]


def measure(arguments: list[str]) -> Usage:
    """``ksdp simulate`` with these arguments, as a whole process."""
    with tempfile.TemporaryDirectory() as folder:
        return process([*KSDP, "simulate", *arguments, "-o", Path(folder, "run.zarr")])


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    measure(TINY)
    table = Table("engine/paper-run", ("run", "wall s", "processor s", "GiB"))
    for name, arguments in (("tiny", TINY), ("the paper's", PAPER)):
        used = min(measure(arguments) for _ in range(given.repeats))
        table.row(name, f"{used.wall:.2f}", f"{used.cpu:.2f}", f"{used.memory:.2f}")
    if given.record:
        table.record()


if __name__ == "__main__":
    main()
