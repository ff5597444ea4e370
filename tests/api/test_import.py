"""Clouds of the user's own become a store: from arrays and from every kind of file, and are learned from there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

import ksdp_cli as ksdp
from ksdp_cli.api import training
from ksdp_cli.api.importing import import_files
from ksdp_cli.api.own_files import read_cloud
from ksdp_cli.errors import ConfigError, DataError, Interrupted, KsdpWarning
from ksdp_cli.metrics import exact_w2_squared


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def normal(n: int, dim: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def vtk(x: np.ndarray, binary: bool) -> bytes:
    """A legacy VTK file of points, its third coordinate 0 in the plane."""
    points = np.concatenate([x, np.zeros((len(x), 3 - x.shape[1]))], 1).astype(">f4")
    head = f"# vtk DataFile Version 3.0\nown\n{'BINARY' if binary else 'ASCII'}\nDATASET POLYDATA\n"
    text = points.tobytes() if binary else "\n".join(" ".join(repr(float(v)) for v in row) for row in points).encode()
    return head.encode() + f"POINTS {len(x)} float\n".encode() + text + b"\nVERTICES 0 0\n"


def _table(x: np.ndarray, path: Path) -> None:
    import pandas

    rows = {"id": np.arange(len(x)), **dict(zip("xyz", x.T, strict=False))}
    frame = pandas.DataFrame(rows)
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)


def _labelled(x: np.ndarray, path: Path) -> None:
    dataset = xarray.Dataset({"position": (("particle", "axis"), x)})
    dataset.to_zarr(path, consolidated=False) if path.suffix == ".zarr" else dataset.to_netcdf(path, engine="h5netcdf")


WRITERS: dict[str, Callable[[np.ndarray, Path], Any]] = {
    ".npy": lambda x, path: np.save(path, x),
    ".npz": lambda x, path: np.savez(path, position=x),
    ".csv": _table,
    ".parquet": _table,
    ".nc": _labelled,
    ".zarr": _labelled,
    ".vtk": lambda x, path: path.write_bytes(vtk(x, binary=len(x) % 2 == 0)),
}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(("n", "dim"), [(30, 2), (31, 3)])
def test_every_kind_of_file_gives_its_cloud(suffix: str, n: int, dim: int) -> None:
    x, path = normal(n, dim), Path(f"cloud{suffix}")
    WRITERS[suffix](x, path)
    np.testing.assert_array_equal(read_cloud(path).astype(np.float32), x)
    run = import_files([path], {"A": 3, "t": "0.02"}, out="data.zarr")
    assert (run.kind, run.cases, run.times.tolist()) == ("clouds", [{"A": 3.0}], [0.02])
    np.testing.assert_array_equal(run.frame(), x)


@pytest.mark.parametrize("suffix", [".npz", ".nc", ".vtkhdf", ".csv", ".parquet"])
def test_what_export_wrote_comes_back(suffix: str) -> None:
    from ksdp_cli.api.exporting import export

    run = ksdp.clouds({1.0: normal(20)}, names=["A"], out="a.zarr")
    export(run.path, f"b{suffix}")
    np.testing.assert_array_equal(import_files([f"b{suffix}"], {"A": 1}, out="c.zarr").frame(), run.frame())


def test_clouds_of_different_sizes_are_cut_to_the_smallest_and_that_is_said() -> None:
    given, said = {(1.0,): normal(50), (10.0,): normal(80, seed=1)}, []
    run = ksdp.clouds(given, names=["A"], out="a.zarr", warn=said.append)
    assert (run.J, run.cases) == (50, [{"A": 1.0}, {"A": 10.0}])
    np.testing.assert_array_equal(run.frame(0), given[1.0,])
    rows = {tuple(row) for row in given[10.0,].tolist()}
    kept = [tuple(row) for row in run.frame(1).tolist()]
    assert set(kept) <= rows
    assert len(set(kept)) == 50
    assert "50 to 80" in said[0]
    with pytest.warns(KsdpWarning, match="50 to 80"):
        again = ksdp.clouds(given, names=["A"], out="b.zarr")
    np.testing.assert_array_equal(again.frame(1), run.frame(1))


def test_times_and_parameters_make_a_grid() -> None:
    given = {(t, A): normal(9, seed=int(10 * A + 100 * t)) for A in (1.0, 2.0) for t in (0.1, 0.3)}
    run = ksdp.clouds(given, names=["t", "A"], out="a.zarr")
    assert run.times.tolist() == [0.1, 0.3]
    for (t, A), x in given.items():
        np.testing.assert_array_equal(run.frame(*run.find(t=t, A=A)), x)
    del given[0.3, 2.0]
    with pytest.raises(DataError, match=r"A = 2, t = 0\.3"):
        ksdp.clouds(given, names=["t", "A"], out="b.zarr")


def test_a_source_of_points_travels_with_the_store_and_the_model(tmp_path: Path) -> None:
    """The points lie beside the store, move with it, and are all that the model draws from."""
    source = normal(40, seed=7)
    data = ksdp.clouds({A: normal(200, seed=A) + A for A in (1, 2, 3)}, names=["A"], source=source, out="a.zarr")
    assert data.config["init"] == "a.source.npy"
    found = ksdp.train(data, steps=3, N=50, validate_every=3, out="m.safetensors")
    assert found.trained.model.training["held_out"] == 0.1  # of simulated clouds, which can be made again, a fifth
    np.testing.assert_array_equal(found.trained.model.source, source)
    with pytest.warns(KsdpWarning, match="40 points"):
        drawn = ksdp.sample("m.safetensors", n=80, A=2, out="s.zarr").frame()
    image = found.trained.model.push(source, [2.0])
    assert {tuple(row) for row in drawn.tolist()} == {tuple(row) for row in image.tolist()}
    np.save("a.source.npy", source + 1)
    with pytest.raises(ConfigError, match="particles"):
        ksdp.train(data, steps=3, N=50, out="n.safetensors")


def test_training_on_arrays_holds_out_a_tenth() -> None:
    family = {"position": np.stack([normal(200, seed=A) + A for A in (1, 2)]), "A": np.array([1.0, 2.0])}
    found = ksdp.train(family, steps=1, N=50, out="m.safetensors")
    assert found.trained.model.training["held_out"] == 0.1


def test_an_older_training_goes_on_with_the_fifth_that_it_holds_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checkpoint's identity has no number for it, as before own clouds had a default of their own."""
    data = ksdp.clouds({A: normal(200, seed=A) + A for A in (1, 2)}, names=["A"], out="a.zarr")
    options: dict[str, Any] = {"steps": 6, "N": 50, "validate_every": 6}
    whole = ksdp.train(data, held_out=0.2, out="whole.safetensors", **options)
    for out in ("m.safetensors", None):
        monkeypatch.setattr(training, "OWN_HELD_OUT", None)
        polls = iter([None] * 3)
        with pytest.raises(Interrupted):
            ksdp.train(data, out=out, stop=lambda left=polls: next(left, 15), **options)
        monkeypatch.setattr(training, "OWN_HELD_OUT", 0.1)
        found = ksdp.train(data, out=out, resume=True, **options)
        assert found.trained.model.training["held_out"] is None
        np.testing.assert_array_equal(found.trained.model.theta, whole.trained.model.theta)


