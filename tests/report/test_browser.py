"""The page as a reader meets it: it draws, it moves, and its numbers are those of `ksdp sample`."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

import ksdp_cli as ksdp
from ksdp_cli import pretrained as models
from ksdp_cli.api import paths
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.forms import FORMS
from ksdp_cli.learning.network.network import Network
from ksdp_cli.learning.units import Units

from .conftest import Opened

Visit = Callable[..., Opened]
KINDS = ("model 2D", "model 3D", "run 2D", "run 3D")
#: What the others show too is slow: the second model of t in 2D, and the form of network that the shipped ones have.
SHIPPED = [pytest.param(name, marks=[pytest.mark.slow] if name == "ks2d-time" else []) for name in models.names()]
FORM_AND_LOG = [
    pytest.param(form, log, marks=[] if (form, log) in {("paper", True), ("residual", False)} else [pytest.mark.slow])
    for form in FORMS
    for log in (False, True)
]


def colours(png: bytes) -> int:
    return len(np.unique(np.round(imread(io.BytesIO(png))[..., :3] * 31).reshape(-1, 3), axis=0))


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_loads_without_messages_and_draws(kind: str, pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages[kind])
    opened.few()
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("data:", pages[kind].resolve().as_uri()))] == []
    panes = opened.page.locator("canvas").count()
    assert panes == (2 if kind.startswith("model") else 1)
    for number in range(panes):
        assert colours(opened.picture(number)) > 20
    assert opened.page.locator(".fallback").is_hidden()


@pytest.mark.parametrize("name", SHIPPED)
def test_positions_are_those_of_sample(name: str, page_of: Callable[[str], Path], visit: Visit, tmp_path: Path) -> None:
    """Of every model that ships, at the ends of what was trained, between them and beyond."""
    model = Model.load(paths.existing(name))
    names, lows, highs = model.eta_map.names, model.eta_map.low, model.eta_map.high
    opened = visit(page_of(name))
    opened.few(3000)
    for number, part in enumerate((None, 0.375, 1.3)):
        ends = zip(names, lows, highs, strict=True)
        at = {name: low if part is None else round(part * high, 4) for name, low, high in ends}
        opened.tell("(at) => ksdp.set(at)", at)
        sampled = ksdp.sample(paths.existing(name), n=3000, out=tmp_path / f"{number}.zarr", **at).frame(0, 0)
        # either side rounds to single precision: 4 to 8e-6 in the steepest networks, more beyond coordinates of 10
        allowed = 1e-5 * max(1.0, float(np.abs(sampled).max()) / 10)
        assert np.abs(np.reshape(opened.positions(), sampled.shape) - sampled).max() < allowed
        told = opened.page.locator("#command").text_content()
        words = " ".join(f"--{parameter} {str(value).removesuffix('.0')}" for parameter, value in at.items())
        assert told == f"ksdp sample {name} {words} --n 3000 --seed 0"


@pytest.mark.parametrize(("form", "log"), FORM_AND_LOG)
def test_every_form_of_network(form: str, log: bool, make: Callable[..., Path], visit: Visit, folder: Path) -> None:
    """Random weights, larger than trained ones, so that all of tanh is used; two parameters where the form has them.

    Every other network sees source and clouds in units of their own.
    """
    names = ("A",) if form == "separable" and not log else ("A", "t")
    ends = EtaMap(names, (1.0, 0.0)[: len(names)], (100.0, 0.1)[: len(names)], (log, False)[: len(names)])
    shape, shipped = Network(2 + log, len(names), form), Model.load(paths.existing("laminar2d-amplitude"))
    file = folder / f"{form}-{log}.safetensors"
    units = [Units(length, (-length,) * shape.dim) for length in (0.5, 4.0)] if log else []
    Model(shape, 2 * shape.initial(5), ends, shipped.training, shipped.provenance, None, *units).save(file)
    opened = visit(make(file, file.stem))
    opened.few(1000)
    values = {"A": 130.0, "t": 0.03} if len(names) == 2 else {"A": 130.0}
    opened.tell("(values) => ksdp.set(values)", values)
    expected = Model.load(file).push(Ball().draw(1000, shape.dim, 0), np.array(list(values.values())))
    allowed = 1e-5 * max(1.0, float(np.abs(expected).max()) / 4)
    assert np.abs(np.reshape(opened.positions(), expected.shape) - expected).max() < allowed


@pytest.mark.parametrize(("kind", "dim"), [("model 2D", 2), ("model 3D", 3)])
def test_the_initial_cloud_is_drawn_in_the_page(kind: str, dim: int, pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages[kind])
    for seed in (0, 0x0123456789ABCDEF):
        opened.tell("(key) => { ksdp.network.inputs.key = key; ksdp.resize(500); }", [seed & 0xFFFFFFFF, seed >> 32])
        drawn = opened.tell("() => Array.from(ksdp.painter.read(ksdp.generator.input, 500))")
        assert np.abs(np.reshape(drawn, (500, 3))[:, :dim] - Ball().draw(500, dim, seed)).max() < 2e-7


@pytest.mark.parametrize("kind", [pytest.param("model 2D", marks=pytest.mark.slow), "model 3D"])
def test_the_slider_moves_the_cloud(kind: str, pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages[kind])
    opened.few()
    before, seen = np.array(opened.positions()), opened.picture()
    slider = opened.page.get_by_role("slider", name=re.compile("^A"))
    slider.press("Home")
    after = np.array(opened.positions())
    assert np.abs(after - before).max() > 0.1
    assert opened.picture() != seen
    assert opened.page.get_by_label("A, exact value").input_value() == "1"
    slider.press("End")  # beyond what was trained, and the page says so
    assert "extrapolation: trained on A = 1 to 100" in opened.page.locator(".note").first.inner_text()


def test_a_number_may_be_typed_and_a_wrong_one_is_refused(pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages["model 2D"])
    opened.few()
    field = opened.page.get_by_label("A, exact value")
    field.fill("12.345")
    field.press("Enter")
    assert opened.tell("() => ksdp.at.A") == 12.345
    field.fill("-3")
    field.press("Enter")
    assert opened.tell("() => ksdp.at.A") == 12.345
    assert field.get_attribute("aria-invalid") == "true"


def test_the_nearest_simulation_stands_beside_the_network(pages: dict[str, Path], deep_run: Path, visit: Visit) -> None:
    opened = visit(pages["model 3D"])
    opened.few()
    caption = opened.page.locator("figcaption").nth(1)
    assert "nearest" not in caption.inner_text()
    opened.tell("() => ksdp.set({ A: 12 })")
    assert "A = 10, 500 particles, the nearest that is stored" in caption.inner_text()
    frame = ksdp.open_run(deep_run).frame(0, 0)
    shown = np.reshape(opened.tell("() => Array.from(ksdp.frame.cloud)"), (-1, 3))
    assert np.abs(shown - frame).max() <= np.ptp(frame, axis=0).max() / 65535
    opened.tell("() => ksdp.ready()")
    cells = opened.page.locator("#moments td").all_inner_texts()
    second = float(np.einsum("ij,ij->i", frame, frame, dtype=np.float64).mean())
    assert any(cell.startswith(f"{second:.4g}".rstrip("0")) for cell in cells)


def test_time_and_case_of_a_run(pages: dict[str, Path], flat_run: Path, visit: Visit) -> None:
    opened = visit(pages["run 2D"])
    opened.few()
    run = ksdp.open_run(flat_run)
    opened.page.get_by_role("slider", name=re.compile("^A")).press("Home")
    opened.page.get_by_role("slider", name=re.compile("^t")).press("Home")
    opened.page.get_by_role("slider", name=re.compile("^t")).press("ArrowRight")
    frame = run.frame(0, 1)
    assert np.abs(np.reshape(opened.positions(), frame.shape) - frame).max() <= np.ptp(frame, axis=0).max() / 65535
    seen = opened.picture()
    opened.page.get_by_role("button", name="Play").click()
    opened.wait("() => ksdp.at.t === 0.02")
    assert opened.picture() != seen


@pytest.mark.parametrize("kind", [pytest.param("run 2D", marks=pytest.mark.slow), "run 3D"])
def test_mouse_and_keys_move_the_view(kind: str, pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages[kind])
    opened.few()
    pane = opened.page.locator("canvas").first
    pictures = [opened.picture()]
    box = pane.bounding_box()
    opened.page.mouse.move(box["x"] + 200, box["y"] + 150)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + 260, box["y"] + 190, steps=3)
    opened.page.mouse.up()
    pictures.append(opened.picture())
    for key in ("ArrowLeft", "+"):
        pane.press(key)
        pictures.append(opened.picture())
    assert len(set(pictures)) == 4
    pane.press("0")
    assert opened.picture() == pictures[0]


def test_a_view_that_moves_may_be_coarse_and_is_fine_at_rest(pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages["model 3D"])
    opened.few(40_000)
    before, size = opened.picture(), opened.tell("() => ksdp.painter.size")
    moving = opened.tell("() => { ksdp.coarse = 4; ksdp.turned(); ksdp.draw(); return ksdp.painter.size; }")
    assert np.abs(np.array(size) / 4 - moving).max() <= 0.5  # pixels
    assert opened.picture() == before


def test_a_stored_initial_cloud_is_carried_along(
    flat_run: Path, make: Callable[..., Path], visit: Visit, folder: Path
) -> None:
    shipped = Model.load(paths.existing("laminar2d-amplitude"))
    cloud = ksdp.simulate(flow="laminar2d", A=3, J=300, T=1e-3, dt=1e-3, out=folder / "start.zarr").path
    simulation = shipped.provenance["simulation"] | {"init": str(cloud)}
    file = folder / "warm.safetensors"
    provenance = shipped.provenance | {"simulation": simulation}
    Model(shipped.network, shipped.theta, shipped.eta_map, shipped.training, provenance).save(file)
    opened = visit(make(file, "warm"))
    opened.wait("() => document.documentElement.dataset.drawn === 'yes'")
    opened.tell("() => ksdp.set({ A: 20 })")
    sampled = ksdp.sample(file, n=300, A=20, out=folder / "warm-samples.zarr").frame(0, 0)
    assert np.abs(np.reshape(opened.positions(), sampled.shape) - sampled).max() < 1e-5


def test_without_webgl_the_page_says_so_and_the_rest_works(pages: dict[str, Path], visit: Visit) -> None:
    blind = "HTMLCanvasElement.prototype.getContext = () => null;"
    opened = visit(pages["model 2D"], before=blind)
    assert opened.page.locator(".fallback").is_visible()
    assert "no WebGL 2" in opened.page.locator(".fallback").inner_text()
    assert opened.page.locator("#controls").is_hidden()
    assert opened.page.locator("img").count() >= 2
    assert opened.said == []


def test_without_javascript_the_page_says_so(pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages["run 3D"], java_script_enabled=False)
    assert opened.page.locator(".fallback").is_visible()


@pytest.mark.parametrize("kind", ["model 2D", "run 2D"])
def test_every_control_has_a_name(kind: str, pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages[kind])
    opened.few()
    nameless = """() => [...document.querySelectorAll("input, select, button, canvas, img")]
      .filter((one) => !one.labels?.length && !one.ariaLabel && !one.textContent.trim() && !one.alt)
      .map((one) => one.outerHTML)"""
    assert opened.tell(nameless) == []


def test_the_address_holds_parameters_and_view(pages: dict[str, Path], visit: Visit) -> None:
    """What one reader has chosen is what another sees at the same address."""
    first = visit(pages["model 3D"])
    first.few()
    first.tell("async () => { ksdp.set({ A: 42 }); ksdp.look(() => ksdp.camera.turn(25, 5)); await ksdp.ready(); }")
    address = first.tell("() => location.hash")
    assert address.startswith("#A=42&view=")
    second = visit(pages["model 3D"], before=f"history.replaceState(null, '', '{address}')")
    second.few()
    for told in ("ksdp.at.A", "ksdp.camera.azimuth", "ksdp.camera.elevation", "ksdp.camera.half"):
        assert second.tell(told) == pytest.approx(first.tell(told), rel=1e-4)
    assert second.tell("ksdp.knobs[0].row.querySelector('input[type=text]').value") == "42"


def test_an_address_of_something_else_does_no_harm(pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages["run 2D"], before="history.replaceState(null, '', '#A=7&view=1,2,x&t=nan&z=1')")
    opened.few()
    assert opened.said == []
    assert opened.tell("ksdp.at.A") in (10, 100)


def test_the_first_view_holds_the_slider_s_end(pages: dict[str, Path], visit: Visit) -> None:
    """At the furthest value all but a hundredth of the particles lie in the picture."""
    opened = visit(pages["model 2D"])
    opened.few(4000)
    opened.tell("async () => { ksdp.set({ A: ksdp.controls[0].to }); await ksdp.ready(); }")
    x = np.array(opened.positions()).reshape(-1, 2)
    (left, right), (low, high) = opened.tell("ksdp.camera.extent")
    inside = (x[:, 0] >= left) & (x[:, 0] <= right) & (x[:, 1] >= low) & (x[:, 1] <= high)
    assert inside.mean() > 0.99


def test_on_a_phone_the_slider_is_in_sight(pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages["model 2D"])
    opened.page.set_viewport_size({"width": 380, "height": 700})
    opened.few()
    box = opened.page.locator("#set-A").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 700


def test_the_bar_is_labelled_along_the_square_root(pages: dict[str, Path], visit: Visit) -> None:
    opened = visit(pages["run 2D"])
    opened.few()
    low, middle, top = (float(text) for text in opened.page.locator(".ticks span").all_inner_texts())
    assert low == 0
    assert middle == pytest.approx(top / 4, rel=1e-3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(
    pages: dict[str, Path], visit: Visit, scheme: str, violations: Callable[[object], list[object]]
) -> None:
    opened = visit(pages["model 2D"], color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    opened.few()
    assert violations(opened.page) == []
