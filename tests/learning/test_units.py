"""Units of the network: a training does not depend on the unit and the origin of its clouds."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.config import TrainConfig
from ksdp_cli.errors import DataError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.data import TrainingData
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.forms import FORMS
from ksdp_cli.learning.network.network import Network
from ksdp_cli.learning.trainer import train
from ksdp_cli.learning.units import IDENTITY, Units, units_of

SHORT = TrainConfig(N=100, steps=60, renew_batch=20, renew_gamma=20, validate_every=30)
FAR = Units(512.0, (1024.0, -2048.0))


@pytest.mark.parametrize("dim", [2, 3])
def test_units_move_with_source_and_clouds(dim: int) -> None:
    x = Ball().draw(4096, dim, 0).astype(np.float64)
    way = np.arange(1.0, dim + 1)
    assert units_of(x) == (Units(1.0, (0.0,) * dim),) * 2
    assert units_of(x)[0].trivial
    for length in (8.0**-10, 8.0**-4, 64.0, 8.0**12):
        assert units_of(length * (x + way), [length * x])[0] == Units(length, tuple(length * way))
        assert units_of(x, [2 * length * (x + way), length * (x + 1)])[1].length == length
    for scale in 10.0 ** np.arange(-30, 31, 6):
        before, after = units_of(scale * x, [3 * scale * (x + way), scale * x])
        assert 8**-0.5 <= 2 * scale * x.std() / before.length <= 8**0.5
        assert after.length == before.length
        np.testing.assert_allclose(after.restore(after.standardise(scale * x)), scale * x, rtol=1e-5, atol=1e-6 * scale)
    assert units_of(x + 0.4, [x + 0.4 + way])[1] == Units(1.0, tuple(way))  # the way of the mean, in whole lengths
    point = np.full((5, dim), 3.0)
    assert units_of(point, [point + 1])[1] == Units(1.0, (4.0,) * dim)  # of one point there is no spread
    for scale in (1e-6, 1e5):  # the clouds have one
        before, after = units_of(scale * point, [scale * x])
        assert before.length == after.length
        assert 8**-0.5 <= 2 * scale * x.std() / before.length <= 8**0.5


def moved(data: TrainingData) -> TrainingData:
    """The same data in another unit, from another origin; float32 holds both exactly enough to give the same bits."""

    def there(x: np.ndarray) -> np.ndarray:
        return (x.astype(np.float64) * FAR.length + np.array(FAR.origin)).astype(np.float32)

    other = replace(data, clouds=there(data.clouds), draw=lambda n, stream: there(data.draw(n, stream)))
    return replace(other, source_units=FAR, cloud_units=FAR)


def coarse(data: TrainingData) -> TrainingData:
    """Positions that are whole multiples of 2^-12, which every power of two and whole number leaves exact."""

    def rounded(x: np.ndarray) -> np.ndarray:
        return (np.round(x * 4096) / 4096).astype(np.float32)

    return replace(data, clouds=rounded(data.clouds), draw=lambda n, stream: rounded(data.draw(n, stream)))


@pytest.mark.parametrize("algorithm", ["fresh", "paper"])
def test_a_training_in_another_unit_has_the_same_bits(algorithm: str, affine_data: Callable[..., TrainingData]) -> None:
    told = SHORT.model_dump(exclude_unset=True)
    settings = TrainConfig(**told, algorithm=algorithm, **({"tolerance": 2.0} if algorithm == "paper" else {}))
    here = (
        settings.model_copy(update={"tolerance": settings.tolerance / FAR.length**2})
        if algorithm == "paper"
        else settings
    )
    data = coarse(affine_data())
    one, two = train(data, here), train(moved(data), settings)
    np.testing.assert_array_equal(one.model.theta, two.model.theta)
    for before, after in zip(one.history, two.history, strict=True):
        for name in ("loss", "validation", "floor"):
            assert after[name] == (None if before[name] is None else before[name] * FAR.length**2)
    x = data.draw(500, 3)
    there = two.model.push(x.astype(np.float64) * FAR.length + np.array(FAR.origin), [0.7])
    np.testing.assert_allclose(FAR.standardise(there), one.model.push(x, [0.7]), atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_units_come_back_from_a_file_and_fold_into_the_weights(form: str, tmp_path: Path) -> None:
    two = EtaMap(("A", "t"), (1.0, 0.1), (100.0, 0.4), (True, False))
    eta_map, at = (two, [20.0, 0.3]) if form == "product" else (EtaMap(("A",), (1.0,), (100.0,), (True,)), [20.0])
    network = Network(2, len(at), form)
    source = Units(64.0, (128.0, 0.0))
    model = Model(network, network.initial(1), eta_map, {}, {}, None, source, FAR)
    model.save(tmp_path / "m.safetensors")
    again = Model.load(tmp_path / "m.safetensors")
    assert (again.source_units, again.cloud_units) == (source, FAR)
    x = 64 * Ball().draw(300, 2, 0) + np.array([128.0, 0.0], np.float32)
    np.testing.assert_array_equal(again.push(x, at), model.push(x, at))
    theta, skip = model.fold_units()
    bare = Model(network, theta, eta_map, {}, {})
    plain = bare.push(x, at).astype(np.float64) + (skip - network.residual) * x
    np.testing.assert_allclose(plain, model.push(x, at), atol=2e-3)  # of coordinates of 2000, in float32
    assert Model(network, model.theta, eta_map, {}, {}).fold_units()[1] == network.residual
    np.testing.assert_array_equal(Model(network, model.theta, eta_map, {}, {}).fold_units()[0], model.theta)


@pytest.mark.parametrize("length", [0.0, -1.0, float("nan"), "1"])
def test_damaged_units_are_refused(length: object, tmp_path: Path) -> None:
    network = Network(2, 1)
    units = Units(length, (0.0, 1.0))  # type: ignore[arg-type]
    model = Model(network, network.initial(1), EtaMap(("A",), (1.0,), (2.0,), (False,)), {}, {}, None, units)
    model.save(tmp_path / "m.safetensors")
    with pytest.raises(DataError, match=r"m\.safetensors"):
        Model.load(tmp_path / "m.safetensors")


def test_an_older_ksdp_refuses_a_file_whose_units_it_would_not_read(tmp_path: Path) -> None:
    network, place = Network(2, 1), tmp_path / "m.safetensors"
    for units, origin, told in ((IDENTITY, (), "1"), (FAR, (), "2"), (IDENTITY, (1.0,), "2")):
        eta_map = EtaMap(("A",), (1.0,), (1.2,), (False,), (1.1,), origin)
        Model(network, network.initial(1), eta_map, {}, {}, None, units, units).save(place)
        raw = place.read_bytes()
        header = json.loads(raw[8 : 8 + struct.unpack("<Q", raw[:8])[0]])["__metadata__"]
        assert header["ksdp_format"] == told
        assert Model.load(place).eta_map == eta_map


@pytest.mark.parametrize("source", [True, False])
def test_own_clouds_are_learned_alike_in_any_unit(source: bool, tmp_path: Path) -> None:
    """Rings in micrometres, far from the origin, beside rings of size 1: the samples are the same but for rounding."""
    generator, told = np.random.default_rng(0), {"N": 200, "steps": 150, "validate_every": 150}
    angle = 2 * np.pi * generator.random((2, 800))
    x = np.round(4096 * np.stack([np.array([[1.0], [2.0]]) * np.cos(angle), np.sin(angle)], -1)) / 4096
    start = np.round(4096 * generator.uniform(-1, 1, (800, 2))) / 4096
    found = []
    for name, length, centre in (("one", 1.0, 0.0), ("other", 8.0**-6, 8.0**-3)):
        family = {(w,): length * cloud + centre for w, cloud in zip((1.0, 2.0), x, strict=True)}
        given = length * start + centre if source else None
        run = ksdp.clouds(family, names=["w"], source=given, out=tmp_path / f"{name}.zarr")
        made = ksdp.train(run, out=tmp_path / f"{name}.safetensors", device="cpu", **told)
        cloud = ksdp.sample(made.path, n=500, w=1.5, device="cpu", out=tmp_path / f"{name}-new.zarr").frame()
        found.append((cloud.astype(np.float64) - centre) / length)
    np.testing.assert_allclose(found[1], found[0], atol=1e-3)
    assert np.abs(found[0]).max() > 1


def test_a_narrow_range_of_a_parameter_counts_from_its_lower_end() -> None:
    """Years 2001 to 2004 would else be four times the same; a range from 1 to 4 stays as it is."""
    grid = np.array([[2001.0], [2002.0], [2003.0], [2004.0]])
    narrow, wide = EtaMap.of(("year",), grid), EtaMap.of(("n",), grid - 2000)
    np.testing.assert_allclose(narrow.padding("separable", grid)[:, 1], [0, 1 / 3, 2 / 3, 1], rtol=1e-6)
    np.testing.assert_allclose(narrow.padding("separable", [2005.0]), [1, 4 / 3, 1 + 5 / 9], rtol=1e-6)
    assert (narrow.origin, wide.origin) == ((2001.0,), ())
    assert EtaMap.from_json(narrow.as_json()) == narrow
    assert "origin" not in wide.as_json()
    np.testing.assert_allclose(wide.padding("separable", grid - 2000)[:, 1], [0.25, 0.5, 0.75, 1], rtol=1e-6)


def test_clouds_that_float32_rounds_are_reported(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(100, 2))
    said: list[str] = []
    for number, centre in enumerate((0.0, 1e3, 1e6)):
        ksdp.clouds({(): x + centre}, names=[], warn=said.append, out=tmp_path / f"{number}.zarr")
    assert len(said) == 1
    assert "0.12" in said[0]
    with pytest.warns(ksdp.KsdpWarning, match=r"0\.12"):
        ksdp.train({"position": (x + 1e6)[None]}, N=10, steps=1, device="cpu", out=tmp_path / "m.safetensors")
