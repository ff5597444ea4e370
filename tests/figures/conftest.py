"""Known clouds, and a look at the figures that are drawn of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Clouds = Callable[..., np.ndarray]


@pytest.fixture
def cloud() -> Clouds:
    """``cloud(n, dim, seed)``: a Gaussian of unequal widths, (n, dim) float32."""

    def make(n: int = 2000, dim: int = 2, seed: int = 0) -> np.ndarray:
        x = np.random.default_rng(seed).standard_normal((n, dim)) * np.array([2.0, 1.0, 0.5])[:dim]
        return x.astype(np.float32)

    return make


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that are drawn, in order, kept in place of being rendered: what they show is in their objects."""
    from matplotlib.figure import Figure

    figures: list[Any] = []

    def keep(self: Any, file: Path, **options: Any) -> None:
        figures.append(self)
        file.touch()

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures
