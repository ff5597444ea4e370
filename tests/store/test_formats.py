"""Stores of format 1 are read, and go on as stores of format 2; cases are committed each by itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import xarray

import ksdp_cli as ksdp
from ksdp_cli.errors import Busy, DataError
from ksdp_cli.store import CaseWriter, create, layout, open_run

FIRST = Path(__file__).parent / "data" / "format1.zarr"
#: The run that the stored one of format 1 is.
OPTIONS = {
    "flow": "laminar2d", "A": [1, 10], "J": 20, "dt": 1e-3, "engine": "direct", "seed": 3, "T": 2e-3,
    "snapshots": [0, 1e-3, 2e-3],
}  # fmt: skip
#: Bits are those of one machine: the stored run was made by a processor with other vectors.
ANOTHER_PROCESSOR = 1e-6


def test_format_1_is_read(tmp_path: Path) -> None:
    old, new = open_run(FIRST), ksdp.simulate(**OPTIONS, out=tmp_path / "b.zarr")
    assert (old.header.format, new.header.format) == (1, 2)
    assert (old.cases, old.times.tolist(), old.config) == (new.cases, new.times.tolist(), new.config)
    for case in range(2):
        for k in range(3):
            assert old.frame(case, k) == pytest.approx(new.frame(case, k), abs=ANOTHER_PROCESSOR)
    with xarray.open_zarr(FIRST) as opened:
        assert np.array_equal(opened["position"][1, 2], old.frame(1, 2))


def test_a_flipped_bit_of_format_1_is_reported(tmp_path: Path) -> None:
    path = shutil.copytree(FIRST, tmp_path / "a.zarr")
    file = layout.chunk_file(path, "position", 1, 2, 0, 0, form=1)
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError):
        open_run(path).frame(1, 2)


def test_format_1_goes_on_as_format_2(tmp_path: Path) -> None:
    path = shutil.copytree(FIRST, tmp_path / "a.zarr")
    later = OPTIONS | {"T": 3e-3, "snapshots": [0, 1e-3, 2e-3, 3e-3]}
    old = [[open_run(FIRST).frame(case, k) for k in range(3)] for case in range(2)]
    run = ksdp.simulate(**later, out=path, resume=True)
    whole = ksdp.simulate(**later, out=tmp_path / "b.zarr")
    assert run.header.format == 2
    for case in range(2):
        assert all(np.array_equal(run.frame(case, k), old[case][k]) for k in range(3))
        assert run.frame(case, 3) == pytest.approx(whole.frame(case, 3), abs=ANOTHER_PROCESSOR)


def test_a_frame_counts_when_every_case_has_it(tmp_path: Path, header, frame) -> None:
    about, path = header(), tmp_path / "a.zarr"
    with create(path, about) as owner:
        with CaseWriter(path, 1) as case:
            case.write(0, frame(0, about)[1])
            case.write(1, frame(1, about)[1])
        assert (owner.commit(), owner.progress(), len(open_run(path).times)) == (0, [0, 2], 0)
        with owner.case(0) as case:
            case.write(0, frame(0, about)[0])
        assert (owner.commit(), owner.progress()) == (1, [1, 2])
    # a case that is ahead stays ahead, also where later snapshots are added
    longer = header(times=(*about.times, 0.3))
    with create(path, longer, resume=True) as owner:
        assert (owner.committed, owner.progress()) == (1, [1, 2])
        for k in range(1, 4):
            owner.write(k, frame(k, about))
        owner.finish()
    run = open_run(path)
    assert all(np.array_equal(run.frame(case, k), frame(k, about)[case]) for case in range(2) for k in range(4))


WORK = """
import sys, numpy as np
from ksdp_cli.store import CaseWriter
path, case, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
from pathlib import Path
for k in range(rounds):
    with CaseWriter(Path(path), case) as writer:
        if k >= writer.committed:
            writer.write(k, np.random.default_rng([case, k]).standard_normal((40, 2), dtype=np.float32))
"""


@pytest.mark.parametrize(("cases", "rounds"), [((0, 1), 12), ((0, 0), 12)])
@pytest.mark.parametrize("times", [1, pytest.param(9, marks=pytest.mark.slow)])
def test_two_writers_at_once(tmp_path: Path, header, cases, rounds, times) -> None:
    """Two processes on two cases, or on one: nothing is lost, nobody is told of the other, the bits are the same."""
    rounds, count = rounds * times, len(set(cases))
    about = header(particles=40, dim=2, cases={"A": (1.0, 2.0)[:count]}, case_count=count, times=tuple(range(rounds)))
    path = tmp_path / "a.zarr"
    with create(path, about) as owner:
        command = [sys.executable, "-W", "error", "-c", textwrap.dedent(WORK), str(path)]
        both = [subprocess.Popen([*command, str(case), str(rounds)], stderr=subprocess.PIPE) for case in cases]
        said = [process.communicate(timeout=300)[1] for process in both]
        assert said == [b"", b""]
        assert [process.returncode for process in both] == [0, 0]
        assert owner.commit() == rounds
        owner.finish()
    run = open_run(path)
    for case in set(cases):
        for k in range(rounds):
            expected = np.random.default_rng([case, k]).standard_normal((40, 2), dtype=np.float32)
            assert np.array_equal(run.frame(case, k), expected)
    assert not list(path.rglob("*.partial"))
    assert not list(tmp_path.glob(".a.zarr*"))


def test_a_store_whose_case_is_being_written_is_not_replaced(tmp_path: Path, header, frame) -> None:
    """A job of a cluster that goes on would put frames of the old run into the new one."""
    path = tmp_path / "a.zarr"
    with create(path, header()) as owner:
        owner.write(0, frame(0, header()))
    with CaseWriter(path, 1), pytest.raises(Busy, match=r"case 1 "):
        create(path, header(), overwrite=True)
    with create(path, header(), overwrite=True) as owner:
        assert owner.progress() == [0, 0]
    assert len(open_run(path).times) == 0
