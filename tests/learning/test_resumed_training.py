"""A training that goes on is the one that was begun: its form and units are in its identity, and its file says them."""

from __future__ import annotations

import itertools
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api import training
from ksdp_cli.base import checkpoint
from ksdp_cli.config import TrainConfig, build
from ksdp_cli.errors import ConfigError, Interrupted
from ksdp_cli.experiments.definition import parse
from ksdp_cli.experiments.stages import Stages
from ksdp_cli.learning.model import Model
from ksdp_cli.provenance import digest

SHORT: Any = {"N": 100, "steps": 40, "renew_batch": 20, "renew_gamma": 10, "validate_every": 10, "device": "cpu"}
EXPERIMENT = """
summary = "two parameters"
[simulation]
flow = "laminar2d"
A = "1,10"
snapshots = "0.01,0.02"
J = 200
dt = 2e-3
[training]
N = 100
steps = 2
validate_every = 2
[scales.quick]
seeds = 1
references = 2
N = [100]
"""


@pytest.fixture
def arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Clouds in micrometres at four values of two parameters; a test's files are in its folder."""
    monkeypatch.chdir(tmp_path)
    x = 1e-6 * (np.random.default_rng(0).normal(size=(4, 500, 2)) + np.arange(4)[:, None, None])
    return {"position": x, "a": np.array([1.0, 2, 1, 2]), "b": np.array([1.0, 1, 2, 2])}


def interrupt(arrays: dict[str, np.ndarray], out: str) -> None:
    """Stop in the middle of a mini-batch."""
    asked = itertools.count()
    with pytest.raises(Interrupted):
        ksdp.train(arrays, out=out, stop=lambda: 15 if next(asked) > 25 else None, **SHORT)


def test_a_moved_training_goes_on_to_the_same_bits_and_its_model_is_used(arrays: dict[str, np.ndarray]) -> None:
    whole = ksdp.train(arrays, out="whole.safetensors", **SHORT)
    interrupt(arrays, "cut.safetensors")
    cut = ksdp.train(arrays, out="cut.safetensors", resume=True, **SHORT)
    assert Model.load(cut.path).sha256 == Model.load(whole.path).sha256
    assert not Model.load(cut.path).cloud_units.trivial
    cloud = ksdp.sample(cut.path, n=400, a=1.5, b=1.5, device="cpu", out="new.zarr").frame()
    assert 0.1e-6 < cloud.std() < 10e-6
    found = ksdp.compare(cut.path, arrays["position"][0], a=1, b=1, metrics="w2", N=400, device="cpu").comparison
    assert 0 < found.w2_squared < 10e-12


def test_the_file_and_its_command_say_the_form_of_two_parameters(arrays: dict[str, np.ndarray]) -> None:
    model = Model.load(ksdp.train(arrays, out="m.safetensors", **SHORT | {"steps": 1}).path)
    words = shlex.split(model.provenance["command"])
    assert words[words.index("--network") + 1] == model.training["network"] == model.network.form == "product"
    one = {"position": arrays["position"][:2], "a": arrays["a"][:2]}
    model = Model.load(ksdp.train(one, out="one.safetensors", **SHORT | {"steps": 1}).path)
    assert "--network" not in model.provenance["command"]


@pytest.mark.parametrize(("network", "units", "why"), [
    ("auto", True, "was separable"),
    ("auto", False, "was separable"),
    ("product", False, "without units"),
    ("paper", True, "another training"),
])  # fmt: skip
@pytest.mark.parametrize("finished", [False, True])
def test_a_training_of_an_older_version_is_refused_with_what_changed(
    network: str, units: bool, why: str, finished: bool, arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = build(TrainConfig, SHORT).model_copy(update={"network": network})
    data, *_ = training.load_data(training.own_clouds(arrays), config)
    older = training._identity(config, data, units)
    if finished:
        with monkeypatch.context() as patch:
            patch.setattr(training, "_identity", lambda *_: older)
            path = ksdp.train(arrays, out="m.safetensors", **SHORT | {"steps": 1}).path
    else:
        interrupt(arrays, "m.safetensors")
        path = Path("m.safetensors.checkpoint")
        header, state = checkpoint.load(path)
        checkpoint.save(path, header | {"run": older}, state)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=why):
        ksdp.train(arrays, out="m.safetensors", resume=True, **SHORT)
    assert path.read_bytes() == before


def test_resume_without_a_name_tells_of_a_training_of_an_older_version(arrays: dict[str, np.ndarray]) -> None:
    config = build(TrainConfig, SHORT).model_copy(update={"network": "auto"})
    data, *_ = training.load_data(training.own_clouds(arrays), config)
    asked = itertools.count()
    with pytest.raises(Interrupted):
        ksdp.train(arrays, stop=lambda: 15 if next(asked) > 25 else None, **SHORT)
    (file,) = Path("runs").glob("*.checkpoint")
    header, state = checkpoint.load(file)
    checkpoint.save(file, header | {"run": training._identity(config, data)}, state)
    with pytest.raises(ConfigError, match=rf"{file.stem} .*separable.*no --resume"):
        ksdp.train(arrays, resume=True, **SHORT)
    assert {one.stem for one in Path("runs").glob("*.checkpoint")} == {file.stem}
    assert ksdp.train(arrays, **SHORT | {"steps": 1}).path.stem != Path(file.stem).stem


def test_rounding_is_told_to_who_asked(arrays: dict[str, np.ndarray]) -> None:
    said: list[str] = []
    far = arrays | {"position": arrays["position"] + 1}
    ksdp.train(far, out="m.safetensors", warn=said.append, **SHORT | {"steps": 1})
    assert [one for one in said if "float32 rounds the positions of the clouds" in one]


def test_a_floor_between_quiet_particles_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    for sampling in ("random", "quiet"):
        run = ksdp.simulate(A=[1, 10], flow="laminar2d", T=0.01, dt=1e-3, J=500, sampling=sampling, device="cpu",
                            out=tmp_path / f"{sampling}.zarr")  # fmt: skip
        ksdp.train(run, out=tmp_path / f"{sampling}.safetensors", warn=said.append, **SHORT | {"steps": 1})
        assert len(said) == (sampling == "quiet")
    ksdp.train(run, out=tmp_path / "x.safetensors", held_out=0, warn=said.append, **SHORT | {"steps": 1})
    assert len(said) == 1


def test_a_folder_of_another_form_is_refused_by_the_ledger(tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text(EXPERIMENT)

    def make() -> Stages:
        return Stages(parse(tmp_path / "two.toml"), "quick", tmp_path / "out", device="cpu")

    make().network(0)
    file = tmp_path / "out" / "stages" / "train-0.json"
    record = json.loads(file.read_text())
    assert record["config"]["network"] == "product"
    record["config"]["network"] = "auto"
    file.write_text(json.dumps(record | {"digest": digest(record["config"])}))
    with pytest.raises(ConfigError, match="network"):
        make().network(0)
