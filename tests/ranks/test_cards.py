"""One cloud on several cards, without one: the same bits on any number of ranks, a card each, and an end when one dies.

The programs run in Triton's interpreter on CPU tensors, which gloo joins where nccl would.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ksdp_cli import open_run
from ksdp_cli.errors import ConfigError
from ksdp_cli.particles import cards
from ksdp_cli.particles.gpu_shares import block_ends
from ksdp_cli.particles.world import Alone

from .conftest import Ranks

pytestmark = pytest.mark.interpreter
#: Direct sums are of two cases side by side; Heun's scheme joins predicted positions too.
RUNS = [
    f"{engine}:{dim}:{dtype}:{scheme}:2"
    for engine in ("direct", "tree")
    for dim in (2, 3)
    for dtype, scheme in (("float32", "euler"), ("float64", "heun"))
]


def on_cards(sizes: str, *runs: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.ranks.on_cards", sizes, *runs],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TRITON_INTERPRET": "1", "KSDP_THREADS": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("sizes", "runs"),
    [
        ("0,2", ["direct:2:float32:euler:1", "tree:2:float32:euler:1"]),
        pytest.param("0,1,2,3", RUNS, marks=pytest.mark.slow),
    ],
    ids=["some", "all"],
)
def test_ranks_on_cards_move_the_cloud_to_the_same_bits(sizes: str, runs: list[str]) -> None:
    done = on_cards(sizes, *runs)
    assert done.returncode == 0, done.stderr
    said = {tuple(map(int, words[:2])): words[2:] for words in map(str.split, done.stdout.splitlines())}
    assert sorted(said) == [(n, rank) for n in map(int, sizes.split(",")) for rank in range(max(1, n))]
    alone = said[0, 0]
    assert len(set(alone)) == len(runs)
    for ranked, digests in said.items():
        assert digests == alone, ranked


def test_a_card_that_waits_for_a_rank_that_has_ended_is_not_waited_for() -> None:
    """Rank 1 hears that rank 2 has ended, and rank 0 that rank 1 has."""
    done = on_cards("3", "dying")
    assert sorted(done.stdout.splitlines()) == ["0 Lost", "1 Lost"], done.stderr
    assert done.returncode == 9


def test_blocks_are_shared_out_whole() -> None:
    assert block_ends(300, 128, 3) == [0, 128, 256, 300]
    assert block_ends(300, 128, 2) == [0, 128, 300]
    assert block_ends(10**6, 128, 1) == [0, 10**6]
    for size in (1, 2, 7):
        ends = block_ends(1000, 128, size)
        assert ends[0] == 0
        assert ends[-1] == 1000
        assert all(end % 128 == 0 for end in ends[:-1])


def test_a_rank_takes_the_card_of_its_number_and_more_ranks_than_cards_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    class Third(Alone):
        rank, size, local, place = 6, 8, 4, 2

    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    cards.take(Third(), "cpu")
    cards.take(Alone(), "cuda")
    assert taken == []
    cards.take(Third(), "cuda")
    assert taken == [2]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    with pytest.raises(ConfigError, match=r"4 ranks.* 3 cards"):
        cards.take(Third(), "cuda")


CLOUD = ("simulate", "--flow", "laminar2d", "--A", "5", "--J", "300", "--T", "4e-3", "--dt", "1e-3", "--device", "cuda")


def test_a_command_is_refused_in_a_line_where_ranks_outnumber_cards_or_blocks(ranks: Ranks) -> None:
    for words, there, told in (((), 1, "2 ranks on a host with 1 card"), (("--J", "100"), 2, "J = 100 on 2 cards")):
        done = ranks(2, *CLOUD, *words, "-o", "a.zarr", cards=there)
        assert done.codes == [2, 2], done.err
        assert done.err[0].count("\n") == 1
        assert told in done.err[0]
        assert done.err[1] == ""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["direct", "tree"])
def test_a_run_on_two_cards_goes_on_on_three_and_on_one(ranks: Ranks, tmp_path: Path, engine: str) -> None:
    command = (*CLOUD, "--engine", engine, "--accuracy", "1e-3", "--resume")
    assert ranks(1, *command, "-o", "whole.zarr", cards=1).codes == [0]
    one_a_queue = {"checkpoints": True, "cards": 3, "queue": 1}
    done = ranks(2, *command, "-o", "a.zarr", step=2, signal=signal.SIGTERM, **one_a_queue)
    assert done.codes == [143, 143], done.err
    done = ranks(3, *command, "-o", "a.zarr", step=3, signal=signal.SIGTERM, rank=2, **one_a_queue)
    assert done.codes == [143] * 3, done.err
    assert "at step 3 of 4" in done.err[0]
    assert ranks(1, *command, "-o", "a.zarr", cards=1).codes == [0]
    whole, cut = open_run(tmp_path / "whole.zarr"), open_run(tmp_path / "a.zarr")
    assert cut.frame(0, 0).tobytes() == whole.frame(0, 0).tobytes()
    assert whole.attrs["made_by"]["device"] == "cuda"
