"""One cloud on several processes: the positions of one process to the bit, and an end with a message when one dies."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ksdp_cli.errors import ConfigError
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.ranks import world_of
from ksdp_cli.particles.simulation import Simulation
from ksdp_cli.particles.tree.build import task_level
from ksdp_cli.particles.world import World

#: What every rank runs: the SHA-256 of the positions of each run that is asked for; with none, rank 1 ends alone.
RANK = """
import hashlib, os, sys
from ksdp_cli.errors import KsdpError
from ksdp_cli.particles.ranks import world_of
from tests.ranks.test_world import positions

world = world_of()
if not sys.argv[1:]:
    import numpy as np
    if world.rank == 1:
        sys.exit(9)
    try:
        world.largest(np.zeros(3))
    except KsdpError as error:
        print(type(error).__name__, flush=True)
        os._exit(error.exit_code)  # as the command does: torch's threads may abort Python when it ends
for run in sys.argv[1:]:
    x = positions(run, world)
    print(world.rank, hashlib.sha256(x.tobytes()).hexdigest())
assert world.decide(world.rank) == 0
world.close()
"""
#: Runs in two and three dimensions, each chemistry and engine by one scheme.
PLANE = ["direct:2:euler", "tree:2:heun", "mesh:2:heun", "parabolic:2:heun"]
SPACE = ["direct:3:heun", "tree:3:euler", "parabolic:3:euler"]
LOOPBACK = {"GLOO_SOCKET_IFNAME": "lo", "MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}


def positions(run: str, world: World | None = None) -> np.ndarray:
    """After three steps of 3001 particles in a flow, which three ranks cannot share evenly."""
    engine, dim, scheme = run.split(":")
    drift: dict[str, object] = {"engine": engine, "kernel": "blob" if dim == "2" else "plummer"}
    if engine == "parabolic":
        drift = {"chemistry": "parabolic", "kernel": "gaussian", "eps": 0.1, "k": 0.1, "delta2": 1e-2}
    problem = pose(
        {
            **drift,
            "dim": int(dim),
            "flow": f"laminar{dim}d",
            "A": 5,
            "J": 3001,
            "T": 3e-4,
            "scheme": scheme,
            "accuracy": 1e-3,
        }
    )
    simulation, frames = Simulation(problem, "cpu", 1, world), []
    simulation.start()
    simulation.run(lambda _, clouds: frames.append(clouds[0].copy()), lambda _: None)
    return frames[-1]


def ranks(size: int, *runs: str) -> list[tuple[int, str]]:
    """Exit status and output of each of ``size`` processes that hold one cloud."""
    from torch.distributed import TCPStore

    # as torchrun's agent has it: a port that is looked up and taken later may be another's by then
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    common = os.environ | LOOPBACK | {"MASTER_PORT": str(store.port), "WORLD_SIZE": str(size)}
    common |= {"TORCHELASTIC_RUN_ID": "test", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, *runs],
            env=common | {"RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for rank in range(size)
    ]
    try:
        said = [process.communicate(timeout=300)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, text) for process, text in zip(processes, said, strict=True)]


@pytest.mark.parametrize(
    ("size", "runs"),
    [
        (3, ["direct:2:heun", "tree:2:euler", "tree:3:heun", "mesh:2:euler"]),
        pytest.param(2, [*PLANE, *SPACE], marks=pytest.mark.slow),
        pytest.param(4, [*PLANE, *SPACE], marks=pytest.mark.slow),
    ],
)
def test_ranks_move_the_cloud_to_the_same_bits(size: int, runs: list[str]) -> None:
    alone = [hashlib.sha256(positions(run).tobytes()).hexdigest() for run in runs]
    for rank, (status, text) in enumerate(ranks(size, *runs)):
        assert status == 0
        assert text.split() == [word for digest in alone for word in (str(rank), digest)]


def test_a_dead_rank_ends_the_others_with_an_error() -> None:
    (status, text), (dead, _) = ranks(2)
    assert dead == 9
    assert (status, text.strip()) == (5, "Lost")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 100])
def test_there_is_a_subtree_for_every_rank(size: int) -> None:
    assert 2 ** task_level(10**6, 14, size) >= size


@pytest.mark.parametrize(("asked", "told"), [("ring", "'ring'"), ("torch", "torchrun")])
def test_a_world_that_is_not_there_is_refused(asked: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        world_of(asked)


#: One rank of two under torchrun, whose store waits for nobody. Torch's time for ranks is half an hour, which here is
#: over at the second look at the clock.
ALONE = """
import os, types
import torch.distributed
from ksdp_cli.particles import torch_world
from ksdp_cli.particles.world import Lost

store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
os.environ["MASTER_PORT"] = str(store.port)
looks = iter([0.0])
torch_world.time = types.SimpleNamespace(monotonic=lambda: next(looks, 1e9), sleep=lambda seconds: None)
try:
    torch_world.TorchWorld()
except Lost as error:
    print(error, flush=True)
os._exit(0)
"""


def test_a_rank_that_never_comes_is_lost() -> None:
    env = os.environ | LOOPBACK | {"WORLD_SIZE": "2", "RANK": "0", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    done = subprocess.run([sys.executable, "-c", ALONE], env=env, capture_output=True, text=True, timeout=300)
    assert "1 of 2 ranks have started" in done.stdout, done.stderr
