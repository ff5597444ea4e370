"""Runs that started from a stored cloud: fresh inputs at every mini-batch, none validated on, all of them kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli.config import TrainConfig
from ksdp_cli.errors import DataError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.initial.points import ROUND, Points
from ksdp_cli.learning.batches import Batches
from ksdp_cli.learning.data import TrainingData
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.trainer import train
from ksdp_cli.testing import check_initial_cloud

Rows = set[tuple[float, ...]]


def rows(x: np.ndarray) -> Rows:
    return {tuple(row) for row in x.reshape(-1, x.shape[-1]).tolist()}


def from_a_store(sets: int = 3, J: int = 600, stored: int = 600) -> TrainingData:
    """Clouds (1 + eta) x of the rows of one source, particle i from row i; a fresh law is never to be asked."""
    source = Ball().draw(stored, 2, 5)
    eta = np.linspace(0.0, 1.0, sets)[:, None]

    def none(n: int, stream: int) -> np.ndarray:
        raise AssertionError("there is no law to draw from")

    return TrainingData(np.stack([(1 + e) * source[:J] for e in eta[:, 0]]).astype("f4"), eta, ("A",), none, source)


def batches(data: TrainingData, n: int = 100, seed: int = 0, stratified: bool = False) -> Batches:
    return Batches(data, EtaMap.of(data.names, data.eta), n, 0, seed, "paper", stratified)


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("stored", [600, 900])
def test_inputs_are_drawn_afresh_and_no_held_out_row_is_trained_on(stratified: bool, stored: int) -> None:
    """Of 480 (780) rows that train, 60 draws of 100 leave out none: each would be with probability (1 - 1/4.8)^60."""
    data = from_a_store(stored=stored)
    made = batches(data, stratified=stratified)
    inputs = [made.draw(number).inputs[..., :2] for number in range(20)]
    seen: Rows = set().union(*map(rows, inputs))
    held = rows(data.source[480:600])
    assert not seen & held
    if stored == 600:
        assert seen == rows(data.source[:480])
    for x in (*inputs[0], *inputs[1]):
        assert len(rows(x)) == 100
    assert len({tuple(sorted(rows(x))) for batch in inputs for x in batch}) == 60
    validated = rows(made.validation().inputs[..., :2])
    assert validated <= held
    assert len(validated) >= 50
    other = batches(data, seed=1, stratified=stratified).draw(0).inputs
    assert not np.array_equal(other[..., :2], inputs[0])


def test_validation_does_not_start_from_the_rows_that_it_is_compared_with() -> None:
    """Else the distance at eta = 0, where the clouds are the source, would be 0 and far below its floor."""
    data = from_a_store()
    made = batches(data).validation()
    assert not rows(made.inputs[0, :, :2]) & rows(made.targets[0])


def test_points_are_a_law() -> None:
    check_initial_cloud(Points(Ball().draw(40_000, 2, 3)))
    check_initial_cloud(Points(Ball().draw(200_000, 3, 3)))


@pytest.mark.parametrize("count", [1, 7, 1000, ROUND + 5])
def test_each_point_comes_as_often_as_any_other(count: int) -> None:
    """In whole rounds of all of them, however a draw is cut; and the sentence that says so."""
    made = Points(np.arange(2 * count, dtype=np.float32).reshape(count, 2), "ring")
    times = max(1, 5000 // count)
    found = made.draw(times * count, 2, 4, stream=9)
    _, counts = np.unique(found[:, 0], return_counts=True)
    assert (counts == times).all()
    assert len(counts) == count
    cut = [made.draw(n, 2, 4, start=start, stream=9) for start, n in ((0, 1), (1, count), (count + 1, 10 * count))]
    np.testing.assert_array_equal(np.concatenate(cut), made.draw(11 * count + 1, 2, 4, stream=9))
    assert made.doubts(count) == []
    (warning,) = made.doubts(3 * count)
    assert all(value in warning for value in ("ring", str(count), str(3 * count)))


def test_the_model_carries_them_and_notices_damage(tmp_path: Path) -> None:
    data = from_a_store()
    found = train(data, TrainConfig(N=50, steps=3, validate_every=3), source=data.source)
    file = tmp_path / "m.safetensors"
    found.model.save(file)
    loaded = Model.load(file)
    np.testing.assert_array_equal(loaded.source, data.source)
    assert loaded.sha256 == found.model.sha256
    raw = file.read_bytes()
    at = raw.index(np.ascontiguousarray(data.source).tobytes()[:64])
    file.write_bytes(raw[:at] + b"\0" + raw[at + 1 :])
    with pytest.raises(DataError, match="source: float32"):
        Model.load(file)
    assert replace(data, source=data.source + 1).sha256() != data.sha256() != replace(data, source=None).sha256()


@pytest.mark.parametrize("source", [np.zeros((5, 3), "f4"), np.zeros((0, 2), "f4"), np.full((5, 2), np.nan, "f4")])
def test_a_source_that_is_none_is_refused(source: Any, tmp_path: Path, model: Model) -> None:
    model.source = source
    model.save(tmp_path / "m.safetensors")
    with pytest.raises(DataError, match="source: "):
        Model.load(tmp_path / "m.safetensors")
