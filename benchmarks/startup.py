"""Time start-up as whole processes: `ksdp --help`, `ksdp plugins`, and a second tiny `ksdp simulate`.

    python benchmarks/startup.py [--repeats 7] [--modules]

Wall time is the least of the repeats; cpu is user and system time, which other load disturbs less. The first simulation
compiles into an empty cache folder. ``--modules`` lists the cost of imports by distribution.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from harness import Table, Usage, parser, process

COMMANDS = {
    "ksdp --help": ("--help",),
    "ksdp plugins": ("plugins",),
    "ksdp simulate, first": ("simulate", "--J", "200", "--T", "1e-3", "-o", "tiny.zarr", "--overwrite"),
    "ksdp simulate, second": ("simulate", "--J", "200", "--T", "1e-3", "-o", "tiny.zarr", "--overwrite"),
    "ksdp simulate --resume, complete": ("simulate", "--J", "200", "--T", "1e-3", "-o", "tiny.zarr", "--resume"),
}
GOALS = {"ksdp --help": 0.5, "ksdp simulate, second": 3.0}


def run(arguments: tuple[str, ...], folder: str, *options: str) -> tuple[Usage, str]:
    """Times of a process, and its stderr."""
    environment = os.environ | {"KSDP_CACHE_DIR": str(Path(folder) / "cache")}
    said = Path(folder) / "said"
    with said.open("w") as stderr:
        command = [sys.executable, *options, "-m", "ksdp_cli", *arguments]
        used = process(command, cwd=folder, env=environment, stderr=stderr)
    return used, said.read_text()


def modules(said: str) -> list[tuple[str, float]]:
    """Seconds of importing by top-level package, from what ``-X importtime`` says."""
    spent: Counter[str] = Counter()
    for own, name in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\w+)", said):
        spent[name] += int(own)
    return [(name, count / 1e6) for name, count in spent.most_common(12)]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=7)
    options.add_argument("--modules", action="store_true")
    given = options.parse_args()
    table = Table("durability/startup", ("", "wall s", "processor s", "goal"))
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in COMMANDS.items():
            times = [run(arguments, folder)[0] for _ in range(1 if "first" in name else given.repeats)]
            wall, cpu = min(one.wall for one in times), min(one.cpu for one in times)
            table.row(name, f"{wall:.2f}", f"{cpu:.2f}", GOALS.get(name))
        if given.modules:
            _, said = run(COMMANDS["ksdp simulate, second"], folder, "-X", "importtime")
            for name, seconds in modules(said):
                print(f"    {name:20} {seconds:.3f}")
    if given.record:
        table.record()


if __name__ == "__main__":
    main()
