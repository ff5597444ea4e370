"""The paper's iteration of section 3.3 to 1 % and to 0.1 % of the optimum, with loose and with exact sub-problems.

    python benchmarks/iterative_lp.py [--N 2000] [--M 50] [--most 10000]

For the three pairs of clouds of `assignment.py`: sub-problems and seconds until the value is within 1 % and 0.1 % of
the certified optimum ("not reached" if ``--most`` sub-problems do not reach it), and the certified solver's seconds.
"""

from __future__ import annotations

import time

import numpy as np
from assignment import TITLES
from harness import Table, parser

from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.assignment.iterative import IterativeExact, IterativeLP

AIMS = (0.01, 0.001)
NAMES = {IterativeLP: "interior point", IterativeExact: "exact sub-problems"}
#: Sub-problems between two looks at the value.
LOOK = 40


def reach(solver: type[IterativeLP], x: np.ndarray, y: np.ndarray, optimum: float, size: int, most: int) -> list[str]:
    """For each aim: sub-problems and seconds as text."""
    told, gamma, spent, done = [], None, 0.0, 0
    value = np.inf
    for aim in AIMS:
        while value > (1 + aim) * optimum and done < most:
            began = time.perf_counter()
            found = solver(M=size, iterations=LOOK, tolerance=-1.0, seed=done).solve(x, y, gamma)
            spent += time.perf_counter() - began
            gamma, value, done = found.permutation, float(found.value[0]), done + LOOK
        told.append(f"{done}, {spent:.2f} s" if value <= (1 + aim) * optimum else "not reached")
    return [*told, f"{100 * (value / optimum - 1):.2f} %"]


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--N", type=int, default=2000)
    arguments.add_argument("--M", type=int, default=50)
    arguments.add_argument("--most", type=int, default=10_000)
    options = arguments.parse_args()
    table = Table("solvers/iterative-lp", ["clouds", "solver", "to 1 %", "to 0.1 %", "left"], 20)
    for pair, title in TITLES.items():
        x, y = (side[None] for side in pair(options.N, 0))
        Certified().solve(x[:, :50], y[:, :50])
        began = time.perf_counter()
        optimum = float(Certified().solve(x, y).value[0])
        table.row(title, "certified", f"{time.perf_counter() - began:.2f} s", "the same", "0")
        for solver, most in ((IterativeLP, options.most // 5), (IterativeExact, options.most)):
            told = reach(solver, x, y, optimum, options.M, most)
            table.row(title, NAMES[solver], *told)
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
