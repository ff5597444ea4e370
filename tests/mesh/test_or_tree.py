"""The mesh gives way to the tree, says why, and what it chose survives an interruption to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.errors import ConfigError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.coulomb import Coulomb
from ksdp_cli.particles.engines.choice import make_engine
from ksdp_cli.particles.mesh.engine import MeshEngine
from ksdp_cli.particles.mesh.or_tree import MeshOrTree
from ksdp_cli.particles.tree.engine import TreeEngine

ARGS = (1e-3,)


def ball(count: int) -> np.ndarray:
    return Ball().draw(count, 2, 1)


def test_auto_takes_it_where_it_pays() -> None:
    for count, name in ((40_000, "mesh"), (7_000, "tree")):  # 1.5e5 nodes for the unit ball
        engine = make_engine(Blob, ARGS, 2, "float32", count)
        assert isinstance(engine, MeshOrTree)
        engine(ball(count))
        assert engine.report()["engine"] == name
    asked = make_engine(Blob, ARGS, 2, "float32", 7_000, name="mesh")
    asked(ball(7_000))
    assert asked.report()["engine"] == "mesh"
    assert isinstance(make_engine(Blob, ARGS, 3, "float32", 10**6), TreeEngine)
    with pytest.raises(ConfigError):
        make_engine(Blob, ARGS, 3, "float32", 10**6, name="mesh")


def test_a_kernel_that_delta_does_not_smooth() -> None:
    x = ball(3000)
    engine = MeshOrTree(Coulomb, ARGS, "float64", len(x), 1e-4, if_it_pays=False)
    force = engine(x)
    told = engine.report()
    assert told["engine"] == "tree"
    assert "an error of" in told["note"]
    assert np.array_equal(force, TreeEngine(Coulomb, ARGS, 2, "float64", 1e-4)(x))


@pytest.mark.parametrize("args", [ARGS, (0.0,)])
def test_a_grid_that_does_not_fit(args: tuple[float]) -> None:
    x = ball(3000)
    x[0] = 1e4
    engine = MeshOrTree(Blob, args, "float32", len(x), if_it_pays=False)
    assert np.isfinite(engine(x)).all()
    assert engine.report()["engine"] == "tree"
    assert engine.report()["note"]
    engine(ball(3000))  # for good
    assert engine.report()["engine"] == "tree"


def test_the_choice_is_part_of_the_state() -> None:
    x, far = ball(3000), ball(3000)
    far[0] = 1e4
    one, two = (MeshOrTree(Blob, ARGS, "float32", len(x), if_it_pays=False) for _ in range(2))
    one(x), one(far)
    two.restore(one.state())
    assert two.report() == one.report()
    assert np.array_equal(one(x), two(x))


def test_no_order_of_the_particles_changes_a_bit_from_the_first_call_on() -> None:
    x = ball(5000)
    shuffled = np.random.default_rng(1).permutation(len(x))
    one, two = (MeshEngine(Blob, ARGS, "float32", 1e-4, threads) for threads in (1, 2))
    for _ in range(3):
        assert np.array_equal(two(x[shuffled]), one(x)[shuffled])
    assert one.report()["error"] == pytest.approx(two.report()["error"], rel=1e-12)


def test_who_asked_for_the_mesh_is_told_of_the_tree(tmp_path: Path) -> None:
    told: list[str] = []
    options = {"J": 300, "T": 2e-3, "dt": 1e-3, "kernel": "coulomb", "delta2": 1e-3, "mu": 100.0, "warn": told.append}
    for name, count in (("mesh", 1), ("tree", 0)):
        told.clear()
        ksdp.simulate(engine=name, out=tmp_path / f"{name}.zarr", **options)
        assert sum("the tree replaces the mesh: from force 0 on" in message for message in told) == count


def test_a_run_in_two_parts(tmp_path: Path) -> None:
    options = {"J": 800, "engine": "mesh", "delta2": 1e-2, "dt": 1e-3, "seed": 4}
    whole = ksdp.simulate(T=0.03, snapshots=(0.02, 0.03), out=tmp_path / "a.zarr", **options)
    ksdp.simulate(T=0.02, out=tmp_path / "b.zarr", **options)
    parts = ksdp.simulate(T=0.03, snapshots=(0.02, 0.03), out=tmp_path / "b.zarr", resume=True, **options)
    assert np.array_equal(whole.frame(0, 1), parts.frame(0, 1))
    assert whole.attrs["engine"][0]["engine"] == "mesh"
    assert whole.attrs["engine"][0]["met"]
    with pytest.raises(ConfigError, match="in 3D"):
        ksdp.simulate(dim=3, engine="mesh", out=tmp_path / "c.zarr")
    assert not (tmp_path / "c.zarr").exists()
