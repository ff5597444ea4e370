"""Exports of one large store: CPU time, size, and peak memory beyond that of a store of one particle, for each format.

    python benchmarks/export.py --J 4e6 --dim 3

NumPy's own ``numpy.savez`` of the same array, which holds it in memory, stands beside them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

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
    with create(path, header) as writer:
        for k in range(2):
            for start in range(0, J, writer.shard):
                count = min(writer.shard, J - start)
                writer.write_block(k, 0, start, generator.standard_normal((count, dim), dtype=np.float32))
            writer.commit(k)
        writer.finish()
    return path


def measured(source: Path, out: Path) -> tuple[float, float]:
    """CPU seconds and MB of a process of its own."""
    done = subprocess.run([sys.executable, "-c", EXPORT, source, out], capture_output=True, text=True, check=True)
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--J", type=integer, default=4_000_000)
    parser.add_argument("--dim", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = store(Path(folder, "small.zarr"), 1, options.dim)
        large = store(Path(folder, "large.zarr"), options.J, options.dim)
        raw = 2 * options.J * options.dim * 4 / 2**20
        print(f"J = {options.J}, d = {options.dim}, 2 snapshots: {raw:.0f} MB of float32")
        print(f"{'format':<12}{'CPU s':>9}{'MB':>8}{'peak memory beyond one particle, MB':>38}")
        for suffix in (".npz", ".savez.npz", ".nc", ".vtkhdf", ".parquet", ".csv"):
            _, base = measured(small, Path(folder, f"small{suffix}"))
            out = Path(folder, f"large{suffix}")
            seconds, memory = measured(large, out)
            print(f"{suffix:<12}{seconds:>9.2f}{out.stat().st_size / 2**20:>8.0f}{memory - base:>38.0f}", flush=True)
            out.unlink()


if __name__ == "__main__":
    main()
