"""progress=True: a bar on a terminal or in a notebook, and nothing of it in the numbers."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp
from ksdp_cli.base.bars import notebook_bar, progress_bar


class Display:
    """As much of IPython's display as a notebook's kernel has."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    HTML = staticmethod(str)

    def display(self, element: str, display_id: bool) -> Display:
        assert display_id
        self.shown.append(element)
        return self

    def update(self, element: str) -> None:
        self.shown.append(element)


def test_a_notebook_shows_every_stage_and_nothing_at_the_end() -> None:
    page = Display()
    with contextlib.suppress(RuntimeError), notebook_bar(page) as bar:
        bar("steps", 3, 10, "<5 steps/s>")
        bar("pictures", 1, 2)
        raise RuntimeError
    assert 'value="3" max="10"' in page.shown[2]
    assert "&lt;5 steps/s&gt;" in page.shown[2]
    assert 'value="1" max="2"' in page.shown[2]
    assert page.shown[-1] == ""


def test_a_callback_passes_through() -> None:
    def own(stage: str, done: int, total: int, note: str = "", /) -> None: ...

    for given, got in ((own, own), (None, None), (False, None)):
        with progress_bar(given) as told:
            assert told is got


def test_the_verbs_take_true(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common: dict[str, Any] = {"J": 200, "T": 2e-3, "dt": 1e-3, "snapshots": "1e-3,2e-3"}
    run = ksdp.simulate(progress=True, out=tmp_path / "a.zarr", **common)
    assert np.array_equal(run.frame(), ksdp.simulate(out=tmp_path / "b.zarr", **common).frame())
    ksdp.train(run, steps=4, N=20, progress=True, out=tmp_path / "m.safetensors")
    made = ksdp.sample(tmp_path / "m.safetensors", t=2e-3, n=200, progress=True, out=tmp_path / "c.zarr")
    ksdp.compare(made, run, t=2e-3, N=50, progress=True)
    ksdp.plot(run, progress=True, out=tmp_path / "p.png")
    ksdp.export(run, tmp_path / "e.npz", progress=True)
    assert capsys.readouterr().out == ""


def test_a_picture_comes_with_its_figure(tmp_path: Path) -> None:
    run = ksdp.simulate(J=100, T=1e-3, dt=1e-3, out=tmp_path / "a.zarr")
    plotted = ksdp.plot(run, out=tmp_path / "p.png")
    (panel, *_) = plotted.figure.axes
    panel.set_xlabel("x, changed")
    plotted.figure.savefig(tmp_path / "q.png")
    assert (tmp_path / "q.png").stat().st_size > 1000
    assert len(plotted.figures) == len(plotted.files)
