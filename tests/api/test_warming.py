"""What `warm_up` compiles, later processes do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LATER = """
import ksdp_cli as ksdp
from ksdp_cli.base import compiling
ksdp.simulate(mu=[1, 2], J=500, T=2e-3, dt=1e-3, store_field=8, out="s.zarr")
spent = [compiling.spent]
net = ksdp.train("s.zarr", N=100, steps=60, out="m.safetensors")
spent.append(compiling.spent)
ksdp.compare(ksdp.sample(net.path, n=500, mu=1, out="c.zarr"), "s.zarr", floor="halves", mu=1)
print(*spent, compiling.spent)
"""


@pytest.mark.slow
def test_after_a_warm_up_nothing_is_compiled(tmp_path: Path) -> None:
    environment = os.environ | {"KSDP_CACHE_DIR": str(tmp_path / "cache")}
    for words in (["-m", "ksdp_cli", "warm-up", "--dim", "2"], ["-c", LATER]):
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
    assert [float(word) for word in done.stdout.split()[-3:]] == [0.0, 0.0, 0.0]
