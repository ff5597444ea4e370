"""Curves hold the numbers they are given, in the units of the axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli import figures
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.figures import Curves

HISTORY = [
    {"step": 1, "loss": 0.5, "validation": None},
    {"step": 2, "loss": 0.25, "validation": 0.3},
    {"step": 3, "loss": 0.125, "validation": 0.2, "floor": 0.1},
]


def test_lines_and_points(drawn: list[Any], tmp_path: Path) -> None:
    t = [0.0, 0.1, 0.2]
    curves = {"law": (t, [0.5, 0.1, -0.3], None), "run": (t, [0.5, 0.2, 0.1], [0.01, 0.02, 0.03])}
    figures.moment_curve(curves, tmp_path / "x.png", xlabel="t [time]", trained_to=0.15)
    (axes,) = drawn[0].axes
    law = next(line for line in axes.lines if line.get_label() == "law")
    assert law.get_xydata().tolist() == [[0.0, 0.5], [0.1, 0.1], [0.2, -0.3]]
    (bars,) = axes.containers
    assert bars.get_label() == "run (± 2 s.e.)"
    points, _, (segments,) = bars.lines
    assert points.get_ydata().tolist() == [0.5, 0.2, 0.1]
    heights = [segment[1, 1] - segment[0, 1] for segment in segments.get_segments()]
    assert heights == pytest.approx([0.04, 0.08, 0.12])  # two standard errors to each side
    shade = next(patch for patch in axes.patches if patch.get_label() == "extrapolation")
    assert shade.get_x() == 0.15
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("t [time]", "E|X|² [length²]")


def test_nothing_is_called_extrapolation_within_the_range(drawn: list[Any], tmp_path: Path) -> None:
    figures.moment_curve({"a": ([1, 2], [1, 2], None)}, tmp_path / "x.png", xlabel="A", trained_to=2.0)
    assert not drawn[0].axes[0].patches


def test_panels_are_lettered(drawn: list[Any], tmp_path: Path) -> None:
    mean = Curves({"network": ([1, 10, 100], [1.0, 2.0, 3.0], None)}, "A", "E x₁ [length]", "mean", xlog=True)
    curves = {"W₂²": ([1, 10], [0.1, 0.2], None), "means": ([1, 10], [0.01, 0.02], None)}
    distance = Curves(curves, "A", "W₂²", "distance", xlog=True, ylog=True, levels={"floor": 0.05})
    figures.curve_panels([mean, distance], tmp_path / "x.svg", title="figure 7")
    a, b = drawn[0].axes
    assert (a.get_title(loc="left"), b.get_title(loc="left")) == ("(a) mean", "(b) distance")
    assert (a.get_xscale(), a.get_yscale(), b.get_xscale(), b.get_yscale()) == ("log", "linear", "log", "log")
    assert [text.get_text() for text in b.get_legend().get_texts()] == ["W₂²", "means", "floor"]
    styles = [(line.get_color(), line.get_linestyle()) for line in b.lines[:2]]
    assert len({colour for colour, _ in styles}) == len({dash for _, dash in styles}) == 2
    assert next(line for line in b.lines if line.get_label() == "floor").get_ydata() == [0.05, 0.05]
    labels = [text.get_text() for text in a.get_xticklabels() if text.get_text()]
    assert {"1", "10", "100"} <= set(labels)  # numbers, not the source of a formula


def test_many_curves_are_ordered_by_colour(drawn: list[Any], tmp_path: Path) -> None:
    curves = {f"A = {a}": ([0, 1], [a, a + 1], None) for a in range(11)}
    figures.moment_curve(curves, tmp_path / "x.png", xlabel="t")
    (axes,) = drawn[0].axes
    assert len(axes.lines) == 11
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["A = 0", "A = 3", "A = 7", "A = 10"]
    brightness = [np.dot(line.get_color()[:3], [0.299, 0.587, 0.114]) for line in axes.lines]
    assert brightness == sorted(brightness)


def test_training(drawn: list[Any], tmp_path: Path) -> None:
    figures.curve_panels([figures.training_panel(HISTORY)], tmp_path / "x.png")
    (axes,) = drawn[0].axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert lines["training loss, equation (14)"] == [[1, 0.5], [2, 0.25], [3, 0.125]]
    assert lines["validation"] == [[2, 0.3], [3, 0.2]]
    assert [y for _, y in lines["noise floor of validation"]] == [0.1, 0.1]
    assert axes.get_yscale() == "log"
    with pytest.raises(DataError, match="train"):
        figures.training_curves([], tmp_path / "y.png")


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_the_same_curves_are_the_same_file(tmp_path: Path, suffix: str) -> None:
    for name in "ab":
        figures.training_curves(HISTORY, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("curve", "options", "told"),
    [
        (([0, 1], [1], None), {}, r"\(2,\).*\(1,\)"),
        (([], [], None), {}, r"x of shape \(0,\)"),
        (([0, 1], [1, 2], [0.1]), {}, "shape"),
        (([0, 1], [1, float("nan")], None), {}, "1 .*finite"),
        (([0, 1], [1, 2], None), {"xlog": True}, " 0 .*logarithmic"),
    ],
)
def test_curves_that_cannot_be_drawn(tmp_path: Path, curve: Any, options: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        figures.moment_curve({"a": curve}, tmp_path / "x.png", xlabel="t", **options)
    with pytest.raises(DataError, match="no curve"):
        figures.moment_curve({}, tmp_path / "x.png", xlabel="t")
    with pytest.raises(DataError, match="no panel"):
        figures.curve_panels([], tmp_path / "x.png")
    with pytest.raises(ConfigError, match=r"ends in ''"):
        figures.moment_curve({"a": ([0], [1], None)}, tmp_path / "x", xlabel="t")
    assert not list(tmp_path.iterdir())


def test_a_picture_knows_its_maker(tmp_path: Path) -> None:
    from ksdp_cli.figures._canvas import is_own_picture

    for suffix in (".png", ".pdf", ".svg"):
        figures.training_curves(HISTORY, tmp_path / f"x{suffix}")
        assert is_own_picture(tmp_path / f"x{suffix}")
        (tmp_path / f"y{suffix}").write_text("someone's own picture, made with ksdp in mind")
        assert not is_own_picture(tmp_path / f"y{suffix}")
    assert not is_own_picture(tmp_path / "nothing.png")
