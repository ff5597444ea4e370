"""``torchrun -m ksdp_cli simulate``: one rank talks, a checkpoint of any number of ranks goes on on any other, and a
rank that dies ends the run with a line and costs no bit."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

import pytest

from ksdp_cli import open_run, simulate
from ksdp_cli.api.sweeping import run_case
from ksdp_cli.base import checkpoint
from ksdp_cli.errors import NumericalError
from ksdp_cli.store import layout

from .conftest import Ranks

RUN = ("simulate", "--flow", "laminar2d", "--A", "5", "--J", "2001", "--snapshots", "2e-4,8e-4", "--accuracy", "1e-3")
TREE = (*RUN, "--engine", "tree")


def frames(path: Path) -> list[bytes]:
    run = open_run(path)
    assert run.complete
    return [run.frame(case, k).tobytes() for case in range(len(run.cases)) for k in range(len(run.times))]


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The frames of `TREE` on one process."""
    path = tmp_path_factory.mktemp("alone") / "alone.zarr"
    simulate(flow="laminar2d", A=5, J=2001, snapshots="2e-4,8e-4", engine="tree", accuracy=1e-3, out=path)
    return frames(path)


def test_one_rank_talks_and_the_bits_are_those_of_one_process(ranks: Ranks, alone: list[bytes], tmp_path: Path) -> None:
    done = ranks(3, *TREE, "-o", "a.zarr", "--json")
    assert done.codes == [0, 0, 0]
    assert '"E|x|^2"' not in done.out[0]
    assert '"second_moment"' in done.out[0]
    assert done.out[1:] == done.err[1:] == ["", ""]
    assert frames(tmp_path / "a.zarr") == alone
    assert open_run(tmp_path / "a.zarr").attrs["hardware"] == "3 ranks, each cpu, 1 core"


def test_a_sweep_with_memory_is_moved_by_ranks_to_the_same_bits(ranks: Ranks, tmp_path: Path) -> None:
    sweep = {"flow": "laminar2d", "J": 101, "T": 1e-2, "dt": 1e-3, "scheme": "heun", "chemistry": "parabolic"}
    sweep |= {"A": "1,10", "eps": "0.1", "k": "0", "kernel": "gaussian", "delta2": "1e-2"}
    simulate(**sweep, out=tmp_path / "alone.zarr")  # type: ignore[arg-type]
    words = [word for name, value in sweep.items() for word in (f"--{name}", str(value))]
    done = ranks(2, "simulate", *words, "-o", "a.zarr", checkpoints=True, step=4, signal=signal.SIGTERM)
    assert done.codes == [143, 143], done.err
    assert ranks(3, "simulate", *words, "-o", "a.zarr", "--resume").codes == [0, 0, 0]
    assert frames(tmp_path / "a.zarr") == frames(tmp_path / "alone.zarr")


def test_halved_steps_on_ranks_are_those_of_one_process(ranks: Ranks, tmp_path: Path) -> None:
    """Ranks that do not see the store learn from the first with which scheme it began."""
    run = {"M": "24pi", "J": 101, "T": 0.03, "dt": "auto", "delta2": 1e-4, "seed": 3}
    alone = simulate(**run, scheme="euler", out=tmp_path / "alone.zarr")  # type: ignore[arg-type]
    words = [word for name, value in run.items() for word in (f"--{name}", str(value))]
    begin = (*words, "--scheme", "euler", "-o", "a.zarr")
    done = ranks(2, "simulate", *begin, checkpoints=True, step=24, signal=signal.SIGTERM)
    assert done.codes == [143, 143], done.err
    assert ranks(3, "simulate", *words, "-o", "a.zarr", "--resume").codes == [0, 0, 0]
    assert frames(tmp_path / "a.zarr") == frames(tmp_path / "alone.zarr")
    assert open_run(tmp_path / "a.zarr").attrs["engine"][0]["steps_taken"] == alone.attrs["engine"][0]["steps_taken"]
    assert alone.attrs["engine"][0]["steps_taken"] > 60


