"""What ``import ksdp`` offers: all that the command line does, with types, warnings and pictures of a notebook."""

from __future__ import annotations

import importlib
import subprocess
import sys
import typing
import warnings
from pathlib import Path

import numpy as np
import pytest

import ksdp
import ksdp_cli
from ksdp_cli import plugins
from ksdp_cli.api.options import SimulateOptions, TrainOptions
from ksdp_cli.config import SimulateConfig, TrainConfig
from ksdp_cli.errors import ConfigError, KsdpWarning

SMALL: dict[str, typing.Any] = {"J": 200, "T": 2e-3, "dt": 1e-3, "M": 1.0}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ksdp.Run:
    out = tmp_path_factory.mktemp("public") / "run.zarr"
    return ksdp.simulate(flow="laminar2d", A=[1, 10, 100], out=out, **SMALL)


@pytest.mark.parametrize("name", ksdp_cli.__all__)
def test_every_name_is_there_under_both_names(name: str) -> None:
    assert getattr(ksdp, name) is getattr(ksdp_cli, name)
    assert name in dir(ksdp)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="simulat"):
        importlib.import_module("ksdp").simulat  # noqa: B018


def test_importing_it_is_light() -> None:
    program = "import sys, ksdp, ksdp_cli; assert not {'numpy', 'torch', 'zarr', 'pydantic'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_verb_of_the_command_line_is_a_function() -> None:
    from typer.main import get_command

    from ksdp_cli.cli.assembly import app

    command: typing.Any = get_command(app)
    # import is clouds, which takes arrays, and sweep simulate of a file; lists and checks have no result to return
    listings = {"plugins", "presets", "laws", "demo", "cite", "warm-up"}
    assert set(command.commands) - listings - {"import", "sweep"} | {"clouds"} <= set(ksdp.__all__)


def parameters_that_ship(*kinds: str) -> set[str]:
    entries = [one for kind in kinds for one in plugins.registry().of_kind(kind) if one.distribution == "ksdp"]
    models = [getattr(entry.load(), "Params", None) for entry in entries]
    return {name for model in models if model is not None for name in model.model_fields}


def test_the_typed_options_are_the_fields_of_the_configurations() -> None:
    own = parameters_that_ship("flow", "kernel", "initial cloud", "chemistry")
    assert set(SimulateOptions.__annotations__) == set(SimulateConfig.model_fields) | own
    assert set(TrainOptions.__annotations__) == set(TrainConfig.model_fields)


@pytest.mark.parametrize(
    ("options", "config"), [(SimulateOptions, SimulateConfig), (TrainOptions, TrainConfig)], ids=["simulate", "train"]
)
def test_the_typed_choices_are_those_of_the_configurations(options: type, config: typing.Any) -> None:
    hints = typing.get_type_hints(options)
    for name, field in config.model_fields.items():
        if typing.get_origin(field.annotation) is typing.Literal:
            assert set(typing.get_args(hints[name])) == set(typing.get_args(field.annotation)), name


def test_warnings_are_python_s_unless_someone_listens(tmp_path: Path) -> None:
    coarse = {"flow": "laminar2d", "A": 50, "J": 50, "T": 0.02, "dt": 0.01, "M": 0.0}
    with pytest.warns(KsdpWarning, match="dt") as caught:
        ksdp.simulate(out=tmp_path / "a.zarr", **coarse)
    assert {warning.filename for warning in caught} == {__file__}
    messages: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", KsdpWarning)
        ksdp.simulate(out=tmp_path / "b.zarr", warn=messages.append, **coarse)
    assert messages


def test_a_model_is_a_function_of_particles_and_parameters() -> None:
    model = ksdp.open_model("laminar2d-amplitude")
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (50, 2)).astype(np.float32)
    np.testing.assert_array_equal(model(x, A=50), model.push(x, [50.0]))
    np.testing.assert_array_equal(model(x), model(x, A="1e2"))  # the largest trained value
    with pytest.raises(ConfigError, match="'B'"):
        model(x, B=1)


def test_a_dataset_goes_to_netcdf(run: ksdp.Run, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    run.dataset().to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "run.nc", engine="h5netcdf") as again:
        np.testing.assert_array_equal(again["position"].values[0, -1], run.frame(0))
        assert again["axis"].values.tolist() == ["x", "y"]


def test_a_notebook_shows_tables_and_pictures(run: ksdp.Run, tmp_path: Path) -> None:
    pictures = ksdp.plot(run, out=tmp_path / "a.png")
    trained = ksdp.train(run, steps=3, N=50, validate_every=3, out=tmp_path / "m.safetensors")
    compared = ksdp.compare(run, run, A=10, N=50, floor="halves")
    for shown, part in (
        (run, "<td>200</td>"),
        (ksdp.open_model("laminar2d-amplitude"), "<td>A</td>"),
        (trained, "last loss W2 squared"),
        (compared, "E|x|^2"),
        (pictures, "data:image/png;base64,"),
    ):
        assert part in shown._repr_html_()
    for shown, said in (
        (run, "simulation of laminar2d, 3 cases"),
        (ksdp.open_model("laminar2d-amplitude"), "3996 parameters; A = 1 to 100>"),
        (trained, ": 3 steps, validation "),
        (compared, "at A = 10: W2 squared "),
    ):
        assert said in repr(shown)
        assert len(repr(shown)) < 400


def test_a_run_and_a_training_are_paths(run: ksdp.Run, tmp_path: Path) -> None:
    trained = ksdp.train(run.dataset(), steps=3, N=50, validate_every=3, out=tmp_path / "m.safetensors")
    assert ksdp.info(run)["kind"] == "simulation"
    assert ksdp.info(trained)["kind"] == "model"
    assert ksdp.sample(trained, A=3, n=20, out=tmp_path / "s.zarr").J == 20
    assert ksdp.report(trained, references=[run], out=tmp_path / "r.html").references == (str(run.path),)
    assert "training curves" not in str(ksdp.plot(trained, n=50, out=tmp_path / "p.png").notes)
    with pytest.raises(ConfigError, match="a list"):
        ksdp.info([run])  # type: ignore[arg-type]
