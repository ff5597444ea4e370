"""``plot``: what is drawn of a store, of a model, and of one beside the other."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.network import Network
from ksdp_cli.metrics import moments
from ksdp_cli.store import Header, Run, create, open_run
from ksdp_cli.views.plotting import plot

Stores = Callable[..., Run]
TWO_D: dict[str, Any] = {"flow": "ksdp:none", "kernel": "ksdp:blob", "init": "ksdp:ball"}
TWO_D |= {"mu": [1.0], "chi": [2.0], "M": [30.0], "delta2": [1e-3]}


@pytest.fixture
def store(tmp_path: Path, cloud: Callable[..., np.ndarray]) -> Stores:
    """``store("a", times=..., A=...)``: clouds scaled by 1 + t + A / 100, in 2D without flow unless said."""

    def make(
        name: str = "a", times: tuple[float, ...] = (0.0, 0.1, 0.2), dim: int = 2, J: int = 400, **swept: Any
    ) -> Run:
        kind = swept.pop("kind", "simulation")
        config = TWO_D | {"dim": dim, "J": J, "T": times[-1], "snapshots": times} | swept.pop("config", {})
        count = len(next(iter(swept.values()), (0,)))
        header = Header(kind, times, J, dim, swept, count, {"A": "flow amplitude [length / time]"}, config)
        with create(tmp_path / f"{name}.zarr", header) as writer:
            for k, t in enumerate(times):
                scale = [1 + t + a / 100 for a in swept.get("A", (0,) * count)]
                writer.write(k, np.stack([cloud(J, dim, seed=k) * np.float32(s) for s in scale]))
            writer.finish()
        return open_run(tmp_path / f"{name}.zarr")

    return make


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """An untrained network of A in 2D, with a history beside it."""
    network = Network(2, 1)
    eta_map = EtaMap(("A",), (1.0,), (100.0,), (True,))
    simulation = {"init": "ksdp:ball", "flow": "ksdp:none", "T": 0.2}
    made = Model(network, network.initial(3), eta_map, {"steps": 5}, {"simulation": simulation, "units": {"A": "flow"}})
    made.save(tmp_path / "net.safetensors")
    history = [{"step": 1, "loss": 0.5, "validation": 0.4}, {"step": 2, "loss": 0.3, "validation": None}]
    (tmp_path / "net.history.json").write_text(json.dumps({"history": history}))
    return tmp_path / "net.safetensors"


def titles(figure: Any) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.images]


def points(figure: Any) -> dict[str, list[list[float]]]:
    """Each curve by its name: points with bars, and lines."""
    axes = figure.axes[0]
    found = {bars.get_label(): bars.lines[0].get_xydata().tolist() for bars in axes.containers}
    return found | {line.get_label(): line.get_xydata().tolist() for line in axes.lines if line.get_label()[0] != "_"}


def test_snapshots_and_moments_with_equation_6(store: Stores, drawn: list[Any], tmp_path: Path) -> None:
    run = store()
    done = plot(run, out=tmp_path / "x.png")
    assert done.files == [tmp_path / "x.png", tmp_path / "x-moments.png"]
    assert titles(drawn[0]) == ["t = 0", "t = 0.1", "t = 0.2"]
    curves = points(drawn[1])
    measured = [[t, moments(run.frame(0, k)).second_moment] for k, t in enumerate(run.times)]
    assert curves["simulation (± 2 s.e.)"] == measured
    slope = 4 * 1 - 2 * 30 / (2 * np.pi) * (400 - 1) / 400  # 4 mu - chi M (J - 1) / (2 pi J)
    end = -0.5 / slope  # before the last snapshot: the law is drawn to where nothing is left
    assert end < 0.2
    np.testing.assert_allclose(curves["equation (6)"], [[0, 0.5], [end, 0]], atol=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {"flow": "ksdp:laminar2d"}},
        {"dim": 3},
        {"kind": "samples"},
        {"config": {"init": "x"}, "times": (0.1, 0.2)},
    ],
)
def test_no_law_where_equation_6_does_not_hold(
    store: Stores, drawn: list[Any], tmp_path: Path, changes: dict[str, Any]
) -> None:
    plot(store(**changes), out=tmp_path / "x.png")
    assert "equation (6)" not in points(drawn[1])


def test_a_sweep_against_its_parameter(store: Stores, drawn: list[Any], tmp_path: Path) -> None:
    run = store(times=(0.1,), A=(1.0, 10.0, 100.0))
    plot(run.path, out=tmp_path / "x.svg")
    assert titles(drawn[0]) == ["A = 1", "A = 10", "A = 100"]
    axes = drawn[1].axes[0]
    assert (axes.get_xlabel(), axes.get_xscale()) == ("A, flow amplitude [length / time]", "log")
    assert [x for x, _ in points(drawn[1])["simulation (± 2 s.e.)"]] == [1, 10, 100]


def test_the_selected_clouds_are_drawn(store: Stores, drawn: list[Any], tmp_path: Path) -> None:
    run = store(A=(1.0, 10.0), mu=(1.0, 2.0))
    done = plot(run, out=tmp_path / "x.png", A=10, t="0.1")
    assert done.files == [tmp_path / "x.png"]
    assert titles(drawn[0]) == ["A = 10, mu = 2, t = 0.1"]
    plot(run, out=tmp_path / "y.png", case=0)
    assert titles(drawn[1]) == ["t = 0", "t = 0.1", "t = 0.2"]


def test_too_many_clouds_are_thinned_and_it_is_said(store: Stores, drawn: list[Any], tmp_path: Path) -> None:
    done = plot(store(times=tuple(k / 100 for k in range(20))), out=tmp_path / "x.png")
    assert len(titles(drawn[0])) == 12
    assert titles(drawn[0])[0] == "t = 0"
    assert titles(drawn[0])[-1] == "t = 0.19"
    (note,) = done.notes
    assert "12 of 20" in note
    assert len(points(drawn[1])["simulation (± 2 s.e.)"]) == 20


def test_a_large_frame_is_thinned_and_it_is_said(
    store: Stores, drawn: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ksdp_cli.views.plotting.LARGEST", 150)
    done = plot(store(times=(0.1,)), out=tmp_path / "x.png")
    assert [axes.texts[0].get_text().split(",")[0] for axes in drawn[0].axes if axes.images] == ["N = 134"]
    (note,) = done.notes
    assert "134 of the 400" in note
    assert str(tmp_path / "a.zarr") in note


def test_a_model_alone(model: Path, drawn: list[Any], tmp_path: Path) -> None:
    done = plot(model, out=tmp_path / "x.png", n=500, A="10,130")
    assert done.files == [tmp_path / "x.png", tmp_path / "x-training.png"]
    assert titles(drawn[0]) == ["A = 10", "A = 130"]
    assert done.notes == ["A = 130 lies outside the trained range 1 to 100; the network extrapolates"]
    assert points(drawn[1])["training loss, equation (14)"] == [[1, 0.5], [2, 0.3]]
    plot(model, out=tmp_path / "y.png", n=500)
    assert titles(drawn[2]) == ["A = 100"]


def test_a_model_beside_a_store(model: Path, store: Stores, drawn: list[Any], tmp_path: Path) -> None:
    run = store(times=(0.2,), A=(1.0, 10.0, 130.0))
    done = plot(model, run, out=tmp_path / "x.png", n=500)
    assert titles(drawn[0]) == [f"A = {a}, {kind}" for a in (1, 10, 130) for kind in ("network", "simulation")]
    assert done.notes == ["A = 130 lies outside the trained range 1 to 100; the network extrapolates"]
    curves = points(drawn[1])
    network = Model.load(model)
    from ksdp_cli.initial.ball import Ball

    x = Ball().draw(500, 2, 0)  # the particles of 'ksdp sample --n 500'
    expected = [[a, moments(network.push(x, np.array([a]))).second_moment] for a in (1, 10, 130)]
    np.testing.assert_allclose(curves["network, N = 500"], expected, rtol=1e-12)
    assert any(patch.get_label() == "extrapolation" for patch in drawn[1].axes[0].patches)
    plot(model, run, out=tmp_path / "y.png", n=500, A=10)
    assert titles(drawn[2]) == ["network", "simulation"]
    plot(model, store("own", times=(0.2,), A=(10.0,), kind="clouds"), out=tmp_path / "z.png", n=500)
    assert titles(drawn[3]) == ["network", "own clouds"]


def test_two_stores(store: Stores, drawn: list[Any], tmp_path: Path) -> None:
    first, second = store("a", A=(1.0, 10.0)), store("b", times=(0.0, 0.2), A=(10.0, 100.0))
    plot(first, second, out=tmp_path / "x.png")
    assert titles(drawn[0]) == ["t = 0, a", "t = 0, b", "t = 0.2, a", "t = 0.2, b"]
    samples = store("c", times=(0.2,), A=(100.0,), kind="samples")
    plot(samples, second, out=tmp_path / "y.png")
    assert titles(drawn[1]) == ["network", "simulation"]
    assert drawn[1].get_suptitle() == "c.zarr, A = 100, t = 0.2"
    plot(samples, store("d", times=(0.2,), config={"flow_params": {"A": [100.0]}}), out=tmp_path / "z.png")
    assert drawn[2].get_suptitle() == "c.zarr, A = 100, t = 0.2"  # d.zarr has no case of A


def test_two_single_frames_are_compared_whatever_they_are(store: Stores, drawn: list[Any], tmp_path: Path) -> None:
    one, other = store("a", times=(0.1,), A=(1.0,)), store("b", times=(0.2,), A=(2.0,))
    plot(one, other, out=tmp_path / "x.png")
    assert titles(drawn[0]) == ["a", "b"]
    assert drawn[0].get_suptitle() == "a.zarr"  # they agree in nothing


def test_in_3d_there_is_every_projection(store: Stores, drawn: list[Any], tmp_path: Path) -> None:
    first, second = store("a", dim=3, A=(1.0,), times=(0.1,)), store("b", dim=3, A=(1.0,), times=(0.1,))
    plot(first, second, out=tmp_path / "x.png")
    assert len(titles(drawn[0])) == 6
    plot(first, out=tmp_path / "y.png")
    assert len(titles(drawn[1])) == 3


def test_files_are_found_a_place(store: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = store(times=(0.1,))
    assert plot(run).files == [Path("runs/a-001.png")]
    assert plot(run).files == [Path("runs/a-002.png")]
    with pytest.raises(DataError, match="--overwrite"):
        plot(run, out="runs/a-001.png")
    plot(run, out="runs/a-001.png", overwrite=True)
    Path("mine.png").write_bytes(b"\x89PNG and so on")
    with pytest.raises(DataError, match="ksdp plot"):
        plot(run, out="mine.png", overwrite=True)
    assert Path("mine.png").read_bytes() == b"\x89PNG and so on"
    assert sorted(path.name for path in Path("runs").iterdir()) == ["a-001.png", "a-002.png"]


def test_no_picture_is_written_where_one_is_in_the_way(store: Stores, tmp_path: Path) -> None:
    (tmp_path / "x-moments.png").write_text("mine")
    with pytest.raises(DataError, match=r"x-moments.png exists"):
        plot(store(), out=tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def test_subjects_that_cannot_be_plotted_are_refused(store: Stores, model: Path, tmp_path: Path) -> None:
    run = store(A=(1.0, 10.0))
    with pytest.raises(ConfigError, match=r"ends in '.bmp'"):
        plot(run, out=tmp_path / "x.bmp")
    with pytest.raises(ConfigError, match="model"):
        plot(run, model)
    with pytest.raises(ConfigError, match="A = 5"):
        plot(run, A=5)
    with pytest.raises(ConfigError, match="--n"):
        plot(run, n=100)
    with pytest.raises(ConfigError, match="n = 0"):
        plot(model, n=0)
    with pytest.raises(ConfigError, match="--A"):
        plot(model, case=0)
    with pytest.raises(ConfigError, match="'B'"):
        plot(model, B=1)
    with pytest.raises(ConfigError, match="'A'"):
        plot(model, store("b", times=(0.1,)))
    with pytest.raises(ConfigError, match="--t"):
        plot(run, store("c", times=(0.3, 0.4), A=(1.0, 10.0)))
    with pytest.raises(DataError, match=r"is no.*nothing\.zarr"):
        plot(tmp_path / "nothing.zarr")
    with pytest.raises(DataError, match=r"is no .*nothing\.safetensors"):
        plot(tmp_path / "nothing.safetensors")
    for loss in ([0.5, [1.0]], ["x"], [float("inf")], [10**400]):  # JSON that ksdp did not write
        rows = [{"step": step, "loss": value} for step, value in enumerate(loss)]
        (tmp_path / "net.history.json").write_text(json.dumps({"history": rows}))
        with pytest.raises(DataError, match="history"):
            plot(model, n=10)
    (tmp_path / "net.history.json").write_text("[]")
    with pytest.raises(DataError, match="history"):
        plot(model, n=10)
    assert not list(tmp_path.glob("*.png"))


def test_plot_on_the_command_line(model: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    ksdp = functools.partial(command, cwd=tmp_path)
    done = ksdp("plot", "net.safetensors", "--A", "10,130", "--n", "1e3", "-o", "x.pdf", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["files"] == ["x.pdf", "x-training.pdf"]
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")
    assert "A = 130" in done.stderr
    again = ksdp("plot", "net.safetensors", "-o", "x.pdf")
    assert (again.returncode, again.stdout) == (4, "")


def test_the_chemical_lies_under_the_particles(tmp_path: Path, cloud: Callable[..., np.ndarray]) -> None:
    """Contours of c at round values, through the middle of the cloud in 3D; the limits are those of the particles."""
    from ksdp_cli.figures import Field, histogram_sheet
    from ksdp_cli.figures._field import levels_of
    from ksdp_cli.store.field_grid import FieldGrid

    axes = FieldGrid(20, (-2.0, -1.0, 0.0), 4.0).axes()
    x, y, z = np.meshgrid(*axes, indexing="ij")
    values = (x + 10 * y + 100 * z).astype(np.float32)
    some = cloud(500, 3, seed=1) + np.float32([0.0, 1.0, 2.0])
    section = Field(axes, values).section((2, 1), some)
    assert section.caption == "contours: c at x = -0.1"
    np.testing.assert_allclose(section.values, (x + 10 * y + 100 * z)[9].T, rtol=1e-6)
    levels = levels_of([section])
    assert levels[0] <= section.values.min() < section.values.max() <= levels[-1]
    nearly = Field(axes[:2], np.exp(-(x**2) - y**2)[:, :, 0] - 1e-4).section((0, 1), some[:, :2])
    assert levels_of([nearly])[0] == 0.0  # no line where c vanishes
    for field in (Field(axes, values), Field(axes, np.zeros_like(values))):
        histogram_sheet([("a", some)], tmp_path / "a.png", fields=[field])
    flat = Field(axes[:2], values[:, :, 0])
    histogram_sheet([("a", some[:, :2]), ("b", some[:, :2])], tmp_path / "b.svg", fields=[flat, None])
    assert "c</text>" in (tmp_path / "b.svg").read_text() or (tmp_path / "b.svg").stat().st_size > 2e4


def test_a_store_with_c_is_drawn_and_reported_with_it(tmp_path: Path) -> None:
    import ksdp_cli as ksdp

    run = ksdp.simulate(J=300, T=2e-3, dt=1e-3, snapshots=[0, 2e-3], store_field=9, out=tmp_path / "a.zarr")
    bare = ksdp.simulate(J=300, T=2e-3, dt=1e-3, snapshots=[0, 2e-3], out=tmp_path / "b.zarr")
    pictures = [plot(one, out=tmp_path / f"{i}.png").files[0].read_bytes() for i, one in enumerate((run, bare))]
    assert pictures[0] != pictures[1]
    page = ksdp.report(tmp_path / "a.zarr", out=tmp_path / "a.html").path.read_text()
    assert "largest c" in page
    assert "contours of the chemical" in page
    assert "largest c" not in ksdp.report(tmp_path / "b.zarr", out=tmp_path / "b.html").path.read_text()