def test_ranks_stop_at_a_collapse_like_one_process(ranks: Ranks, tmp_path: Path) -> None:
    run = {"M": "24pi", "J": 301, "T": 0.06, "dt": "auto", "dt-fraction": 2, "delta2": 5e-4, "merge": "stop"}
    alone = simulate(**{name.replace("-", "_"): value for name, value in run.items()}, out=tmp_path / "alone.zarr")  # type: ignore[arg-type]
    words = [word for name, value in run.items() for word in (f"--{name}", str(value))]
    done = ranks(2, "simulate", *words, "-o", "a.zarr")
    assert done.codes == [0, 0], done.err
    assert "the cloud has collapsed" in done.err[0]
    assert frames(tmp_path / "a.zarr") == frames(tmp_path / "alone.zarr")
    assert open_run(tmp_path / "a.zarr").attrs["stopped"] == alone.attrs["stopped"]


def test_a_case_that_blows_up_does_not_stop_the_others(
    ranks: Ranks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one process, or by ranks that share steps and shards, and again by ``--resume``: the same cases and bits."""
    monkeypatch.setattr(layout, "CHUNK", 450)
    monkeypatch.setattr(layout, "SHARD", 450)
    run = {"chi": "1,1e6,2", "J": "1000", "dt": "1e-3", "snapshots": "2e-3,4e-3"}
    with pytest.raises(NumericalError, match="2 of 3 cases"):
        simulate(**run, warn=lambda _: None, out=tmp_path / "alone.zarr")  # type: ignore[arg-type]
    words = [word for name, value in run.items() for word in (f"--{name}", value)]
    for more in ((), ("--resume",)):
        done = ranks(2, "simulate", *words, "-o", "a.zarr", *more, shard=450)
        assert done.codes == [3, 3], done.err
        assert done.err[0].count("2 of 3 cases") == 1
        assert done.err[1] == done.out[1] == ""
        left = [open_run(tmp_path / name).part([0, 2]) for name in ("a.zarr", "alone.zarr")]
        first, second = ([part.frame(i, k).tobytes() for i in (0, 1) for k in (0, 1)] for part in left)
        assert first == second
    assert (tmp_path / "1.shards").exists()  # the other rank has written its shards too


def test_a_sweep_whose_cases_have_ended_is_concluded_by_ranks(ranks: Ranks, tmp_path: Path) -> None:
    """As by one process, where what ran the last case was killed before it marked the store."""
    run = {"chi": "1,2", "J": "100", "dt": "1e-3", "T": "2e-3"}
    part = simulate(**run, case=0, out=tmp_path / "a.zarr")  # type: ignore[arg-type]
    run_case(str(part.path), 1, "cpu", 1)
    words = [word for name, value in run.items() for word in (f"--{name}", value)]
    done = ranks(2, "simulate", *words, "-o", "a.zarr", "--resume")
    assert done.codes == [0, 0], done.err
    assert open_run(part.path).complete
    assert open_run(part.path).attrs["steps"] == 4


def test_errors_are_told_once_and_end_every_rank_alike(ranks: Ranks, tmp_path: Path) -> None:
    (tmp_path / "taken.zarr").mkdir()
    for words, code, part in (
        ((*TREE, "-o", "taken.zarr"), 4, "taken.zarr exists"),
        ((*TREE, "--J", "1", "-o", "a.zarr"), 2, "J = 1 on 2 ranks"),
        ((*TREE, "--workers", "2", "-o", "a.zarr"), 2, "ranks"),
        ((*RUN, "--kernel", "nothing", "-o", "a.zarr"), 2, "nothing"),
        ((*RUN, "--kernel", "coulomb", "--dt", "1e-4", "--J", "400", "--A", "1e9", "-o", "b.zarr"), 3, "blow-up"),
    ):
        done = ranks(2, *words)
        assert done.codes == [code, code], (words, done)
        assert part in done.err[0]
        assert "ksdp: error:" in done.err[0]
        assert done.err[1] == done.out[1] == ""


@pytest.mark.parametrize("unseen", [None, 1])
def test_every_rank_writes_shards_and_rank_0_alone_where_a_host_lacks_the_store(
    ranks: Ranks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unseen: int | None
) -> None:
    """5 shards of 450 particles, in 2 cases, on 2 ranks: 2 and 3 of them, whoever owns the folder."""
    monkeypatch.setattr(layout, "CHUNK", 450)
    monkeypatch.setattr(layout, "SHARD", 450)
    run = {"flow": "laminar2d", "A": "5,50", "J": "2001", "snapshots": "1e-4,2e-4", "engine": "tree"}
    simulate(**run, out=tmp_path / "alone.zarr")  # type: ignore[arg-type]
    words = [word for name, value in run.items() for word in (f"--{name}", value)]
    done = ranks(2, "simulate", *words, "-o", "a.zarr", shard=450, **({} if unseen is None else {"unseen": unseen}))
    assert done.codes == [0, 0], done.err
    assert frames(tmp_path / "a.zarr") == frames(tmp_path / "alone.zarr")
    counted = [tmp_path / f"{rank}.shards" for rank in range(2)]
    written = [int(file.read_text()) if file.exists() else 0 for file in counted]
    assert written == ([8, 12] if unseen is None else [20, 0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_another_number_of_ranks_goes_on(
    ranks: Ranks, alone: list[bytes], tmp_path: Path, number: int
) -> None:
    """On 2 ranks, then 3, then 1; the signal reaches all ranks, as torchrun passes it on, or one alone."""
    command = (*TREE, "-o", "a.zarr", "--resume")
    done = ranks(2, *command, step=3, signal=number)
    assert done.codes == [128 + number] * 2
    assert "at step 3 of 8; the state is saved" in done.err[0]
    assert done.err[1] == ""
    done = ranks(3, *command, step=5, signal=number, rank=2)
    assert done.codes == [128 + number] * 3
    assert checkpoint.load(tmp_path / "a.zarr.checkpoint" / "0")[0]["step"] == 3  # after the first frame, at step 2
    assert ranks(1, *command).codes == [0]
    assert frames(tmp_path / "a.zarr") == alone


@pytest.mark.parametrize("victim", [0, 1, None])
@pytest.mark.parametrize("step", [0, 1])
def test_a_signal_in_the_first_step_ends_every_rank_alike(
    ranks: Ranks, alone: list[bytes], tmp_path: Path, step: int, victim: int | None
) -> None:
    """Before the first step rank 0 has nothing to save; in it, all ranks end it together."""
    command, to = (*TREE, "-o", "a.zarr", "--resume"), {} if victim is None else {"rank": victim}
    done = ranks(2, *command, step=step, signal=signal.SIGTERM, **to)
    assert done.codes == [143, 143], done.err
    assert done.err[0].count("stopped by signal 15") == 1
    assert done.err[1] == ""
    assert ranks(2, *command).codes == [0, 0]
    assert frames(tmp_path / "a.zarr") == alone


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_a_rank_that_is_killed_ends_the_run_and_costs_no_bit(
    ranks: Ranks, alone: list[bytes], tmp_path: Path, kills: int
) -> None:
    draw = random.Random(kills)
    for _ in range(kills):
        size, step = draw.randrange(2, 5), draw.randrange(1, 8)
        victim, command = draw.randrange(size), (*TREE, "-o", "a.zarr", "--resume")
        done = ranks(size, *command, checkpoints=True, step=step, signal=signal.SIGKILL, rank=victim)
        assert done.codes[victim] == -signal.SIGKILL
        left = [code for rank, code in enumerate(done.codes) if rank != victim]
        assert left == [5] * (size - 1), done
        said = "".join(done.err).splitlines()
        assert len([line for line in said if "another rank of this run has ended" in line]) == 1, done.err
        saved = tmp_path / "a.zarr.checkpoint" / "0"
        assert not saved.exists() or checkpoint.load(saved)[0]["step"] <= step  # whole: its digest holds
        again = ranks(draw.randrange(1, 4), *command, checkpoints=True)
        assert set(again.codes) == {0}, again.err
        assert frames(tmp_path / "a.zarr") == alone
        shutil.rmtree(tmp_path / "a.zarr")
