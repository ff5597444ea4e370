"""The paper's iteration of section 3.3 to 1 % and to 0.1 % of the optimum, with loose and with exact sub-problems.

    python benchmarks/iterative_lp.py [--N 2000] [--M 50] [--most 20000]

For the three pairs of clouds of `assignment.py`: sub-problems and seconds until the value is within 1 % and 0.1 % of
the certified optimum ("-" if ``--most`` sub-problems do not reach it), and the certified solver's seconds.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from assignment import clump, late, vshape

from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.assignment.iterative import IterativeExact, IterativeLP

AIMS = (0.01, 0.001)
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
        told.append(f"{done:6} {spent:7.2f} s" if value <= (1 + aim) * optimum else f"{'-':>6} {'':7}  ")
    return [*told, f"{100 * (value / optimum - 1):6.2f} %"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--N", type=int, default=2000)
    parser.add_argument("--M", type=int, default=50)
    parser.add_argument("--most", type=int, default=20_000)
    options = parser.parse_args()
    print(f"{'pair':8} {'solver':16} {'to 1 %':>16} {'to 0.1 %':>16} {'left':>8}")
    for pair in (clump, vshape, late):
        x, y = (side[None] for side in pair(options.N, 0))
        Certified().solve(x[:, :50], y[:, :50])
        began = time.perf_counter()
        optimum = float(Certified().solve(x, y).value[0])
        print(f"{pair.__name__:8} {'certified':16} {time.perf_counter() - began:14.2f} s {'the same':>16} {0:6.2f} %")
        for solver, most in ((IterativeLP, options.most // 5), (IterativeExact, options.most)):
            told = reach(solver, x, y, optimum, options.M, most)
            print(f"{pair.__name__:8} {solver.__name__:16} {told[0]:>16} {told[1]:>16} {told[2]:>8}", flush=True)


if __name__ == "__main__":
    main()
