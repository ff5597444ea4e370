"""One cloud on several cards: nccl's world of one rank on one card, and where there are more, a run on all of them."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import ksdp_cli as ksdp

from . import child
from .harness import Bench

DT = 1e-4
#: Steps of a short and of a long run, whose difference leaves starts out.
LENGTHS = (5, 25)
RUNS = {
    "direct, 2D, J = 1e5": {"J": 100_000, "dim": 2, "engine": "direct"},
    "direct, 3D, J = 1e5, Heun": {"J": 100_000, "dim": 3, "engine": "direct", "scheme": "heun"},
    "tree, 2D, J = 1e6": {"J": 1_000_000, "dim": 2, "engine": "tree"},
    "tree, 3D, J = 1e6": {"J": 1_000_000, "dim": 3, "engine": "tree", "accuracy": 1e-3},
    "tree, 2D, J = 1e5, float64": {"J": 100_000, "dim": 2, "engine": "tree", "dtype": "float64"},
}


def ranks(bench: Bench) -> None:
    """A world of one rank; then each of `RUNS` on all cards against one card: bits and times."""
    bench.row_guard("a world of one rank", lambda: _one(bench))
    cards = _cards(bench)
    if cards < 2:
        bench.tell("several cards", f"left out: {cards} here, 2 or more are needed")
        return
    for name, options in RUNS.items():
        bench.row_guard(name, lambda n=name, o=options: _several(bench, n, o, cards))  # type: ignore[misc]


def _cards(bench: Bench) -> int:
    import torch

    return 0 if bench.smoke else torch.cuda.device_count()


def _one(bench: Bench) -> None:
    """What each collective call of a step gives where there is nobody else, by nccl on a card."""
    import torch

    from ksdp_cli.particles.torch_world import TorchWorld

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    alone = {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    with mock.patch.dict(os.environ, alone):
        world = TorchWorld()
    mine = torch.randn((1, 2, bench.size(1_000_000, 300)), device=bench.device)
    pieces = torch.zeros((1, *mine.shape), device=bench.device)
    seconds = bench.seconds(lambda: world.join_pieces(pieces, mine), 5, 0.5)
    same = torch.equal(pieces[0], mine) and bool((world.fetch(pieces[0]) == mine.cpu().numpy()).all())
    bench.check("a world of one rank: numbers joined", 0.0 if same else 1.0, 0, "nccl" if mine.is_cuda else "gloo")
    bench.goal("a world of one rank: a join of 1e6 positions", 1e3 * seconds, "ms")
    world.close()


def _several(bench: Bench, name: str, options: dict[str, Any], cards: int) -> None:
    common = {"flow": f"laminar{options['dim']}d", "A": 10, "dt": DT, "device": "cuda"} | options
    each: dict[int, float] = {}
    digests = []
    with tempfile.TemporaryDirectory() as folder:
        for number in (1, cards):
            seconds = []
            for steps in LENGTHS:
                out = Path(folder) / f"{number}-{steps}.zarr"
                words = [w for key, value in (common | {"T": steps * DT}).items() for w in (f"--{key}", value)]
                launcher = ["-m", "torch.distributed.run", "--nproc-per-node", number, "-m", "ksdp_cli"]
                code, said = child.run([sys.executable, *launcher, "simulate", *words, "-o", out], 120)
                if code:
                    raise RuntimeError(f"{number} ranks ended with {code}: {said[-1500:]}")
                run = ksdp.open_run(out)
                seconds.append(float(run.attrs["seconds"]))
            digests.append(run.frame().tobytes())
            each[number] = (seconds[1] - seconds[0]) / (LENGTHS[1] - LENGTHS[0])
    gain = each[1] / (cards * each[cards])
    told = f"a step: 1 card {1e3 * each[1]:.2f} ms, {cards} cards {1e3 * each[cards]:.2f} ms, efficiency {gain:.2f}"
    bench.check(f"{name}: {cards} cards against one", 0.0 if digests[0] == digests[1] else 1.0, 0, told)
