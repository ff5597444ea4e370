"""Stratified sub-samples: every particle with the same probability, every part of the cloud with nearly its share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.batches import Batches, neighbours, one_of_each
from ksdp_cli.learning.data import TrainingData
from ksdp_cli.learning.eta_map import EtaMap


@pytest.mark.parametrize("dim", [2, 3])
def test_a_stratified_sub_sample_is_nearer_to_its_cloud_than_a_random_one(dim: int) -> None:
    """W2 squared of sub-samples of 200 to other points of the same cloud, and the share of a half space."""
    generator, cloud = np.random.default_rng(0), Ball().draw(800, dim, 1)
    cloud[:, 0] = cloud[:, 0] ** 3
    order = neighbours(cloud)
    chosen = np.stack([cloud[one_of_each(order, 200, generator)] for _ in range(12)])
    random = np.stack([cloud[generator.permutation(800)[:200]] for _ in range(12)])
    near, far = (Certified().solve(part[:6], part[6:]).value.mean() for part in (chosen, random))
    assert near < 0.75 * far
    shares = [((part[..., 1] > 0).mean(1) - (cloud[:, 1] > 0).mean()).std() for part in (chosen, random)]
    assert shares[0] < 0.7 * shares[1]


@pytest.mark.parametrize(("n", "kept"), [(50, 200), (50, 230), (200, 200), (1, 7)])
def test_every_particle_comes_with_the_same_probability_and_none_twice(n: int, kept: int) -> None:
    """Counts over 4000 draws: a particle of a run of k comes in 1 / k of them, within 5 standard deviations."""
    generator, order = np.random.default_rng(1), np.random.default_rng(2).permutation(kept)
    counts = np.zeros(kept)
    for _ in range(4000):
        chosen = one_of_each(order, n, generator)
        assert len(set(chosen.tolist())) == n
        counts[chosen] += 1
    sizes = np.diff(np.arange(n + 1) * kept // n)
    wanted = 1 / np.repeat(sizes, sizes)
    np.testing.assert_array_less(abs(counts[order] / 4000 - wanted), 5 * np.sqrt(wanted * (1 - wanted) / 4000) + 1e-9)


def test_mini_batches_are_stratified_where_asked(affine_data: Callable[..., TrainingData]) -> None:
    data = affine_data(3, 1000)
    draws = [
        Batches(data, EtaMap.of(data.names, data.eta), 200, 0, 4, "paper", stratified).draw(7)
        for stratified in (True, False)
    ]
    solved = [Certified().solve(draw.inputs[:1, :, :2], draw.targets[:1]).value[0] for draw in draws]
    assert solved[0] < 0.75 * solved[1]
    for draw in draws:
        assert draw.inputs.shape == (3, 200, 3)
        for targets, cloud in zip(draw.targets, data.clouds, strict=True):
            assert {tuple(row) for row in targets} <= {tuple(row) for row in cloud[:800]}
    again = Batches(data, EtaMap.of(data.names, data.eta), 200, 0, 4, "paper", True).draw(7)
    np.testing.assert_array_equal(again.inputs, draws[0].inputs)
    np.testing.assert_array_equal(again.targets, draws[0].targets)


def test_a_stored_initial_cloud_need_not_hold_more_than_the_run_took(affine_data: Callable[..., TrainingData]) -> None:
    data, asked = affine_data(3, 600), []

    def draw(n: int, stream: int) -> np.ndarray:
        asked.append(n)
        return Ball().draw(n, 2, 7, stream=stream)

    held = TrainingData(data.clouds, data.eta, data.names, draw)
    Batches(held, EtaMap.of(data.names, data.eta), 400, 0, 1, "paper", True).draw(0)
    assert set(asked) == {600}
