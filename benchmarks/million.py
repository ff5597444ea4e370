"""A million particles by the command line: 2D, no flow, 200 steps; time and largest memory of the whole process.

python benchmarks/million.py [--J 1e6] [--steps 200] [--flow none]
"""

from __future__ import annotations

import argparse

from paper_run import measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--J", default="1e6")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--flow", default="none")
    options = parser.parse_args()
    wall, cpu, memory = measure(
        ["--flow", options.flow, "--J", options.J, "--dt", "1e-4", "--T", f"{options.steps * 1e-4:g}"]
    )
    print(f"J = {options.J}, {options.steps} steps, flow {options.flow}: {wall:.1f} s ({cpu:.1f} s of processor time), "
          f"{wall / options.steps * 1e3:.0f} ms a step, at most {memory:.2f} GiB")  # fmt: skip


if __name__ == "__main__":
    main()
