"""Section 2.1: a flow that stretches enough keeps a supercritical cloud from blowing up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ksdp


@pytest.mark.parametrize(("flow", "A"), [("hyperbolic", 20), ("laminar2d", 100)])
def test_stretching_suppresses_the_collapse(tmp_path: Path, flow: str, A: float) -> None:
    """M = 16 pi, twice the critical mass, collapses without a flow; the store says by when. Stretched it does not."""
    common: dict[str, Any] = {"J": 500, "T": 0.2, "dt": 1e-3, "scheme": "heun", "warn": lambda word: None}
    still = ksdp.simulate(out=tmp_path / "still.zarr", **common)
    stretched = ksdp.simulate(out=tmp_path / "stretched.zarr", flow=flow, A=A, **common)
    assert still.attrs["collapsed_from"] < 0.2
    assert "collapsed_from" not in stretched.attrs
