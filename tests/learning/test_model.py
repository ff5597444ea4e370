"""The model file: round trip, provenance, and every kind of damage ends in a `DataError` that names the file."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.forms import FORMS
from ksdp_cli.learning.network.network import Network


@pytest.fixture
def path(model: Model, tmp_path: Path) -> Path:
    model.save(tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


def test_a_model_comes_back_as_it_was(model: Model, path: Path) -> None:
    again = Model.load(path)
    np.testing.assert_array_equal(again.theta, model.theta)
    assert again.network == model.network
    assert again.eta_map == model.eta_map
    assert again.training == model.training
    assert again.provenance == model.provenance
    assert again.sha256 == model.sha256
    assert again.describe() == "4 x 30 x 30 x 30 x 30 x 30 x 2, tanh, 3932 parameters"
    assert [file.name for file in path.parent.iterdir()] == ["m.safetensors"]


@pytest.mark.parametrize("form", ["residual", "separable"])
def test_the_form_comes_back_too_and_an_unknown_one_is_refused(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, path = Network(2, 1, form), tmp_path / "m.safetensors"
    one = Model(network, network.initial(0), EtaMap(("A",), (1.0,), (100.0,), (True,)), {}, {})
    one.save(path)
    x = np.random.default_rng(0).standard_normal((50, 2))
    again = Model.load(path)
    assert again.network.form == form
    np.testing.assert_array_equal(again.push(x, [130.0]), one.push(x, [130.0]))
    np.testing.assert_allclose(one.push(x, np.full((50, 1), 130.0)), one.push(x, [130.0]), atol=2e-6)
    monkeypatch.setitem(FORMS, "strange", FORMS["paper"])
    Model(Network(2, 1, "strange"), Network(2, 1).initial(0), one.eta_map, {}, {}).save(path)
    monkeypatch.undo()
    with pytest.raises(DataError, match="strange"):
        Model.load(path)


def test_a_function_of_t_goes_on_straight_beyond_what_was_trained() -> None:
    network = Network(2, 1, "separable")
    theta = network.initial(0) + 0.3 * np.random.default_rng(1).standard_normal(network.parameter_count)
    one = Model(network, theta, EtaMap.of(("t",), np.array([[0.0], [0.025], [0.05], [0.075], [0.1]])), {}, {})
    x = np.random.default_rng(0).standard_normal((50, 2))
    f = {t: one.push(x, [t]).astype(np.float64) for t in (0.0, 0.05, 0.075, 0.1, 0.15, 0.2)}
    np.testing.assert_allclose(f[0.2], 2 * f[0.15] - f[0.1], atol=1e-4)
    # along the secant of the last two trained times, which is not that of the last half
    np.testing.assert_allclose(f[0.2], f[0.1] + 4 * (f[0.1] - f[0.075]), atol=1e-4)
    assert np.abs(f[0.2] - f[0.1] - 2 * (f[0.1] - f[0.05])).max() > 0.01


def test_the_map_of_two_parameters_is_linear_in_each() -> None:
    network = Network(2, 2, "separable")
    one = Model(network, network.initial(0), EtaMap(("A", "t"), (1.0, 0.0), (100.0, 0.1), (True, False)), {}, {})
    x = np.random.default_rng(0).standard_normal((50, 2))
    f = {(A, t): one.push(x, [A, t]).astype(np.float64) for A in (20.0, 60.0, 100.0) for t in (0.02, 0.06, 0.14)}
    np.testing.assert_allclose(f[60.0, 0.06], (f[20.0, 0.06] + f[100.0, 0.06]) / 2, atol=2e-6)
    np.testing.assert_allclose(f[20.0, 0.14], 3 * f[20.0, 0.06] - 2 * f[20.0, 0.02], atol=1e-5)
    three = EtaMap(("A", "t", "mu"), (1.0,) * 3, (2.0,) * 3, (False,) * 3)
    with pytest.raises(ConfigError, match=r"2 .*3"):
        three.padding("separable", [1.0, 1.0, 1.0])


def test_the_header_tells_all_to_whoever_opens_the_file(path: Path) -> None:
    raw = path.read_bytes()
    header = json.loads(raw[8 : 8 + struct.unpack("<Q", raw[:8])[0]])
    told = header["__metadata__"]
    assert json.loads(told["provenance"])["simulation"]["T"] == 0.1
    assert json.loads(told["eta_map"])["names"] == ["t", "A"]
    assert header["W0"]["shape"] == [30, 4]
    assert header["b5"]["shape"] == [2]
    assert told["ksdp_format"] == "1"


def test_every_flipped_bit_is_noticed(path: Path) -> None:
    raw = path.read_bytes()
    header = 8 + struct.unpack("<Q", raw[:8])[0]
    places = [*range(0, header, 3), *np.linspace(header, len(raw) - 1, 200).astype(int)]
    for number, at in enumerate(places):
        damaged = bytearray(raw)
        damaged[at] ^= 1 << (number % 8)
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"m\.safetensors"):
            Model.load(path)


@pytest.mark.parametrize("length", [0, 4, 8, 9, 500, -1])
def test_a_truncated_file_is_refused(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match="model"):
        Model.load(path)


def test_a_file_with_something_behind_it_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError):
        Model.load(path)


def test_a_header_that_claims_more_than_the_file_is_refused(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 1 << 40) + path.read_bytes()[8:])
    with pytest.raises(DataError, match="1099511627776"):
        Model.load(path)


def test_other_files_are_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        Model.load(tmp_path / "nothing.safetensors")
    with pytest.raises(DataError, match="folder"):
        Model.load(tmp_path)
    path.write_bytes(b"\x80\x04\x95" + b"pickle " * 20)
    with pytest.raises(DataError):
        Model.load(path)
    save_file({"W0": np.zeros(3, np.float32)}, path)
    with pytest.raises(DataError, match="did not write"):
        Model.load(path)
    with path.open("wb") as file:
        file.truncate(1 << 25)
    with pytest.raises(DataError, match="33554432"):
        Model.load(path)


def test_a_later_format_is_refused(model: Model, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ksdp_cli.learning.model.FORMAT", "3")
    model.save(path)
    monkeypatch.undo()
    with pytest.raises(DataError, match="'3'"):
        Model.load(path)


def test_weights_that_are_not_finite_are_refused(model: Model, path: Path) -> None:
    model.theta[5] = np.nan
    model.save(path)
    with pytest.raises(DataError, match="1 weights"):
        Model.load(path)
