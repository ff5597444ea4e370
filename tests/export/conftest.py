"""Stores of known positions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli.store import Header, Run, create, open_run

TIMES, AMPLITUDES, MU = (0.0, 0.1, 0.2), (1.0, 10.0, 1.0, 10.0), (1.0, 1.0, 2.0, 2.0)


def positions(header: Header) -> np.ndarray:
    """(case, time, J, d): numbers of all magnitudes, among them the smallest and the largest float32."""
    shape = (header.case_count, len(header.times), header.particles, header.dim)
    generator = np.random.default_rng(3)
    x = generator.standard_normal(shape) * 10.0 ** generator.integers(-30, 30, shape)
    x.flat[:4] = [1e-45, 3.4028235e38, -0.0, 1 / 3]
    return x.astype(np.float32)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    """``run(particles=..., dim=...)``: a complete store, two parameters swept over four cases, three snapshots."""

    def make(**changes: Any) -> Run:
        options: dict[str, Any] = {
            "kind": "simulation",
            "times": TIMES,
            "particles": 50,
            "dim": 3,
            "cases": {"A": AMPLITUDES, "mu": MU},
            "case_count": 4,
            "units": {"A": "flow amplitude [length / time]", "mu": "diffusivity"},
            "config": {"flow": "laminar3d", "J": 50, "chi": [1.0], "flow_params": {"A": [1.0, 10.0]}},
            "attrs": {"seed": 7, "versions": {"ksdp": "0"}, "command": "ksdp simulate --flow laminar3d"},
        } | changes
        header = Header(**options)
        path = tmp_path / f"{len(list(tmp_path.glob('*.zarr')))}.zarr"
        with create(path, header) as writer:
            for k, frame in enumerate(positions(header).swapaxes(0, 1)):
                writer.write(k, frame)
            writer.finish()
        return open_run(path)

    return make


@pytest.fixture
def plain(run: Callable[..., Run]) -> Run:
    """A 2D store of one case and one snapshot."""
    return run(dim=2, cases={}, case_count=1, times=(0.5,), particles=7)
