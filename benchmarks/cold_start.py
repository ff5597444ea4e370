"""Processor seconds of a first `ksdp simulate` with the tree, of a second kernel, and of the same run again.

    python benchmarks/cold_start.py [--functions]

The first run compiles into an empty cache folder and prints the number of functions that Numba compiled; the last run
must compile none. ``--functions`` lists the seconds of each function of the first run, without its callees. Other load
raises all times, by a half at a load of 15 on two cores.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from harness import Table, parser, process

#: The command line, with a file at the end for what was compiled: seconds by name.
WATCHED = """
import json, sys, time
from numba.core import event

class Compiled(event.Listener):
    def __init__(self):
        self.open, self.spent = [], {}
    def on_start(self, event):
        self.open.append([time.process_time(), 0.0])
    def on_end(self, event):
        began, inside = self.open.pop()
        whole = time.process_time() - began
        name = event.data["dispatcher"].py_func.__qualname__
        self.spent.setdefault(name, []).append(whole - inside)
        if self.open:
            self.open[-1][1] += whole

compiled = Compiled()
event.register("numba:compile", compiled)
from ksdp_cli.cli.app import main
try:
    main()
finally:
    with open('compiled.json', "w") as file:
        json.dump(compiled.spent, file)
"""
RUN = ["simulate", "--engine", "tree", "--J", "20000", "--dt", "1e-4", "--T", "1e-3", "--overwrite", "-o", "a.zarr"]
RUNS = {"first": RUN, "second kernel": [*RUN, "--kernel", "eq7"], "again": RUN, "first in 3D": [*RUN, "--dim", "3"]}
GOALS = {"first": 8, "second kernel": 5, "again": None, "first in 3D": None}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--functions", action="store_true")
    arguments = options.parse_args()
    table = Table("durability/cold_start", ("run with the tree", "processor s", "compiled", "goal s"))
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"KSDP_CACHE_DIR": f"{folder}/cache"}
        for name, words in RUNS.items():
            used = process([sys.executable, "-c", WATCHED, *words], cwd=folder, env=environment)
            spent = json.loads((Path(folder) / "compiled.json").read_text())
            table.row(name, f"{used.cpu:.1f}", sum(map(len, spent.values())), GOALS[name])
            if arguments.functions and name == "first":
                for function, seconds in sorted(spent.items(), key=lambda item: -sum(item[1]))[:25]:
                    print(f"    {sum(seconds):6.2f} {len(seconds):3d} x {function}")
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
