"""Stores and models whose digests are right and whose content is not: an error of ours at once, or the same numbers.

One entry of the metadata of a store or of a model's header is changed, and the digests are made again as another
program would.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ksdp_cli as ksdp
from ksdp_cli.api.describing import info
from ksdp_cli.api.exporting import export
from ksdp_cli.api.references import evaluate, reference_options
from ksdp_cli.errors import KsdpError
from ksdp_cli.learning.model import Model, _header_hash
from ksdp_cli.store import layout
from ksdp_cli.store.selection import select
from ksdp_cli.views import summary

from .hostile import HOSTILE, PLACES, WAYS, answered, fuzz, mutated

STORES = ["s.zarr", "s.zarr", "w.zarr", "c.zarr"]
#: One in six.
MORE = st.integers(0, 5).map(lambda number: number == 0)


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
