"""Algorithm 1: it learns, it repeats, and it resumes bit for bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.config import PAPER_TRAINING, TrainConfig
from ksdp_cli.errors import ConfigError, DataError, NumericalError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.batches import Batches
from ksdp_cli.learning.data import TrainingData
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.optimisers.adam import Adam
from ksdp_cli.learning.optimisers.base import rate
from ksdp_cli.learning.trainer import Trainer, train


def with_changes(settings: TrainConfig, **changes: Any) -> TrainConfig:
    return settings.model_copy(update=changes)


SMALL = TrainConfig(N=60, steps=46, renew_batch=20, renew_gamma=7, validate_every=15, seed=5)
PAPER = with_changes(SMALL, **(PAPER_TRAINING | {"steps": 46, "renew_batch": 20, "renew_gamma": 7}), algorithm="paper")


class Stop(Exception):
    pass


def quiet(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def test_an_affine_map_is_learned_to_near_the_floor(affine_data: Callable[..., TrainingData]) -> None:
    settings = TrainConfig(N=600, steps=900, renew_batch=300, renew_gamma=50, validate_every=300)
    found = train(affine_data(3, 1000), settings)
    x, y = Ball().draw(1000, 2, 1), Ball().draw(1000, 2, 2)
    for eta in (0.0, 0.5, 1.0):  # in between, three data sets do not pin the map down
        target = ((1 - eta / 2) * y + eta * np.eye(2)[0]).astype(np.float32)
        floor = Certified().solve((1 - eta / 2) * x[None], (1 - eta / 2) * y[None]).value[0]
        value = Certified().solve(found.model.push(x, [eta])[None], target[None]).value[0]
        assert value < 1.5 * floor + 0.01, (eta, value, floor)
    assert found.history[-1]["step"] == settings.steps
    assert found.history[-1]["loss"] < 0.02
    validated = [row["validation"] for row in found.history if row["validation"] is not None]
    assert found.model.provenance["result"]["validation_W2_squared"] == validated[-1]
    np.testing.assert_array_equal(found.model.theta, found.last_model.theta)


def test_without_averaging_the_weights_that_validated_best_are_kept(affine_data: Callable[..., TrainingData]) -> None:
    found = train(affine_data(), with_changes(SMALL, average=0.0, learning_rate=0.05))
    validated = [row["validation"] for row in found.history if row["validation"] is not None]
    assert found.model.provenance["result"]["validation_W2_squared"] == min(validated)


def test_training_stops_at_an_absolute_excess_over_the_floor(affine_data: Callable[..., TrainingData]) -> None:
    whole = train(affine_data(), SMALL)
    row = next(row for row in whole.history if row["validation"] is not None)
    found = train(affine_data(), with_changes(SMALL, stop_excess=row["validation"] - row["floor"] + 1e-6))
    assert found.history[-1]["step"] == row["step"] < SMALL.steps
    assert 0 < row["floor"] < row["validation"]


def test_the_paper_s_algorithm_learns_too(affine_data: Callable[..., TrainingData]) -> None:
    settings = with_changes(PAPER, N=200, steps=300, renew_batch=100, renew_gamma=25, sub_problems=10)
    found = train(affine_data(3, 500), settings)
    assert found.model.network.form == "paper"
    assert found.history[-1]["loss"] < 0.2 * found.history[0]["loss"] + 0.02


def test_a_seed_repeats_and_another_does_not(affine_data: Callable[..., TrainingData]) -> None:
    one, two = (train(affine_data(), SMALL) for _ in range(2))
    np.testing.assert_array_equal(one.last_model.theta, two.last_model.theta)
    assert quiet(one.history) == quiet(two.history)
    assert (
        np.abs(train(affine_data(), with_changes(SMALL, seed=6)).last_model.theta - one.last_model.theta).max() > 1e-3
    )


@pytest.mark.parametrize(
    ("cut", "solver"),
    [(3, "certified"), (20, "certified"), (33, "certified"), (33, "iterative-exact"), (33, "iterative-lp")],
)
def test_a_resumed_training_is_the_uninterrupted_one_bit_for_bit(
    affine_data: Callable[..., TrainingData], cut: int, solver: str
) -> None:
    base = PAPER if solver == "iterative-lp" else SMALL
    settings = with_changes(base, solver=solver, sets=2, sub_problem_size=12)
    steps, kept = iter(range(1, 1000)), list[Any]()

    def interrupt(state: Any) -> None:
        kept.append(state)
        raise Stop

    whole = train(affine_data(), settings)
    with pytest.raises(Stop):
        train(affine_data(), settings, on_checkpoint=interrupt, should_stop=lambda: next(steps) == cut)
    assert kept[0][0]["step"] == cut
    rest = train(affine_data(), settings, state=kept[0])
    np.testing.assert_array_equal(rest.last_model.theta, whole.last_model.theta)
    np.testing.assert_array_equal(rest.model.theta, whole.model.theta)
    assert quiet(rest.history) == quiet(whole.history)


def test_gamma_starts_as_the_identity_and_is_solved_before_later_mini_batches(
    affine_data: Callable[..., TrainingData],
) -> None:
    trainer = Trainer(affine_data(), with_changes(PAPER, solver="certified"))
    trainer.advance()
    np.testing.assert_array_equal(trainer.gamma, np.tile(np.arange(60), (3, 1)))
    for _ in range(7):
        trainer.advance()
    assert (trainer.gamma != np.arange(60)).any()
    while trainer.step < 20:
        trainer.advance()
    before = trainer.descent.weights(False)
    trainer.advance()
    assert trainer.batch is not None
    outputs = trainer.network.evaluate(before, trainer.batch.inputs.reshape(-1, 3)).reshape(3, 60, 2)
    best = Certified().solve(outputs, trainer.batch.targets).permutation
    np.testing.assert_array_equal(trainer.gamma, best)


def test_progress_is_told_and_validation_particles_are_never_trained_on(
    affine_data: Callable[..., TrainingData],
) -> None:
    events: list[dict[str, Any]] = []
    data = affine_data()
    train(data, SMALL, progress=events.append)
    assert [event["step"] for event in events if event["validation"] is not None] == [15, 30, 45, 46]
    assert {event["steps"] for event in events} == {46}
    batches = Batches(data, EtaMap.of(data.names, data.eta), 60, 0, 1)
    held = {tuple(row) for row in batches.validation().targets.reshape(-1, 2)}
    assert len(held) == 3 * 60
    others = {tuple(row) for row in batches.others().reshape(-1, 2)}
    assert len(others) == 3 * 60
    assert not held & others
    held |= others
    for number in range(5):
        assert not held & {tuple(row) for row in batches.draw(number).targets.reshape(-1, 2)}


def test_mini_batches_hold_the_paper_s_number_of_data_sets(affine_data: Callable[..., TrainingData]) -> None:
    def sets(total: int, asked: int = 0) -> int:
        data = affine_data(total, 50)
        return len(Batches(data, EtaMap.of(data.names, data.eta), 10, asked, 0).draw(0).inputs)

    assert [sets(3), sets(11), sets(12), sets(20, 5), sets(3, 8)] == [3, 11, 8, 5, 3]


def test_adam_is_torch_s_adam() -> None:
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(0)
    theta = generator.standard_normal(50).astype(np.float32)
    peer = torch.nn.Parameter(torch.tensor(theta))
    optimiser, adam = torch.optim.Adam([peer], lr=5e-3), Adam(theta)
    for step in range(30):
        gradient = generator.standard_normal(50).astype(np.float32)
        peer.grad = torch.tensor(gradient)
        optimiser.step()
        adam.update(theta, gradient, step, 5e-3)
    np.testing.assert_allclose(theta, peer.detach().numpy(), atol=1e-6)
    assert rate(1.0, 0, 100) == 1
    assert rate(1.0, 100, 100) == pytest.approx(0.01)


def test_bad_input_is_refused(affine_data: Callable[..., TrainingData]) -> None:
    data = affine_data()
    with pytest.raises(ConfigError, match="N = 500"):
        train(data, with_changes(SMALL, N=500))
    with pytest.raises(ConfigError, match="transition solver"):
        train(data, with_changes(SMALL, solver="certfied"))
    for optimiser, rate_ in itertools.product(("soap", "adam"), (1e30, 1e38)):  # warnings are errors in the tests
        with pytest.raises(NumericalError, match="not finite"):
            train(data, with_changes(SMALL, learning_rate=rate_, optimiser=optimiser))
    far = data.clouds.copy()
    far[1, 3, 0] = 3e38
    with pytest.raises(DataError, match=r"3e\+38"):
        TrainingData(far, data.eta, data.names, data.draw)
    far[1, 3, 0] = 1e15  # as far as may be: an answer or an error, and no warning
    train(TrainingData(far, data.eta, data.names, data.draw), with_changes(SMALL, steps=3))
    broken = data.clouds.copy()
    broken[1, 3, 0] = np.nan
    with pytest.raises(DataError, match="1 training particles"):
        TrainingData(broken, data.eta, data.names, data.draw)
    assert data.sha256() != TrainingData(data.clouds + 1, data.eta, data.names, data.draw).sha256()
