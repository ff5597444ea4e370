"""Small stores with known contents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli.store import Header, create

J, DIM, TIMES, AMPLITUDES = 50, 3, (0.0, 0.1, 0.2), (1.0, 10.0)


def header_of(**changes: Any) -> Header:
    made = Header(
        kind="simulation",
        times=TIMES,
        particles=J,
        dim=DIM,
        cases={"A": AMPLITUDES, "mu": (1.0, 2.0)},
        case_count=2,
        units={"A": "flow amplitude [length / time]", "mu": "diffusivity"},
        config={"flow": "laminar3d", "J": J, "T": 0.2, "flow_params": {"A": [1.0, 10.0]}},
        attrs={"seed": 7, "versions": {"ksdp": "0"}},
    )
    return replace(made, **changes)


def frame_of(k: int, header: Header) -> np.ndarray:
    shape = (header.case_count, header.particles, header.dim)
    return np.random.default_rng(k).standard_normal(shape, dtype=np.float32)


def written(path: Path, header: Header, frames: int | None = None, **options: Any) -> Path:
    """A store with its first ``frames`` frames, or a complete one."""
    with create(path, header, **options) as writer:
        for k in range(writer.committed, len(header.times) if frames is None else frames):
            writer.write(k, frame_of(k, header))
        if frames is None:
            writer.finish()
    return path


@pytest.fixture
def header() -> Callable[..., Header]:
    return header_of


@pytest.fixture
def frame() -> Callable[[int, Header], np.ndarray]:
    return frame_of


@pytest.fixture
def store() -> Callable[..., Path]:
    return written
