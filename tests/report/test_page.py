"""The page as text: nothing in it runs or is fetched but its own script, and it stays small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api import paths
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.network import Network
from ksdp_cli.views.report import MOST_SHOWN, PageCloud, particles_per_cloud
from ksdp_cli.views.report.page import Page, Table, inert_json, render
from ksdp_cli.views.report.reporting import report
from ksdp_cli.views.report.view import ROOM, Inputs, NetworkView, Scene

HOSTILE = "</script><script>window.bad=1</script><img src=x onerror='window.bad=2'>\"'&{{data}}$x^$"


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.inside: list[tuple[str, str]] = []
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = tag

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open in ("script", "style"):
            self.inside.append((self.open, data))


def scene(**changes: Any) -> Scene:
    cloud = PageCloud({"A": 1.0}, Ball().draw(50, 2, 0), 50, [0.0, 0.0], 0.5, 0.01)
    values = {"dim": 2, "extent": np.array([[-1.0, 1], [-1, 1]]), "clouds": [cloud], "title": "Simulation"}
    return Scene(**(values | {"units": {}, "start": {}} | changes))


def network() -> NetworkView:
    shape, facts = Network(2, 1), ([[("mapped", 0)]], 0, 0.0)
    ends = ("A",), (1.0,), (100.0,), (True,), (2.0,), (0.0,)
    return NetworkView(shape.initial(0), shape.sizes, *facts, *ends, Inputs(0), "ksdp sample")


@pytest.fixture
def hostile_model(tmp_path: Path) -> Path:
    """A model whose every string is an attack, its file name included."""
    shape, eta = Network(2, 1), EtaMap((HOSTILE,), (1.0,), (100.0,), (True,))
    simulation = {"flow": HOSTILE, "init": "ksdp:ball", "T": 0.02, "J": 100, HOSTILE: HOSTILE}
    about = {"simulation": simulation, "data": HOSTILE, "command": HOSTILE, "versions": {HOSTILE: HOSTILE}}
    about |= {"units": {HOSTILE: HOSTILE}, "result": {HOSTILE: HOSTILE}}
    file = tmp_path / "<script>alert(1)<!--.safetensors"
    Model(shape, shape.initial(1), eta, {HOSTILE: HOSTILE}, about).save(file)
    return file


def test_hostile_strings_are_text_and_stay_inert(
    hostile_model: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    page = report(hostile_model, out=tmp_path / "page.html").path
    elements = Elements(page.read_text())
    tags = [tag for tag, _ in elements.tags]
    assert tags.count("script") == 2
    assert tags.count("style") == 1
    assert not [name for _, attributes in elements.tags for name in attributes if name.startswith("on")]
    assert all(a["src"].startswith("data:image/") for tag, a in elements.tags if tag == "img")
    document = json.loads(next(text for tag, text in elements.inside if text.startswith("{")))
    assert document["controls"][0]["name"] == HOSTILE
    opened = request.getfixturevalue("visit")(page)  # from here on with a browser, where there is one
    opened.few()
    assert opened.said == []
    assert opened.tell("() => window.bad") is None
    assert HOSTILE in opened.page.locator("#controls").inner_text()


def test_the_policy_states_the_hashes_of_the_only_script_and_style() -> None:
    text = render(Page("report", "title", "lead", scene(network=network()), [], "footer"))
    elements = Elements(text)
    policy = next(a["content"] for tag, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    for kind in ("style", "script"):
        body = "".join(part for tag, part in elements.inside if tag == kind and not part.startswith("{"))
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, Path]) -> None:
    for path in pages.values():
        text = path.read_text()
        assert not re.search(r"(?:src|href)=(?![\"']?data:)", text)
        assert not re.search(r"https?://|@import|url\(", text)


def test_pages_are_small(pages: dict[str, Path]) -> None:
    assert max(path.stat().st_size for path in pages.values()) < 1_000_000


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("clouds", [1, 11, 110, 1000])
def test_stored_clouds_fit_in_their_room(clouds: int, dim: int) -> None:
    n = particles_per_cloud(clouds, dim)
    assert n <= MOST_SHOWN
    assert 2 * n * dim * clouds <= ROOM
    assert n or clouds == 1000


def test_many_frames_are_thinned_and_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ksdp.simulate(J=1200, T=0.01, dt=1e-3, snapshots="0:0.01:11", out=tmp_path / "many.zarr").path
    monkeypatch.setattr("ksdp_cli.views.report.view.ROOM", 4 * 1000 * 6)
    done = report(run, out=tmp_path / "page.html")
    assert (done.clouds, done.particles_shown) == (6, 1000)
    text = done.path.read_text()
    assert "6 of its 11 frames" in text
    assert "first 1000 particles" in text


@pytest.mark.parametrize("dim", [2, 3])
def test_positions_are_rounded_to_16_bits(dim: int) -> None:
    points = Ball().draw(300, dim, 1)
    stored = PageCloud({}, points, 300, [0.0] * dim, 0.5, 0.01).as_json()
    whole = np.frombuffer(base64.b64decode(stored["points"]), "<u2").reshape(-1, dim)
    low, high = np.array(stored["box"]).T
    assert np.abs(low + whole * (high - low) / 65535 - points).max() <= (high - low).max() / 131070 * 1.001


def test_a_cloud_that_is_one_point_has_a_box() -> None:
    stored = PageCloud({}, np.ones((3, 2), np.float32), 3, [1.0, 1.0], 2.0, 0.0).as_json()
    assert stored["box"] == [[1.0, 1.0], [1.0, 1.0]]


def test_braces_and_markup_in_text_and_tables() -> None:
    page = Page(
        HOSTILE, HOSTILE, HOSTILE, scene(), [(HOSTILE, [HOSTILE, Table(HOSTILE, (HOSTILE,), [[HOSTILE]])])], HOSTILE
    )
    assert [tag for tag, _ in Elements(render(page)).tags].count("script") == 2
    assert "<" not in inert_json({HOSTILE: HOSTILE})


def test_only_pages_of_ksdp_are_replaced(pages: dict[str, Path], flat_run: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("<!doctype html><p>mine")
    with pytest.raises(DataError, match="exists"):
        report(flat_run, out=mine)
    with pytest.raises(DataError, match="ksdp report"):
        report(flat_run, out=mine, overwrite=True)
    assert mine.read_text() == "<!doctype html><p>mine"
    page = Path(shutil.copy(pages["run 3D"], tmp_path))
    assert report(flat_run, out=page, overwrite=True).bytes == page.stat().st_size
    assert "flat.zarr" in page.read_text()


def test_what_cannot_be_reported_says_why(flat_run: Path, deep_run: Path, tmp_path: Path) -> None:
    model, out = paths.existing("laminar2d-amplitude"), tmp_path / "page.html"
    with pytest.raises(ConfigError, match=r"3 .* 2"):
        report(model, out=out, references=[deep_run])
    with pytest.raises(ConfigError, match="--reference"):
        report(flat_run, out=out, references=[flat_run])
    with pytest.raises(ConfigError, match=r"\.html"):
        report(flat_run, out=tmp_path / "page.pdf")
    with pytest.raises(DataError, match=r"nowhere\.safetensors"):
        report("nowhere.safetensors", out=out)
    assert not out.exists()


def test_a_reference_of_another_problem_is_told(tmp_path: Path) -> None:
    other = ksdp.simulate(flow="laminar2d", A=50, M=20, J=100, T=0.02, dt=2e-3, out=tmp_path / "other.zarr").path
    told: list[str] = []
    page = report("laminar2d-amplitude", out=tmp_path / "page.html", references=[other], warn=told.append).path
    assert "M = 20 in place of 50.26548246" in told[0]
    assert told[0] in page.read_text()


def test_own_clouds_are_not_called_a_simulation(tmp_path: Path) -> None:
    clouds = {(width,): np.random.default_rng(0).normal(size=(60, 2)) * width for width in (1.0, 2.0)}
    ksdp.clouds(clouds, names=["width"], out=tmp_path / "own.zarr")
    ksdp.train(tmp_path / "own.zarr", steps=2, N=20, out=tmp_path / "own.safetensors")
    page = report(tmp_path / "own.safetensors", out=tmp_path / "own.html").path.read_text()
    assert "Own clouds (training data)" in page
    assert "Simulation (training data)" not in page
