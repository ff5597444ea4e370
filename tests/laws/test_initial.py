"""The initial clouds that ship: contract, moments, shapes; parameters by name from command line, API and store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli
from ksdp_cli.base import rng
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.initial.annulus import Annulus
from ksdp_cli.initial.ball import Ball
from ksdp_cli.initial.collapse import CollapsingCloud
from ksdp_cli.initial.density import Density
from ksdp_cli.initial.gaussian import Gaussian
from ksdp_cli.initial.mixture import Mixture
from ksdp_cli.initial.self_similar import SelfSimilarCloud
from ksdp_cli.particles.problem import pose
from ksdp_cli.testing import check_initial_cloud

LAWS: list[tuple[Any, dict[str, Any]]] = [
    (Ball, {}), (Ball, {"radius": 3.0, "x0": 1.0, "y0": -2.0}), (Gaussian, {}), (Gaussian, {"width": 2.0, "y0": 1.0}),
    (Annulus, {}), (Annulus, {"inner": 0.0, "outer": 2.0, "x0": 5.0}), (Mixture, {}), (Mixture, {"bumps": 4}),
    (SelfSimilarCloud, {"inertia": 1.0}), (SelfSimilarCloud, {"pull": 20.0}), (CollapsingCloud, {}),
]  # fmt: skip


@pytest.mark.parametrize(("law", "values"), LAWS)
def test_shipped_clouds_keep_the_contract_and_their_second_moment(law: Any, values: dict[str, Any]) -> None:
    check_initial_cloud(law, values)


def test_a_wrong_second_moment_is_named() -> None:
    class Wrong(Ball):
        def second_moment(self, dim: int) -> float:
            return 0.9

    with pytest.raises(AssertionError, match=r"Wrong\.second_moment"):
        check_initial_cloud(Wrong)


def drawn(init: str, dim: int = 2, n: int = 20_000, **values: Any) -> Any:
    problem = pose({"init": init, "dim": dim, **values})
    return problem.initial.draw(n, dim, 3).astype(np.float64)


def test_shapes() -> None:
    """A ring, a tetrahedron, and the mass of the collapse within a radius, whose fraction has s.e. below 0.004."""
    r = np.hypot(*drawn("annulus", inner=0.5, outer=2.0).T)
    assert r.min() >= 0.5
    assert r.max() <= 2.0
    corners = drawn("mixture", dim=3, bumps=4, distance=np.sqrt(3.0), width=0.01)
    assert {tuple(row) for row in np.round(corners).astype(int)} == {
        (1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)
    }  # fmt: skip
    law = CollapsingCloud(CollapsingCloud.Params.model_validate({}))
    within = (np.linalg.norm(drawn("collapse", dim=3), axis=1) < 0.5).mean()
    assert within == pytest.approx(float(law.solution.mass_within(0.5, 0.0)) / law.solution.M, abs=5 * 0.004)


def test_a_grid_is_drawn_cell_by_cell(tmp_path: Path) -> None:
    """Fractions of four cells to 5 s.e. of 20 000 particles; [x, y]; the cells are as wide as the extent says."""
    weights = np.array([[1.0, 2.0], [0.0, 5.0]])
    np.save(tmp_path / "g.npy", weights)
    x = drawn("density", grid=str(tmp_path / "g.npy"), extent=4.0, x0=1.0)
    assert np.abs(x - [1.0, 0.0]).max() <= 2.0
    right, up = x[:, 0] > 1.0, x[:, 1] > 0.0
    found = [[(~right & ~up).mean(), (~right & up).mean()], [(right & ~up).mean(), (right & up).mean()]]
    np.testing.assert_allclose(found, weights / 8, atol=5 * 0.0035)
    check_initial_cloud(Density, {"grid": str(tmp_path / "g.npy"), "x0": 1.0})


def test_an_image_is_dense_where_it_is_dark_and_y_points_up(tmp_path: Path) -> None:
    from matplotlib.image import imsave

    pixels = np.ones((8, 8))
    pixels[0, 7] = 0.0  # the upper right corner
    imsave(tmp_path / "dot.png", pixels, cmap="gray", vmin=0, vmax=1)
    x = drawn("density", grid=str(tmp_path / "dot.png"))
    assert x.min() >= 0.75
    assert x.max() <= 1.0


def test_classic_netcdf(tmp_path: Path) -> None:
    from scipy.io import netcdf_file

    with netcdf_file(tmp_path / "g.nc", "w") as file:
        for name in "xyz":
            file.createDimension(name, 2)
        file.createVariable("rho", "f8", ("x", "y", "z"))[:] = np.eye(2)[:, :, None] * [0.0, 1.0]
    x = drawn("density", dim=3, grid=str(tmp_path / "g.nc"))
    assert (x[:, 2] >= 0).all()
    assert (x[:, 0] * x[:, 1] >= 0).all()


def corner(path: Path, names: str = "xy", **axes: Any) -> str:
    """A file with all mass in the cell of largest x and smallest y, stored as whole numbers of 0.01 above -3."""
    from scipy.io import netcdf_file

    full = np.zeros((3, 2))
    full[2, 0] = 1.0
    values = full.T if names[0] == "y" else full
    for axis, name in enumerate(names):
        if name in axes and axes[name][0] > axes[name][-1]:
            values = np.flip(values, axis)
    with netcdf_file(path, "w") as file:
        for name, length in zip(names, values.shape, strict=True):
            file.createDimension(name, length)
            if name in axes:
                file.createVariable(name, "f8", (name,))[:] = axes[name]
        rho = file.createVariable("rho", "i2", tuple(names))
        rho[:] = np.round((values + 3.0) / 0.01)
        rho.scale_factor, rho.add_offset = 0.01, -3.0
    return str(path)


@pytest.mark.parametrize(
    ("names", "axes"), [("xy", {}), ("yx", {}), ("yx", {"y": [1.0, 0.0]}), ("xy", {"x": [3, 2, 1.0], "y": [5, 6.0]})]
)
def test_netcdf_is_read_by_its_names_coordinates_and_scale(tmp_path: Path, names: str, axes: dict[str, Any]) -> None:
    x = drawn("density", grid=corner(tmp_path / "g.nc", names, **axes), extent=3.0)
    assert (x[:, 0] >= 0.5).all()
    assert (x[:, 1] <= 0.0).all()


@pytest.mark.parametrize(("names", "axes"), [("ty", {}), ("xy", {"x": [0, 1, 2], "y": [0, 2]})])
def test_netcdf_with_other_axes_or_flat_cells_is_refused(tmp_path: Path, names: str, axes: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"g\.nc"):
        drawn("density", grid=corner(tmp_path / "g.nc", names, **axes))


def described(path: Path, values: Any, **coordinates: tuple[Any, dict[str, str]]) -> str:
    """A file with the array ``values`` over dimensions with these coordinates and attributes."""
    from scipy.io import netcdf_file

    with netcdf_file(path, "w") as file:
        for (name, (nodes, attributes)), length in zip(coordinates.items(), np.shape(values), strict=True):
            file.createDimension(name, length)
            if nodes is not None:
                one = file.createVariable(name, "f8", (name,))
                one[:] = nodes
                for attribute, text in attributes.items():
                    setattr(one, attribute, text)
        file.createVariable("rho", np.asarray(values).dtype, tuple(coordinates))[:] = values
    return str(path)


LOWER = [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    "axes",
    [
        {"lat": (None, {}), "lon": (None, {})},
        {"Latitude": ([5, 6], {}), "Longitude": ([1, 2, 3], {})},
        {"a": ([5, 6], {"axis": "Y"}), "b": ([1, 2, 3], {"axis": "X"})},
        {"n": ([5, 6], {"standard_name": "projection_y_coordinate"}), "lon": (None, {})},
    ],
)
def test_netcdf_says_its_axes_by_geography_and_attributes(tmp_path: Path, axes: dict[str, Any]) -> None:
    """Rows are y: all mass at the largest x and the smallest y, of 3 x 2 cells of side 1."""
    x = drawn("density", grid=described(tmp_path / "g.nc", LOWER, **axes), extent=3.0)
    assert (x[:, 0] >= 0.5).all()
    assert (x[:, 1] <= 0.0).all()


def test_axes_without_names_are_told(tmp_path: Path) -> None:
    grid = described(tmp_path / "g.nc", LOWER, i=(None, {}), j=(None, {}))
    told: list[str] = []
    options: dict[str, Any] = {"init": "density", "J": 20, "T": 1e-3, "grid": grid}
    ksdp_cli.simulate(**options, out=tmp_path / "a.zarr", warn=told.append)
    assert ["'i' as x, 'j' as y" in one for one in told].count(True) == 1
    options["grid"] = corner(tmp_path / "named.nc", "yx")
    told.clear()
    ksdp_cli.simulate(**options, out=tmp_path / "b.zarr", warn=told.append)
    assert not any("as x" in one for one in told)


@pytest.mark.parametrize(
    "nodes", [[0, 1, 0, 1], [0, 1, 2, 1], [np.nan] * 4, [0, 1, np.nan, 3], [0, 0, 0, 0], [0, 1, 2, np.inf]]
)
def test_netcdf_coordinates_that_turn_round_are_refused(tmp_path: Path, nodes: list[float]) -> None:
    grid = described(tmp_path / "g.nc", np.ones((4, 2)), x=(nodes, {}), y=(None, {}))
    with pytest.raises(DataError, match="coordinates x"):
        drawn("density", grid=grid)


def test_netcdf_of_characters_is_refused(tmp_path: Path) -> None:
    grid = described(tmp_path / "g.nc", np.array([[b"a", b"b"]]), x=(None, {}), y=(None, {}))
    with pytest.raises(DataError, match="0 variables of numbers"):
        drawn("density", grid=grid)


def test_an_image_of_32_bits_is_refused(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.eye(4, dtype=np.float32)).save(tmp_path / "g.tif")
    with pytest.raises(DataError, match="32 bits"):
        drawn("density", grid=str(tmp_path / "g.tif"))


def test_a_mask_is_a_density_and_netcdf_4_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "g.npy", np.eye(2, dtype=bool)[::-1])
    x = drawn("density", grid=str(tmp_path / "g.npy"))
    assert (x[:, 0] * x[:, 1] <= 0).all()
    (tmp_path / "g.nc").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(DataError, match="NetCDF 4"):
        pose({"init": "density", "grid": str(tmp_path / "g.nc")})


@pytest.mark.parametrize("broken", [b"", b"\x89PNG\r\n\x1a\n", b"CDF\x01"])
@pytest.mark.parametrize("suffix", [".npy", ".nc", ".png", ".txt"])
def test_a_broken_file_is_a_data_error(tmp_path: Path, broken: bytes, suffix: str) -> None:
    (tmp_path / f"g{suffix}").write_bytes(broken)
    with pytest.raises(DataError):
        pose({"init": "density", "grid": str(tmp_path / f"g{suffix}")})


@pytest.mark.parametrize(
    ("options", "named"),
    [({"init": "gaussian", "radius": 2}, "radius"), ({"init": "gaussian", "width": "1,2"}, "width"),
     ({"init": "gaussian", "width": 0}, "width"), ({"init": "ball", "z0": 1}, "z0"), ({"init": "density"}, "grid"),
     ({"init": "annulus", "inner": 2}, "inner"), ({"init": "mixture", "dim": 3, "bumps": 3}, "bumps"),
     ({"init": "collapse"}, "dimension"), ({"init": "self_similar", "pull": "8pi"}, r"M = 25\.1.*M of at most 25\.13"),
     ({"init_params": {"width": 1}}, "width")],
)  # fmt: skip
def test_wrong_parameters_are_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        drawn(options.pop("init", "ball"), **options)


def test_a_store_holds_them_and_a_run_is_made_again_from_it(tmp_path: Path) -> None:
    run = ksdp_cli.simulate(out=tmp_path / "a.zarr", init="gaussian", width=0.25, J=50, T=0.0)
    assert run.config["init_params"] == {"width": 0.25}
    assert "--width 0.25" in run.attrs["command"]
    np.testing.assert_allclose(run.frame(0, 0), drawn_of(width=0.25), atol=0)
    plain = ksdp_cli.simulate(out=tmp_path / "b.zarr", J=50, T=0.0, radius=1.0)
    assert "init_params" not in plain.config
    json.dumps(run.config)


def drawn_of(**values: Any) -> Any:
    return pose({"init": "gaussian", "seed": 0, **values}).initial.draw(50, 2, 0)


def test_the_unit_ball_keeps_its_bits() -> None:
    """Without its parameters, at their defaults, and by its own polar coordinates."""
    u = rng.uniforms(7, 2, 0, 3, 1000, 2)
    r, angle = np.sqrt(u[:, 0]).astype(np.float32), (2 * np.pi * u[:, 1]).astype(np.float32)
    expected = np.stack([r * np.cos(angle), r * np.sin(angle)], 1)
    assert Ball().draw(1000, 2, 7, start=3, stream=2).tobytes() == expected.tobytes()
    assert pose({}).initial.draw(1000, 2, 7, start=3, stream=2).tobytes() == expected.tobytes()
