"""Files whose digests are right and whose content is not: an error of ours at once, or the same numbers.

A fuzzer: one entry of the metadata of a store, a model's header, a checkpoint or a TOML file is replaced by something
of another type or size, dropped or added, and the digests are made again as another program would. Every answer must be
a `KsdpError` or the numbers that were written, within 5 s of a core, whatever else the machine does, and without memory
of the size that the file claims.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import shutil
import struct
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ksdp_cli as ksdp
from ksdp_cli.api.describing import info
from ksdp_cli.api.exporting import export
from ksdp_cli.api.references import evaluate, reference_options
from ksdp_cli.base import checkpoint
from ksdp_cli.config import TrainConfig, build, read_toml
from ksdp_cli.errors import KsdpError
from ksdp_cli.experiments import definition
from ksdp_cli.learning.model import Model, _header_hash
from ksdp_cli.particles.problem import pose
from ksdp_cli.store import layout
from ksdp_cli.store.selection import select
from ksdp_cli.views import summary

#: Of each of the six kinds.
CI, SLOW = 50, 1000
#: Seconds of processor time, and of the clock, which a loaded machine stretches and an endless wait passes; bytes.
LONGEST, ENDLESS, LARGEST = 5.0, 60.0, 1 << 30
DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]
#: What takes the place of an entry.
NUMBERS = [0, -1, 1, 2, 3, 7, 10**6, 10**12, 2**63, 10**400, 0.0, -0.5, 1.5, 1e-300, 1e300, float("nan"), float("inf")]
TEXTS = ["", "x", "1", "../x", "os:system", "\ud800", "\x1b[31m", "\0", "a" * 10_000, "</script>"]
NESTED = [[], [[]], [None], [0], [1.0, 2.0], ["x"], [float("nan")], {}, {"x": 1}, {"": None}, {"A": [1.0]}, DEEP]
HOSTILE = st.sampled_from([None, True, False, *NUMBERS, *TEXTS, *NESTED])
PLACES = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=5)
STORES = ["s.zarr", "s.zarr", "w.zarr", "c.zarr"]
#: One in six.
MORE = st.integers(0, 5).map(lambda number: number == 0)
WAYS = st.sampled_from(["replace", "replace", "replace", "drop", "add"])


def mutated(document: Any, places: list[float], way: str, value: Any) -> Any:
    """``document`` with one entry changed, which ``places`` choose on the way down."""
    document = copy.deepcopy(document)
    at = document
    for place in places:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            break
        key = keys[int(place * len(keys))]
        if place is places[-1] or not isinstance(at[key], (dict, list)) or not at[key]:
            if way == "drop":
                del at[key]
            elif way == "add" and isinstance(at, dict):
                at["added"] = value
            else:
                at[key] = value
            break
        at = at[key]
    return document


def fuzz(part: float = 1.0) -> Any:
    """``part`` of the mutations of a kind: 270 in all, and 5400 where slow tests run; always the same ones."""
    return settings(
        max_examples=round(part * (SLOW if "KSDP_SLOW_TESTS" in os.environ else CI)),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


def peak() -> int:
    """Bytes that this process has held at most, as far as the system tells."""
    resource = pytest.importorskip("resource")
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def answered(question: Callable[[], Any]) -> Any:
    """The answer, or None after an error of ours; neither late nor with memory that only the file claims."""
    began, worked, before = time.monotonic(), time.process_time(), peak()
    found = None
    with contextlib.suppress(KsdpError):
        found = question()
    assert time.process_time() - worked < LONGEST
    assert time.monotonic() - began < ENDLESS
    assert peak() - before < LARGEST
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("hostile")
    run = ksdp.simulate(out=at / "s.zarr", flow="laminar2d", A=[1, 10, 100], J=60, snapshots=[1e-3, 2e-3], dt=1e-3)
    model = ksdp.train(run, out=at / "m.safetensors", N=20, steps=2).trained.model
    ksdp.sample(model, n=30, A=3, out=at / "c.zarr")
    ksdp.simulate(out=at / "w.zarr", flow="laminar2d", A=[1, 10], init=f"{at}/s.zarr@A=1", J=60, T=1e-3, dt=1e-3)
    return at


def sealed(root: Path, metadata: dict[str, Any]) -> None:
    """Write root metadata with the digests that they should have."""
    attributes = metadata.get("attributes")
    if isinstance(attributes, dict):
        names = ["axis", "digest", "position", "time", *(attributes["cases"] if _is_names(attributes) else [])]
        sha = hashlib.sha256()
        for name in sorted(names):
            for file in [root / name / "zarr.json"] + [root / name / "c" / "0"] * (
                name not in ("position", "digest", "time")
            ):
                content = file.read_bytes() if file.is_file() else b""
                sha.update(f"{name}/{file.name}:{len(content)}:".encode() + content)
        attributes[layout.STATIC_DIGEST] = sha.hexdigest()
        attributes[layout.ROOT_DIGEST] = layout.root_digest(metadata)
    (root / "zarr.json").write_text(json.dumps(metadata))


def _is_names(attributes: dict[str, Any]) -> bool:
    return isinstance(attributes.get("cases"), dict) and all(n.isidentifier() for n in attributes["cases"])


def everything(path: Path, out: Path, more: bool) -> Any:
    """All that the commands look at in a store, and what they make of it where there is ``more`` time; its numbers."""
    run = ksdp.open_run(path)
    frames = [run.frame(case, k) for case in range(len(run.cases)) for k in range(len(run.times))]
    info(path)
    summary.of_run(run)
    out.unlink(missing_ok=True)
    for part in (
        lambda: reference_options(run.config, {}),
        lambda: list(select(run).blocks()),
        lambda: export(run, out),
        lambda: ksdp.compare(run, run, A=1, t=1e-3, N=5, floor="halves", metrics="w2"),
        lambda: ksdp.train(run, N=10, steps=1, out=out.with_suffix(".safetensors"), overwrite=True),
    )[: 5 if more else 2]:
        with contextlib.suppress(KsdpError):
            part()
    return np.stack(frames), run.times.tolist(), [list(values.values()) for values in run.cases]


@fuzz()
@given(places=PLACES, way=WAYS, value=HOSTILE, which=st.sampled_from(STORES), more=MORE)
def test_store_attributes(made: Path, places: list[float], way: str, value: Any, which: str, more: bool) -> None:
    root = made / "copies" / which
    if not root.exists():
        shutil.copytree(made / which, root)
    metadata = json.loads((made / which / "zarr.json").read_text())
    attributes = mutated(metadata["attributes"], places, way, value)
    sealed(root, metadata | {"attributes": attributes})
    found = answered(lambda: everything(root, made / "copies" / "x.npz", more))
    if found is not None:
        run = ksdp.open_run(made / which)
        frames = [run.frame(case, k) for case in range(len(run.cases)) for k in range(len(run.times))]
        assert np.array_equal(found[0], np.stack(frames))
        assert found[1] == run.times.tolist()
        assert found[2] == [list(values.values()) for values in run.cases]


@fuzz()
@given(
    places=PLACES, way=WAYS, value=HOSTILE, name=st.sampled_from(["position", "time", "digest", "A", "axis"]), more=MORE
)
def test_store_arrays(made: Path, places: list[float], way: str, value: Any, name: str, more: bool) -> None:
    root = made / "arrays.zarr"
    if not root.exists():
        shutil.copytree(made / "s.zarr", root)
    file = root / name / "zarr.json"
    before = file.read_bytes()
    stated = mutated(json.loads(before), places, way, value)
    try:
        file.write_text(json.dumps(stated))
        metadata = json.loads((made / "s.zarr" / "zarr.json").read_text())
        metadata["consolidated_metadata"]["metadata"][name] = stated
        sealed(root, metadata)
        found = answered(lambda: everything(root, made / "y.npz", more))
    finally:
        file.write_bytes(before)
    if found is not None:
        run = ksdp.open_run(made / "s.zarr")
        assert np.array_equal(found[0], np.stack([run.frame(case, k) for case in range(3) for k in range(2)]))


@fuzz()
@given(
    places=PLACES,
    way=WAYS,
    value=HOSTILE,
    entry=st.sampled_from(["network", "eta_map", "training", "provenance"]),
    more=MORE,
)
def test_model_headers(made: Path, places: list[float], way: str, value: Any, entry: str, more: bool) -> None:
    raw = (made / "m.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    told = header["__metadata__"]
    told[entry] = json.dumps(mutated(json.loads(told[entry]), places, way, value))
    told["header_sha256"] = _header_hash(told)
    head = json.dumps(header).encode()
    path = made / "mutated.safetensors"
    path.write_bytes(struct.pack("<Q", len(head)) + head + raw[8 + length :])

    def question() -> Any:
        model = Model.load(path)
        info(path)
        values = model.complete({})
        evaluate(model, "m", values, 10, "cpu", 0)
        reference_options(model.provenance["simulation"], values)
        if more:
            run = ksdp.sample(model, n=10, out=made / "sampled.zarr", overwrite=True)
            assert np.isfinite(run.frame()).all()
        return model.theta

    found = answered(question)
    assert found is None or np.array_equal(found, Model.load(made / "m.safetensors").theta)


@fuzz()
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_damaged_bytes_are_noticed(made: Path, at: float, bit: int, cut: bool) -> None:
    """Of any file of a store and of a model: an error, or the very numbers."""
    names = sorted(str(p.relative_to(made / "s.zarr")) for p in (made / "s.zarr").rglob("*") if p.is_file())
    root = made / "damaged.zarr"
    if not root.exists():
        shutil.copytree(made / "s.zarr", root)
    file = root / names[int(at * 1e6) % len(names)]
    before = bytearray(file.read_bytes())
    damaged = before[: int(at * len(before))] if cut else before.copy()
    if not cut:
        damaged[int(at * len(before))] ^= 1 << bit
    try:
        file.write_bytes(damaged)
        found = answered(lambda: everything(root, made / "z.npz", False))
    finally:
        file.write_bytes(before)
    if found is not None:
        run = ksdp.open_run(made / "s.zarr")
        assert np.array_equal(found[0], np.stack([run.frame(case, k) for case in range(3) for k in range(2)]))


#: By the tree, whose state is in the checkpoint.
CUT: dict[str, Any] = {"J": 40, "T": 4e-3, "dt": 1e-3, "engine": "tree"}


@pytest.fixture(scope="module")
def saved(made: Path) -> Path:
    """Checkpoints of a simulation and of a training that were stopped, each with what it belongs to."""
    for verb in (
        lambda **more: ksdp.simulate(out=made / "cut.zarr", **CUT, **more),
        lambda **more: ksdp.train(made / "s.zarr", out=made / "cut.safetensors", N=20, steps=4, **more),
    ):
        with pytest.raises(KsdpError):
            verb(stop=lambda: 15)
    shutil.copytree(made, made.with_name("saved"), dirs_exist_ok=True)
    return made.with_name("saved")


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
def test_toml(made: Path, places: list[float], way: str, value: Any, kind: str) -> None:
    shipped = tomllib.loads((definition.DATA / "laminar2d-amplitude.toml").read_text())
    training = {"N": 50, "steps": 10, "eta": ["A"], "solver": "certified", "learning_rate": 1e-3}
    document = mutated({"simulate": CONFIG, "train": training, "experiment": shipped}[kind], places, way, value)
    text = "\n".join(f"{json.dumps(name)} = {toml(entry)}" for name, entry in document.items())
    path = made / "fuzz.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    questions: dict[str, Callable[[], Any]] = {
        "simulate": lambda: pose(read_toml(path)),
        "train": lambda: build(TrainConfig, read_toml(path)),
        "experiment": lambda: definition.read(path),
    }
    answered(questions[kind])