def test_four_lines_from_files_to_a_compared_sample(capsys: pytest.CaptureFixture[str]) -> None:
    from ksdp_cli.cli.assembly import app

    for k in range(4):
        np.save(f"c{k}.npy", normal(200, seed=k) * (1 + k))
    for line in (
        "import c0.npy c1.npy c2.npy c3.npy --width 1,2,3,4 -o data.zarr",
        "train data.zarr --steps 20 --N 100 -o m.safetensors",
        "sample m.safetensors --width 3 --n 200 -o new.zarr",
        "compare new.zarr data.zarr --width 3 --metrics w2 --json",
    ):
        app(line.split(), standalone_mode=False)
    assert '"w2_squared"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "parameters", "options", "error", "said"),
    [
        (2, {}, {}, ConfigError, "2 files.* 1 value;"),
        (2, {"A": "1,2,3"}, {}, ConfigError, "--A.* 3 .* 2 "),
        (2, {"A": "1,1"}, {}, ConfigError, "2 files.* 1 value;"),
        (1, {"A": 1}, {"source": "nothing.npy"}, DataError, "nothing.npy"),
        (1, {"position": 1}, {}, ConfigError, "'position'"),
    ],
)
def test_values_that_do_not_fit_are_refused_and_leave_no_store(
    files: int, parameters: dict[str, Any], options: dict[str, Any], error: type[Exception], said: str
) -> None:
    for k in range(files):
        np.save(f"c{k}.npy", normal(5, seed=k))
    with pytest.raises(error, match=said):
        import_files([f"c{k}.npy" for k in range(files)], parameters, out="data.zarr", **options)
    assert not Path("data.zarr").exists()


@pytest.mark.parametrize(
    ("content", "suffix"),
    [(b"# vtk DataFile Version 3.0\n", ".vtk"), (b"junk", ".vtkhdf"), (b"junk", ".parquet"), (b"a,b\n", ".csv"),
     (b"junk", ".nc"), (b"junk", ".npy"), (b"POINTS 9 float\n1 2", ".vtk")],
)  # fmt: skip
def test_a_damaged_file_is_one_line(content: bytes, suffix: str) -> None:
    Path(f"c{suffix}").write_bytes(content)
    with pytest.raises(DataError, match=f"c{suffix}"):
        read_cloud(Path(f"c{suffix}"))


