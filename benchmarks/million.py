"""Simulate a million particles by the command line (2D, no flow, 200 steps): time and largest memory of the process.

python benchmarks/million.py [--J 1e6] [--steps 200] [--flow none]
"""

from __future__ import annotations

from harness import Table, parser
from paper_run import measure


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--J", default="1e6")
    options.add_argument("--steps", type=int, default=200)
    options.add_argument("--flow", default="none")
    arguments = options.parse_args()
    table = Table("engine/million", ("run", "wall s", "processor s", "ms a step", "GiB"))
    used = measure(["--flow", arguments.flow, "--J", arguments.J, "--dt", "1e-4", "--T", f"{arguments.steps * 1e-4:g}"])
    name = f"J = {arguments.J}, {arguments.steps} steps, flow {arguments.flow}"
    table.row(
        name, f"{used.wall:.1f}", f"{used.cpu:.1f}", f"{used.wall / arguments.steps * 1e3:.0f}", f"{used.memory:.2f}"
    )
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
