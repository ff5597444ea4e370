"""Ranks of one run in processes that may be killed: all forked from one that has imported everything already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

#: Reads one request a line and answers with the ranks' exit codes. Hooks: checkpoints at every step; a signal to one
#: rank, or to all, after a step, or as early as a rank poses its problem; cards without any; short shards, and a rank
#: that does not see the store.
SERVER = """
import json, os, signal, sys, time
import torch, torch.distributed, zarr, zarr.codecs, rich.table
import ksdp_cli.store.durable, ksdp_cli.particles.torch_world, ksdp_cli.api.ranks
from ksdp_cli.api import ranks, shard_writing, simulating, watch; from ksdp_cli.store import layout
from ksdp_cli.base import disk; from ksdp_cli.views import summary
from ksdp_cli.particles.case_run import CaseRun
from ksdp_cli.cli import _boundary
from ksdp_cli.cli.app import main

def child(request, rank):
    os.chdir(request["folder"])
    os.environ |= request["environment"] | {"RANK": str(rank)}
    _boundary.silent = rank > 0  # as it is where the variables are there from the beginning
    for handle, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{rank}.{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), handle)
    hooks = request["hooks"]
    if "cards" in hooks:  # so many on this host, by Triton's interpreter on CPU tensors
        os.environ["TRITON_INTERPRET"] = "1"  # before Triton is imported
        from ksdp_cli.base import device
        from tests.ranks import on_cards
        from ksdp_cli.particles import gpu_step
        on_cards.small()
        gpu_step.STEPS = hooks.get("queue", gpu_step.STEPS)
        device.choose, device.describe = lambda asked: "cuda", lambda asked: "a card"
        torch.cuda.device_count, torch.cuda.set_device = lambda: hooks["cards"], lambda number: None
    if "shard" in hooks:
        layout.CHUNK = layout.SHARD = hooks["shard"]
        real_put, files = disk.put, []
        def put(path, data):
            if "position" in path.parts and path.name.isdigit():
                files.append(path)
                open(os.path.join(request["folder"], f"{rank}.shards"), "w").write(str(len(files)))
            real_put(path, data)
        disk.put = put
    if hooks.get("unseen") == rank:  # a host without the store
        shard_writing._mark = lambda path: "another store"
    if hooks.get("checkpoints"):
        watch.CHECKPOINT_SECONDS = watch.CHECKPOINT_COST = 0.0
    if "signal" in hooks and hooks.get("rank", rank) == rank:
        real, pose = CaseRun.count, ranks.pose_problem
        def count(self, steps):
            real(self, steps)
            if self.done() == hooks["step"]:
                os.kill(os.getpid(), hooks["signal"])
        def posed(options):
            if hooks["step"] == 0:
                os.kill(os.getpid(), hooks["signal"])
            return pose(options)
        CaseRun.count, ranks.pose_problem, simulating.pose_problem = count, posed, posed
    sys.argv = ["ksdp", *request["arguments"]]
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code or 0)

def warm_up():
    # what children would each load again; nothing here starts a thread, which a fork would lose
    from ksdp_cli.particles.problem import pose
    from ksdp_cli.particles.simulation import Simulation
    for chosen in ({"engine": "tree"}, {"chemistry": "parabolic", "eps": 0.1, "k": 0, "kernel": "gaussian"}):
        problem = pose({"flow": "laminar2d", "A": 5, "J": 301, "T": 2e-3, "dt": 1e-3, "accuracy": 1e-3, **chosen})
        simulation = Simulation(problem, "cpu", 1)
        simulation.start()
        simulation.run(lambda k, clouds: None, lambda done: None)

warm_up()
for line in sys.stdin:
    request, children = json.loads(line), []
    for rank in range(request["size"]):
        pid = os.fork()
        if pid == 0:
            try:
                child(request, rank)
            finally:
                os._exit(99)
        children.append(pid)
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]), flush=True)
"""


@dataclass(frozen=True)
class Done:
    """How the ranks ended: exit codes, or minus the number of the signal that killed one; what each said."""

    codes: list[int]
    out: list[str]
    err: list[str]


class Ranks:
    """``ranks(2, "simulate", "--J", "100")`` in ``folder``; hooks are those of the server."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self.server, self.folder = server, folder

    def __call__(self, size: int, *arguments: str, **hooks: Any) -> Done:
        from torch.distributed import TCPStore

        store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # torchrun's agent has it, too
        environment = {
            **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port), "TORCHELASTIC_RUN_ID": "test"},
            **{"TORCHELASTIC_USE_AGENT_STORE": "True", "KSDP_THREADS": "1"},
            **{"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size)},
        }
        request = {"size": size, "arguments": arguments, "hooks": hooks, "folder": str(self.folder)}
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(request | {"environment": environment}) + "\n")
        self.server.stdin.flush()
        codes = json.loads(self.server.stdout.readline())
        said = [[(self.folder / f"{rank}.{name}").read_text() for rank in range(size)] for name in ("out", "err")]
        return Done(codes, *said)


@pytest.fixture(scope="session")
def server() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"KSDP_THREADS": "1"},
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def ranks(server: subprocess.Popen[str], tmp_path: Path) -> Ranks:
    return Ranks(server, tmp_path)
