"""Measure the exports of one large store: CPU time, size, and peak memory above that of a store of one particle.

    python benchmarks/export.py [--J 4e6] [--dim 3]

The peer is ``numpy.savez`` of the same array, held in memory.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from harness import Table, parser

from ksdp_cli.base.parsing import integer
from ksdp_cli.store import Header, create

EXPORT = """
import resource, sys
from ksdp_cli.api.exporting import export
from ksdp_cli.store import open_run
run, out = open_run(sys.argv[1]), sys.argv[2]
spent = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
began = spent()
if out.endswith(".savez.npz"):
    import numpy as np
    np.savez(out, position=run.dataset()["position"].values)
else:
    export(run, out)
print(spent() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def store(path: Path, J: int, dim: int) -> Path:
    """One case, two snapshots, written a shard at a time."""
    header = Header("simulation", (0.0, 0.1), J, dim, {"A": (1.0,)}, 1)
    generator = np.random.default_rng(0)
    with create(path, header) as owner, owner.case(0) as case:
        for k in range(2):
            for start in range(0, J, owner.shard):
                count = min(owner.shard, J - start)
                case.write_block(k, start, generator.standard_normal((count, dim), dtype=np.float32))
            case.commit(k)
        owner.finish()
    return path


def measured(source: Path, out: Path) -> tuple[float, float]:
    """CPU seconds and MB of a process of its own."""
    done = subprocess.run([sys.executable, "-c", EXPORT, source, out], capture_output=True, text=True, check=True)
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--J", type=integer, default=4_000_000)
    options.add_argument("--dim", type=int, default=3)
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = store(Path(folder, "small.zarr"), 1, arguments.dim)
        large = store(Path(folder, "large.zarr"), arguments.J, arguments.dim)
        raw = 2 * arguments.J * arguments.dim * 4 / 2**20
        print(f"J = {arguments.J}, d = {arguments.dim}, 2 snapshots: {raw:.0f} MB of float32")
        table = Table("exports/export", ("format", "processor s", "MB", "peak memory, MB"))
        for suffix in (".npz", ".savez.npz", ".nc", ".vtkhdf", ".parquet", ".csv"):
            _, base = measured(small, Path(folder, f"small{suffix}"))
            out = Path(folder, f"large{suffix}")
            seconds, memory = measured(large, out)
            title = "`numpy.savez`" if suffix == ".savez.npz" else f"`{suffix}`"
            table.row(title, f"{seconds:.2f}", f"{out.stat().st_size / 2**20:.0f}", f"{memory - base:.0f}")
            out.unlink()
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