def test_clouds_that_are_none_or_differ_in_dimension() -> None:
    with pytest.raises(DataError, match="no clouds"):
        ksdp.clouds({}, names=["A"])
    with pytest.raises(DataError, match="2 and 3 dimensions"):
        ksdp.clouds({1: normal(5), 2: normal(5, 3)}, names=["A"])
    with pytest.raises(DataError, match=r"source .* 3 .* 2"):
        ksdp.clouds({1: normal(5)}, names=["A"], source=normal(5, 3))
    with pytest.raises(ConfigError, match="--source"):
        ksdp.clouds({1: normal(5, 1)}, names=["A"])
    with pytest.raises(DataError, match="float32"):
        ksdp.clouds({1: np.full((5, 2), 1e300)}, names=["A"])


def test_one_cloud_alone_is_learned() -> None:
    """Its parameter is its time, of one value; x -> x + 2 is nearer than the source by a factor 10."""
    source = normal(1000, seed=3)
    np.save("one.npy", source / 2 + 2)  # the law gaussian has the width 1 / 2
    data = import_files(["one.npy"], {}, source="gaussian", out="a.zarr")
    found = ksdp.train(data, steps=500, N=200, validate_every=500, out="m.safetensors")
    assert found.trained.model.eta_map.names == ("t",)
    made = ksdp.sample("m.safetensors", n=1000, out="s.zarr")
    wanted, before = source / 2 + 2, normal(1000) / 2
    assert exact_w2_squared(made.frame(), wanted) < 0.1 * exact_w2_squared(before, wanted)
    told = ksdp.compare(made, data, metrics="w2").comparison
    assert told.w2_squared < 1


def test_one_dimension_is_learned_too() -> None:
    """x -> gap + x of a uniform source: nearer to the image at an untrained gap than to the source by a factor 10."""
    source = np.random.default_rng(0).random((1000, 1))
    data = ksdp.clouds({gap: source + gap for gap in (0.0, 1.0, 2.0)}, names=["gap"], source=source, out="a.zarr")
    ksdp.train(data, steps=150, N=200, validate_every=150, out="m.safetensors")
    made = ksdp.sample("m.safetensors", n=1000, gap=1.5, out="s.zarr").frame()
    assert exact_w2_squared(made, source + 1.5) < 0.1 * exact_w2_squared(made, source)


def test_clouds_smaller_than_n_are_learned_with_all_that_train() -> None:
    given = {(1.0,): normal(40, seed=1), (2.0,): normal(40, seed=2)}
    ksdp.clouds(given, names=["A"], source=normal(40, seed=3), out="few.zarr")
    with pytest.warns(KsdpWarning, match="N = 36"):
        done = ksdp.train("few.zarr", steps=2, out="few.safetensors")
    assert "--N 36 " in done.trained.model.provenance["command"]
    with pytest.raises(ConfigError, match="N = 37"):
        ksdp.train("few.zarr", steps=2, N=37)


def test_the_page_of_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    """Its Python as it stands, then its shell, made small."""
    from ksdp_cli.cli.assembly import app

    page = (Path(__file__).parents[2] / "docs" / "own_clouds.md").read_text()
    shell, python, tracks = (
        page.split(f"```{language}\n")[number].split("```")[0]
        for language, number in (("sh", 1), ("python", 1), ("python", 2))
    )
    space: dict[str, Any] = {}
    exec(python, space)
    assert space["run"].cases == [{"width": width} for width in (1.0, 2.0, 3.0, 4.0)]
    Path("tracks.csv").write_text("particle,frame,x,y\n1,0,1.5,2\n2,0,3,4\n1,1,1,2\n2,1,3,4.5\n")
    exec(tracks, space)
    assert (space["run"].times.tolist(), space["run"].frame(0, 1).tolist()) == ([0, 1], [[1, 2], [3, 4.5]])
    for k, cloud in enumerate(space["family"].values()):
        np.save(f"c{k}.npy", cloud)
    np.save("initial.npy", space["initial"])
    small = {"import": ["--overwrite"], "train": ["--steps", "5"], "sample": ["--n", "50"]}
    for line in shell.splitlines():
        words = [word for word in line.split()[1:] if word not in ("--n", "1e5")]
        assert app([*words, *small.get(words[0], [])], standalone_mode=False) in (0, None), line
    assert "own.safetensors against data.zarr" in capsys.readouterr().out
