"""A run with a field that is killed goes on to the bit."""

from __future__ import annotations

import signal
from pathlib import Path

from ksdp_cli.api.checkpoints import Checkpoints
from ksdp_cli.base import checkpoint

from .conftest import Ksdp
from .test_run_faults import frames

RUN = (
    *("simulate", "--chemistry", "parabolic", "--eps", "0.1,1", "--k", "0", "--kernel", "gaussian", "--delta2", "0.05"),
    *("--J", "80", "--dt", "1e-3", "--snapshots", "2e-3,5e-3", "--accuracy", "1e-3"),
    *("--store-field", "9"),
)


def test_killed_with_a_field_and_resumed(ksdp: Ksdp, tmp_path: Path) -> None:
    """Between a checkpoint and the next, in either case."""
    assert ksdp(*RUN, "-o", "whole.zarr").code == 0
    for step in (1, 3, 8):
        command = (*RUN, "-o", f"{step}.zarr", "--resume")
        done = ksdp(*command, checkpoints=True, step=step, signal=signal.SIGKILL)
        assert done.code == -signal.SIGKILL, done.err
        assert step == 1 or Checkpoints(tmp_path / f"{step}.zarr").of(0).exists()
        again = ksdp(*command, checkpoints=True)
        assert again.code == 0, again.err
        assert any(name.startswith("c/") for name in frames(tmp_path / "whole.zarr"))
        assert frames(tmp_path / f"{step}.zarr") == frames(tmp_path / "whole.zarr")
    left = Checkpoints(tmp_path / "8.zarr").folder / "0.tmp"  # by a kill at the last checkpoint, after the last frame
    left.write_bytes(checkpoint.MAGIC)
    assert ksdp(*command).code == 0
    assert not left.exists()
    assert Checkpoints(tmp_path / "8.zarr").of(0).exists()
