"""A program: ranks on cards, without one. Triton's interpreter runs the programs on CPU tensors, which gloo joins.

    TRITON_INTERPRET=1 python -m tests.ranks.on_cards SIZES RUN ..

forks the ranks of each number in turn from one process that has imported all, and prints a line a rank: the number, the
rank, and for each run the SHA-256 of its positions. Of number 0 there is one process without ranks. With the run
``dying`` the last rank ends while the others wait for cards that are never done.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from typing import Any

import numpy as np
import torch.distributed  # noqa: F401 - once, before the forks
import triton  # noqa: F401

from ksdp_cli.particles import torch_world
from ksdp_cli.particles.engines import direct_gpu
from ksdp_cli.particles.gpu_step import StepsGPU
from ksdp_cli.particles.lifeline import Lifeline
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.ranks import world_of
from ksdp_cli.particles.simulation import Simulation
from ksdp_cli.particles.tree import gpu as tree_gpu
from ksdp_cli.particles.tree import gpu_build
from ksdp_cli.particles.world import Lost, World

#: Three blocks of a step, which two ranks cannot share evenly, and ten leaves, which three cannot.
PARTICLES = 300


def small() -> None:
    """Large blocks, since the interpreter's time is that of its programs, and small leaves; shares of the sources that
    would be others if their number came from a rank's targets alone."""
    large: dict[str, Any] = {"TARGETS": 128, "SOURCES": 128, "UNROLL": 1}
    direct_gpu.launch = lambda dim, dtype: dict(large)
    direct_gpu.PROGRAMS, direct_gpu.LEAST = 4, 100
    tree_gpu.LEAF = 32
    tree_gpu.options = lambda dim, dtype: {"TARGETS": 32, "SOURCES": 128}
    gpu_build.BLOCK, gpu_build.KEYS = 128, 1024


def positions(run: str, world: World | None) -> Any:
    """After some steps, of all cases (case, J, d)."""
    engine, dim, dtype, scheme, steps = run.split(":")
    sweep = {"A": [5.0, 20.0]} if engine == "direct" else {"A": 5.0}
    options = {"flow": f"laminar{dim}d", "dim": int(dim), "dtype": dtype, "scheme": scheme, "accuracy": 1e-3} | sweep
    problem = pose(options | {"engine": engine, "J": PARTICLES, "dt": 1e-3, "T": int(steps) * 1e-3, "seed": 3})
    simulation, frames = Simulation(problem, "cuda", 1, world), list[Any]()
    simulation.start()
    simulation.run(lambda _, clouds: frames.append(np.array(clouds)), lambda _: None)
    moved: StepsGPU = next(iter(simulation._on_gpu.values())).steps
    assert moved.x.shape[2] < PARTICLES or not (world and world.size > 1)  # each moved its own alone
    return frames[-1]


def dying(world: torch_world.TorchWorld) -> None:
    world.largest(np.zeros(1))
    if world.rank == world.size - 1:
        os._exit(9)
    try:
        world._wait(lambda: False)
    except Lost as error:
        os.write(1, f"{world.rank} Lost\n".encode())
        os._exit(error.exit_code)


def ranked(size: int, rank: int, port: int, runs: list[str]) -> None:
    world = None
    if size:
        launcher = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": size, "RANK": rank}
        launcher |= {"TORCHELASTIC_RUN_ID": "test", "LOCAL_WORLD_SIZE": size}
        os.environ.update({name: str(value) for name, value in launcher.items()})
        world = world_of()
        assert isinstance(world, torch_world.TorchWorld)
        world._lifeline = Lifeline(world.torch, world.group) if size > 1 else None  # as it is beside nccl
    if world and runs == ["dying"]:
        dying(world)
    digests = [hashlib.sha256(positions(run, world).tobytes()).hexdigest() for run in runs]
    if world:
        world.close()
    os.write(1, " ".join([str(size), str(rank), *digests, "\n"]).encode())  # at once: ranks write side by side


def main(sizes: list[int], runs: list[str]) -> int:
    small()
    codes = []
    for size in sizes:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        children = []
        for rank in range(max(1, size)):
            pid = os.fork()
            if pid == 0:
                code = 9
                try:
                    ranked(size, rank, port, runs)
                    code = 0
                finally:
                    sys.excepthook(*sys.exc_info()) if sys.exc_info()[0] else None  # type: ignore[arg-type]
                    os._exit(code)
            children.append(pid)
        codes += [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1].split(",")], sys.argv[2:]))
