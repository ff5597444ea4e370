"""Compare a step of one cloud on one process and on ranks of one thread each: bits, efficiency, memory.

    python benchmarks/ranks.py [--ranks 2] [--steps 8] [--repeats 5] [--world torch|mpi] [--only WORD] [--record]
    python benchmarks/ranks.py --only mesh --record
    python benchmarks/ranks.py --memory [--J 1e7] [--steps 5]
    python benchmarks/ranks.py --shards [--J 1e7]

``efficiency`` is T1 / (R T), by the wall time of a step. ``by processors`` takes for T the processor time of the
slowest rank, which a busy machine disturbs less: it counts repeated and unevenly shared work and messages, but no
waiting. Processes of 1 and of R ranks take turns; each step counts with the least of its times. The first three steps
are left out: they compile, and the tree finds its setting. ``bits`` says whether the SHA-256 of the positions is that
of one process.

``--shards`` writes frames by rank 0 alone and by all ranks, in turns, and takes the least time of each.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, parser

FIRST = 3
CASES = {
    "direct 2D 1e5": {"engine": "direct", "dim": 2, "J": 100_000},
    "tree 2D 1e5": {"engine": "tree", "dim": 2, "J": 100_000},
    "tree 2D 1e6": {"engine": "tree", "dim": 2, "J": 1_000_000},
    "tree 3D 1e6": {"engine": "tree", "dim": 3, "J": 1_000_000, "accuracy": 1e-3},
    "mesh 2D 1e6": {"engine": "mesh", "dim": 2, "J": 1_000_000},
    "parabolic mesh 2D 1e6": {
        "chemistry": "parabolic",
        "kernel": "gaussian",
        "eps": 0.1,
        "k": 0,
        "dim": 2,
        "J": 1_000_000,
    },
}


def worker(options: dict[str, Any], steps: int) -> None:
    """What every rank runs: rank 0 prints times of the steps and the digest of the positions."""
    from ksdp_cli.particles.problem import pose
    from ksdp_cli.particles.ranks import world_of
    from ksdp_cli.particles.simulation import Simulation

    asked = os.environ.get("RANKS_WORLD")
    world = world_of(asked if asked == "mpi" else None)
    kernel = "blob" if options["dim"] == 2 else "plummer"
    flow: dict[str, Any] = {"flow": f"laminar{options['dim']}d", "A": 10, "T": steps * 1e-4, "dt": 1e-4}
    flow |= {"kernel": kernel}
    simulation = Simulation(pose(flow | options), "cpu", 1, world)
    simulation.start()
    marks, last = [], []

    def mark(done: int) -> None:
        marks.append((time.perf_counter(), time.process_time()))

    mark(0)
    simulation.run(lambda k, clouds: last.append(hashlib.sha256(clouds[0].tobytes()).hexdigest()), mark)
    wall, cpu = np.diff(np.array(marks), axis=0).T
    cpu = world.largest(cpu)
    if world.rank == 0:
        print(json.dumps({"wall": wall.tolist(), "cpu": cpu.tolist(), "sha": last[-1]}))
    world.close()


def shards(count: int, folder: str, frames: int = 10) -> None:
    """What every rank runs: rank 0 prints the seconds of a frame, and the processor seconds of the rank that takes
    most, by rank 0 alone and by all."""
    from ksdp_cli.api.headers import header
    from ksdp_cli.api.shard_writing import shards_to_write, write_shards
    from ksdp_cli.particles.problem import pose
    from ksdp_cli.particles.ranks import world_of
    from ksdp_cli.store import create

    world = world_of(os.environ.get("RANKS_WORLD") or None)
    snapshots = [1e-4 * (k + 1) for k in range(2 * frames)]
    x = np.random.default_rng(0).standard_normal((count, 2)).astype(np.float32)
    problem = pose({"J": count, "snapshots": snapshots})
    with create(Path(folder) / "a.zarr", header(problem, None)) if world.rank == 0 else nullcontext() as owner:
        times = []
        for k in range(2 * frames):
            world.decide(0)
            wall, cpu = time.perf_counter(), time.process_time()
            asked = shards_to_write(owner, k, [0]) if owner and k % 2 else None
            digests = (write_shards(world, asked, [x]) if k % 2 else None) or {}
            if owner:
                with owner.case(0) as case:
                    case.write(k, x, None, None, digests.get(0))
                owner.commit()
            spent = time.perf_counter() - wall
            times.append([spent, *world.largest(np.array([time.process_time() - cpu]))])
        if owner:
            alone, together = np.min(times[0::2], axis=0), np.min(times[1::2], axis=0)
            print(json.dumps({"alone": alone.tolist(), "together": together.tolist()}))
    world.close()


def launched(ranks: int, world: str, program: list[str]) -> subprocess.CompletedProcess[str]:
    """``program``, words for Python, on ``ranks`` processes of one thread each. Raises `SystemExit` if it fails."""
    environment = os.environ | {"KSDP_THREADS": "1", "OMP_NUM_THREADS": "1", "RANKS_WORLD": world if ranks > 1 else ""}
    command = [sys.executable, *program]
    if ranks > 1 and world == "torch":
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(ranks), *program]
    elif ranks > 1:
        beside = Path(sys.executable).with_name("mpiexec")
        launcher = str(beside) if beside.exists() else str(shutil.which("mpiexec"))
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        command = [launcher, "-n", str(ranks), *command]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done


def measured(ranks: int, world: str, options: dict[str, Any], steps: int) -> dict[str, Any]:
    """`worker` on ``ranks`` processes."""
    return printed(ranks, world, ["--worker", json.dumps(options), "--steps", str(steps)])


def printed(ranks: int, world: str, words: list[str]) -> dict[str, Any]:
    """What this program prints by ``words`` on ``ranks`` processes."""
    done = launched(ranks, world, [str(Path(__file__)), *words])
    # a launcher may put colours around what a rank prints
    told: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") : done.stdout.rindex("}") + 1])
    return told


def efficiencies(table: Table, args: argparse.Namespace) -> None:
    """A row a case."""
    for name, options in CASES.items():
        if args.only not in name:
            continue
        steps = min(args.steps, 5) if options.get("engine") == "direct" else args.steps
        told: dict[int, list[dict[str, Any]]] = {1: [], args.ranks: []}
        for _ in range(args.repeats):
            for ranks, found in told.items():
                found.append(measured(ranks, args.world, options, steps))
        least = {
            (ranks, kind): np.min([one[kind] for one in found], axis=0)[FIRST:].mean()
            for ranks, found in told.items()
            for kind in ("wall", "cpu")
        }
        alone, together = least[1, "wall"], least[args.ranks, "wall"]
        by_processors = least[1, "cpu"] / (args.ranks * least[args.ranks, "cpu"])
        same = {one["sha"] for found in told.values() for one in found}
        table.row(
            f"{name}, {args.world} x {args.ranks}",
            f"{alone:.4f}",
            f"{together:.4f}",
            f"{alone / (args.ranks * together):.2f}",
            f"{by_processors:.2f}",
            "equal" if len(same) == 1 else "differ",
        )


def memory(args: argparse.Namespace) -> None:
    """One row: the largest memory of a rank of the command, a frame of its store included."""
    table = Table(f"engine/ranks-memory-{args.world}", ["run", "GB a rank"])
    run = ["simulate", "--flow", "laminar2d", "--A", "10", "--engine", "tree", "--J", args.J, "--T", f"{args.steps}e-4"]
    with tempfile.TemporaryDirectory() as folder:
        world = ["--world", args.world]
        launched(args.ranks, args.world, ["-m", "ksdp_cli", *run, *world, "-o", f"{folder}/a.zarr"])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    table.row(f"tree 2D {args.J}, {args.world} x {args.ranks}, {args.steps} steps", f"{peak:.2f}")
    if args.record:
        table.record()


def writing(args: argparse.Namespace) -> None:
    """One row: a frame written by rank 0 alone, and by all ranks."""
    columns = ["run", "rank 0, s", "all, s", "ratio", "rank 0, processor s", "all, processor s", "ratio"]
    table = Table(f"engine/ranks-shards-{args.world}", columns, width=20)
    with tempfile.TemporaryDirectory() as folder:
        found = printed(args.ranks, args.world, ["--write", folder, "--J", args.J])
    pairs = zip(found["alone"], found["together"], strict=True)
    cells = [cell for a, b in pairs for cell in (f"{a:.3f}", f"{b:.3f}", f"{a / b:.2f}")]
    table.row(f"a frame of {args.J} in 2D, {args.world} x {args.ranks}", *cells)
    if args.record:
        table.record()


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--worker", type=json.loads)
    made.add_argument("--ranks", type=int, default=2)
    made.add_argument("--steps", type=int, default=8)
    made.add_argument("--repeats", type=int, default=5)
    made.add_argument("--world", choices=("torch", "mpi"), default="torch")
    made.add_argument("--only", default="")
    made.add_argument("--memory", action="store_true")
    made.add_argument("--shards", action="store_true")
    made.add_argument("--write", help=argparse.SUPPRESS)
    made.add_argument("--J", default="1e7")
    args = made.parse_args()
    if args.worker:
        worker(args.worker, args.steps)
    elif args.write:
        shards(int(float(args.J)), args.write)
    elif args.shards:
        writing(args)
    elif args.memory:
        memory(args)
    else:
        columns = ["run", "T1, s/step", "T, s/step", "efficiency", "by processors", "bits"]
        part = f"-{args.only}" if args.only else ""
        table = Table(f"engine/ranks-{args.world}{part}", columns, width=13)
        efficiencies(table, args)
        if args.record:
            table.record()


if __name__ == "__main__":
    main()
