"""What is shown side by side can be compared: one scale of colours, one box, one size of cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli import figures
from ksdp_cli.errors import ConfigError, DataError

Clouds = Callable[..., np.ndarray]


def panels(figure: Any) -> list[Any]:
    return [axes for axes in figure.axes if axes.images]


def same_scale(shown: list[Any]) -> bool:
    images = [axes.images[0] for axes in shown]
    return len({(i.norm.vmin, i.norm.vmax, i.norm.gamma, i.get_cmap().name) for i in images}) == 1


def same_cells(shown: list[Any]) -> bool:
    return len({(axes.images[0].get_array().shape, tuple(axes.images[0].get_extent())) for axes in shown}) == 1


def test_a_pair_shares_everything(cloud: Clouds, drawn: list[Any], tmp_path: Path) -> None:
    figures.histogram_pair(cloud(20_000), cloud(1200, seed=1) / 2, tmp_path / "x.png", title="a")
    shown = panels(drawn[0])
    assert len(shown) == 2
    assert same_scale(shown)
    assert same_cells(shown)
    assert [axes.get_title() for axes in shown] == ["network", "simulation"]
    assert [axes.texts[0].get_text().split(",")[0] for axes in shown] == ["N = 20000", "N = 1200"]
    top = max(axes.images[0].get_array().max() for axes in shown)
    assert shown[0].images[0].norm.vmax == top
    (bar,) = (image.colorbar for axes in shown for image in axes.images if image.colorbar)
    assert bar.ax.get_ylabel() == "density [1/length²]\nsquare root scale"


def test_a_picture_shows_the_counts_of_its_cells(drawn: list[Any], tmp_path: Path) -> None:
    """Three particles near one place (at one they would be a heavy point), one at another: three to one, and where."""
    x = np.array([[0.0, 0.0], [1e-4, 0.0], [0.0, 1e-4], [1.0, 1.0]], np.float32)
    figures.histogram_pair(x, x, tmp_path / "x.svg")
    image = panels(drawn[0])[0].images[0]
    values = image.get_array()
    filled = np.argwhere(values.filled(0) > 0)
    assert len(filled) == 2
    assert values[tuple(filled[0])] == pytest.approx(3 * values[tuple(filled[1])])
    left, right, low, high = image.get_extent()
    for (row, column), place in zip(filled, (0.0, 1.0), strict=True):
        x0 = left + (right - left) / values.shape[1] * column
        y0 = low + (high - low) / values.shape[0] * row
        assert x0 <= place <= x0 + (right - left) / values.shape[1]
        assert y0 <= place <= y0 + (high - low) / values.shape[0]
    assert image.origin == "lower"
    assert np.ma.is_masked(values)  # empty cells have no colour


def test_every_projection_of_a_pair_in_3d(cloud: Clouds, drawn: list[Any], tmp_path: Path) -> None:
    figures.histogram_pair(cloud(dim=3), cloud(dim=3, seed=1), tmp_path / "x.pdf")
    shown = panels(drawn[0])
    labels = [(axes.get_xlabel()[0], axes.get_ylabel()[:1]) for axes in shown]
    assert labels == [("x", "y"), ("x", ""), ("x", "z"), ("x", ""), ("y", "z"), ("y", "")]
    for row in range(3):
        assert same_scale(shown[2 * row : 2 * row + 2])
        assert same_cells(shown[2 * row : 2 * row + 2])


def test_a_grid_has_a_scale_for_each_row(cloud: Clouds, drawn: list[Any], tmp_path: Path) -> None:
    rows = [(f"A = {a}", a * cloud(), a * cloud(seed=1)) for a in (1, 10)]
    figures.histogram_grid(rows, tmp_path / "x.png", labels=("p", "q"))
    shown = panels(drawn[0])
    assert [axes.get_title() for axes in shown] == ["A = 1, p", "A = 1, q", "A = 10, p", "A = 10, q"]
    assert same_scale(shown[:2])
    assert same_scale(shown[2:])
    assert not same_scale(shown)


def test_sections_share_the_box_and_each_pair_its_colours(cloud: Clouds, drawn: list[Any], tmp_path: Path) -> None:
    rows = [(f"A = {a}", a * cloud(dim=3), a * cloud(dim=3, seed=1)) for a in (1, 3)]
    figures.histogram_sections(rows, tmp_path / "x.png")
    shown = panels(drawn[0])
    assert len(shown) == 12
    assert same_scale(shown[:6])
    assert same_scale(shown[6:])
    assert not same_scale(shown)
    for column in range(3):
        assert len({tuple(axes.images[0].get_extent()) for axes in shown[column::3]}) == 1
    heights = [np.diff(axes.images[0].get_extent()[2:])[0] for axes in shown]
    assert max(heights) == pytest.approx(min(heights))  # panels of a row line up
    # square cells of one size, whatever the shape of the panel
    sides = []
    for axes in shown[:6]:
        left, right, low, high = axes.images[0].get_extent()
        rows_, columns = axes.images[0].get_array().shape
        sides += [(right - left) / columns, (high - low) / rows_]
    assert max(sides) / min(sides) < 1.1


@pytest.mark.parametrize(
    ("count", "stretch", "columns"), [(1, 1, 1), (3, 1, 3), (4, 1, 4), (5, 1, 3), (9, 1, 4), (4, 1.6, 2), (5, 9, 2)]
)
def test_a_sheet_reads_from_left_to_right(
    cloud: Clouds, drawn: list[Any], tmp_path: Path, count: int, stretch: float, columns: int
) -> None:
    """Wide clouds have fewer columns."""
    wide = np.array([stretch, 2], np.float32) / 2
    figures.histogram_sheet([(f"t = {k}", cloud(300, seed=k) * wide) for k in range(count)], tmp_path / "x.png")
    shown = panels(drawn[0])
    assert [axes.get_title() for axes in shown] == [f"t = {k}" for k in range(count)]
    assert same_scale(shown)
    assert same_cells(shown)
    places = [axes.get_subplotspec() for axes in shown]
    assert [(p.rowspan.start, p.colspan.start) for p in places] == [(k // columns, k % columns) for k in range(count)]


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_the_same_picture_is_the_same_file(cloud: Clouds, tmp_path: Path, suffix: str) -> None:
    for name in "ab":
        figures.histogram_pair(cloud(), cloud(seed=1), tmp_path / f"{name}{suffix}", title="t")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_a_million_particles_make_a_small_vector_file(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((1_000_000, 2), dtype=np.float32)
    figures.histogram_pair(x, x[:10_000], tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").stat().st_size < 100_000


TITLES = ["costs $5 and $x_{", "<script>alert(1)</script> & co", "two\nlines", r"\alpha^2", "分布", "%s {0} ]]>"]


def test_titles_are_text(cloud: Clouds, tmp_path: Path) -> None:
    """Whatever comes from a file name or a parameter is shown as it is, and stays outside the markup."""
    from xml.etree import ElementTree

    sheet = [(title, cloud(100)) for title in TITLES]
    for suffix in (".svg", ".png"):
        figures.histogram_sheet(sheet, tmp_path / f"x{suffix}", title=TITLES[0])
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    assert not [node for node in root.iter() if node.tag.endswith("script")]


def test_what_cannot_be_drawn_leaves_no_file(cloud: Clouds, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.jpg.*\.png, \.pdf, \.svg"):
        figures.histogram_pair(cloud(), cloud(), tmp_path / "x.jpg")
    with pytest.raises(DataError, match="2 and 3 dimensions"):
        figures.histogram_pair(cloud(), cloud(dim=3), tmp_path / "x.png")
    for draw in (figures.histogram_grid, figures.histogram_sections, figures.histogram_sheet):
        with pytest.raises(ConfigError, match="without rows"):
            draw([], tmp_path / "x.png")
    assert not list(tmp_path.iterdir())
