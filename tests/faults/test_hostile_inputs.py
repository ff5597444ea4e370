"""Checkpoints and configurations that are whole files with something else in them: an error of ours, or an answer."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ksdp_cli as ksdp
from ksdp_cli.base import checkpoint
from ksdp_cli.config import TrainConfig, build, read_toml
from ksdp_cli.errors import KsdpError
from ksdp_cli.experiments import definition
from ksdp_cli.particles.problem import pose

from .hostile import HOSTILE, PLACES, WAYS, answered, fuzz, mutated

#: By the tree, whose state is in the checkpoint.
CUT: dict[str, Any] = {"J": 40, "T": 4e-3, "dt": 1e-3, "engine": "tree"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of a simulation and of a training that were stopped, each with what it belongs to."""
    at = tmp_path_factory.mktemp("saved")
    ksdp.simulate(out=at / "s.zarr", flow="laminar2d", A=[1, 10, 100], J=60, snapshots=[1e-3, 2e-3], dt=1e-3)
    for verb in (
        lambda **more: ksdp.simulate(out=at / "cut.zarr", **CUT, **more),
        lambda **more: ksdp.train(at / "s.zarr", out=at / "cut.safetensors", N=20, steps=4, **more),
    ):
        with pytest.raises(KsdpError):
            verb(stop=lambda: 15)
    return at


@fuzz(0.4)  # each begins a run
@given(places=PLACES, way=WAYS, value=HOSTILE, which=st.sampled_from(["cut.zarr", "cut.safetensors"]), data=st.data())
def test_checkpoints(saved: Path, places: list[float], way: str, value: Any, which: str, data: st.DataObject) -> None:
    name = f"{which}.checkpoint"
    file = saved / (f"{name}/0" if which == "cut.zarr" else name)
    header, arrays = checkpoint._read(file)
    before = file.read_bytes()
    if data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(arrays)))
        shape = data.draw(st.sampled_from([(), (1,), (3,), (2, 2), (1, 1, 1), (0,)]))
        arrays = arrays | {name: np.zeros(shape, data.draw(st.sampled_from(["f4", "f8", "i8", "b1"])))}
    else:
        header = mutated(header, places, way, value)
    at = saved / "try"
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir()
    if which == "cut.zarr":
        shutil.copytree(saved / which, at / which)
    (at / file.relative_to(saved)).parent.mkdir(exist_ok=True)
    checkpoint.save(at / file.relative_to(saved), header, arrays)
    assert file.read_bytes() == before

    def question() -> Any:
        if which == "cut.zarr":
            return ksdp.simulate(out=at / which, **CUT, resume=True).frame()
        return ksdp.train(saved / "s.zarr", out=at / which, N=20, steps=4, resume=True).trained.model.theta

    answered(question)


CONFIG = {"flow": "laminar2d", "A": [1.0, 10.0], "J": 50, "T": 0.01, "dt": 1e-3, "flow_params": {"A": [1.0]}, "seed": 1}


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(n))} = {toml(v)}" for n, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if value is None:
        return "'none'"
    return str(value) if isinstance(value, (int, float)) else json.dumps(value)


@fuzz()
@given(places=PLACES, way=WAYS, value=HOSTILE, kind=st.sampled_from(["simulate", "train", "experiment"]))
def test_toml(tmp_path: Path, places: list[float], way: str, value: Any, kind: str) -> None:
    shipped = tomllib.loads((definition.DATA / "laminar2d-amplitude.toml").read_text())
    training = {"N": 50, "steps": 10, "eta": ["A"], "solver": "certified", "learning_rate": 1e-3}
    document = mutated({"simulate": CONFIG, "train": training, "experiment": shipped}[kind], places, way, value)
    text = "\n".join(f"{json.dumps(name)} = {toml(entry)}" for name, entry in document.items())
    path = tmp_path / "fuzz.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    questions: dict[str, Callable[[], Any]] = {
        "simulate": lambda: pose(read_toml(path)),
        "train": lambda: build(TrainConfig, read_toml(path)),
        "experiment": lambda: definition.read(path),
    }
    answered(questions[kind])
