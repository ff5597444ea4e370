"""Algorithm 1 as it is printed, written again in plain NumPy in float64 with the same draws; and its constants."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from ksdp_cli.assignment.base import matching_value
from ksdp_cli.assignment.iterative import IterativeExact, IterativeLP
from ksdp_cli.config import PAPER_TRAINING, TrainConfig, build
from ksdp_cli.errors import ConfigError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.batches import Batches
from ksdp_cli.learning.data import TrainingData
from ksdp_cli.learning.trainer import Trainer, train

Make = Callable[..., TrainingData]
SMALL = {"steps": 36, "renew_batch": 12, "renew_gamma": 5, "N": 60, "sub_problems": 6, "sub_problem_size": 12}
LITERAL = TrainConfig(algorithm="paper", tolerance=1e-2, validate_every=36, seed=3, **(PAPER_TRAINING | SMALL))


def with_changes(settings: TrainConfig, **changes: Any) -> TrainConfig:
    return settings.model_copy(update=changes)


def algorithm_1(trainer: Trainer, settings: TrainConfig) -> tuple[np.ndarray, list[np.ndarray]]:
    """The weights, and the permutations at every gradient step; of ``trainer`` only the draws and the first weights."""
    s, theta = settings, trainer.network.initial(settings.seed).astype(float)
    shapes = [(30, 3), *[(30, 30)] * 4, (2, 30)]  # (x, eta) in, five hidden layers
    mean, square, kept = np.zeros_like(theta), np.zeros_like(theta), []

    def layers() -> list[tuple[np.ndarray, np.ndarray]]:
        found, at = [], 0
        for rows, columns in shapes:
            weight = theta[at : at + rows * columns].reshape(rows, columns)
            at += rows * columns
            found.append((weight, theta[at : at + rows]))
            at += rows
        return found

    def forward(x: np.ndarray) -> list[np.ndarray]:
        values = [x]
        for level, (weight, bias) in enumerate(layers()):
            z = values[-1] @ weight.T + bias
            values.append(np.tanh(z) if level < len(shapes) - 1 else z)
        return values

    def gradient(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        values, parts = forward(x), []
        slope = 2 * (values[-1] - y) / len(x)  # of the mean: the sum P divided by its number of terms
        for level, (weight, _) in reversed(list(enumerate(layers()))):
            parts.append(np.concatenate([(slope.T @ values[level]).ravel(), slope.sum(0)]))
            slope = (slope @ weight) * (1 - values[level] ** 2)
        return np.concatenate(parts[::-1])

    def sub_problems(step: int, most: int | None) -> None:
        for r, (x, y) in enumerate(zip(inputs, targets, strict=True)):
            draws, f = np.random.default_rng([s.seed, step, r, s.N]), forward(x)[-1]
            for _ in itertools.count() if most is None else range(most):
                rows = draws.permutation(s.N)[: s.sub_problem_size]
                columns = gamma[r][rows]
                cost = ((f[rows][:, None] - y[columns]) ** 2).sum(-1)
                found = linear_sum_assignment(cost)[1]
                gamma[r][rows] = columns[found]
                change = cost[np.arange(len(rows)), found].sum() - np.trace(cost)
                if most is None and abs(change) < s.tolerance:
                    break

    for step in range(s.steps):
        if step % s.renew_batch == 0:
            batch = trainer.batches.draw(step // s.renew_batch)
            inputs, targets = batch.inputs.astype(float), batch.targets.astype(float)
            gamma = np.tile(np.arange(s.N), (len(inputs), 1))
            if step:
                sub_problems(step, None)
        kept.append(gamma.copy())
        matched = np.take_along_axis(targets, gamma[..., None], 1)
        slope = gradient(inputs.reshape(-1, 3), matched.reshape(-1, 2))
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2  # Adam
        a, b = 1 - 0.9 ** (step + 1), 1 - 0.999 ** (step + 1)
        theta -= s.learning_rate * (mean / a) / (np.sqrt(square / b) + 1e-8)
        done = step % s.renew_batch + 1
        if done % s.renew_gamma == 0 and done < s.renew_batch:  # that of the last step is thrown away
            sub_problems(step + 1, s.sub_problems)
    return theta, kept


@pytest.mark.parametrize("renew_gamma", [1, 5, 12])
def test_the_training_is_algorithm_1_in_plain_numpy(affine_data: Make, renew_gamma: int) -> None:
    """Over three mini-batches: equal permutations at every step, and weights to the rounding of float32."""
    settings = with_changes(LITERAL, renew_gamma=renew_gamma)
    trainer, theirs = Trainer(affine_data(), settings), Trainer(affine_data(), settings)
    theta, kept = algorithm_1(theirs, settings)
    for step in range(settings.steps):
        trainer.advance()
        np.testing.assert_array_equal(trainer.gamma, kept[step], err_msg=f"step {step}")
    np.testing.assert_allclose(trainer.descent.weights(False), theta, atol=2e-4)
    assert np.abs(theta - trainer.network.initial(settings.seed)).max() > 0.05
    assert np.array_equal(kept[0], np.tile(np.arange(60), (3, 1)))
    assert not np.array_equal(kept[12], kept[0])


def test_every_option_that_paper_implies_can_be_changed() -> None:
    found = build(TrainConfig, {"algorithm": "paper"})
    assert (found.decay, found.keep, found.average, found.most_sub_problems) == ("none", "last", 0.0, 0)
    assert (found.sub_problem_size, found.sub_problems, found.renew_batch, found.renew_gamma) == (50, 200, 1000, 200)
    own = {"decay": "cosine", "keep": "best", "sub_problem_size": 20, "most_sub_problems": 7, "tolerance": 3.0}
    changed = build(TrainConfig, {"algorithm": "paper"} | own)
    assert {name: getattr(changed, name) for name in own} == own
    with pytest.raises(ConfigError, match="tolerance = 3"):
        build(TrainConfig, {"tolerance": 3.0})


@pytest.mark.parametrize("solver", [IterativeLP, IterativeExact])
def test_a_cap_on_the_iteration_is_reported(solver: Any) -> None:
    """Two discs alike need more sub-problems than a cap of one sweep allows."""
    x, y = (Ball().draw(200, 2, seed)[None] for seed in (1, 2))
    free = solver(M=20, tolerance=1e-3).solve(x, y)
    short = solver(M=20, tolerance=1e-3, iterations=10).solve(x, y)
    assert (free.status, short.status) == ("converged", "capped")
    assert free.value[0] < short.value[0]
    assert solver(M=20, tolerance=-1.0, iterations=10).solve(x, y).status == "iterated"
    with pytest.raises(ConfigError, match="tolerance = -1"):
        solver(tolerance=-1.0)


def test_the_tolerance_as_printed_is_that_of_one_sub_problem() -> None:
    """The first whose gain is less than it ends the data set; one larger than any gain ends it at once."""
    x, y = (Ball().draw(200, 2, seed)[None] for seed in (1, 2))
    once = IterativeExact(M=20, tolerance=1e9, literal=True).solve(x, y)
    assert once.status == "converged"
    assert (once.permutation[0] != np.arange(200)).sum() <= 20
    values = [
        matching_value(x, y, IterativeExact(M=20, tolerance=tolerance, literal=True).solve(x, y).permutation)[0]
        for tolerance in (1.0, 0.1, 1e-3)
    ]
    assert values[0] > values[1] > values[2]
    swept, met = IterativeLP(M=20, tolerance=1e-3, literal=True)._sweeps(x, y, np.arange(200)[None], "cpu")
    assert met
    assert matching_value(x, y, swept)[0] < 1.5 * values[2]


def test_a_training_says_how_often_a_cap_ended_a_solve(affine_data: Make) -> None:
    found = train(affine_data(), with_changes(LITERAL, most_sub_problems=1))
    assert found.model.provenance["result"]["capped_solves"] == 2  # at both later mini-batches
    free = train(affine_data(), LITERAL).model.provenance["result"]
    assert "capped_solves" not in free


def test_no_two_renewals_draw_the_same_rows() -> None:
    """(seed, step, data set) = (0, 1, 1), (0, 2, 0), (1, 1, 0) once did."""
    x = np.random.default_rng(0).random((2, 40, 2))
    y = np.random.default_rng(1).random((1, 40, 2)).repeat(2, 0)
    x[1] = x[0]

    def moved(seed: int, step: int) -> list[tuple[int, ...]]:
        found = IterativeExact(M=20, tolerance=-1.0, iterations=1, seed=seed, step=step).solve(x, y).permutation
        return [tuple(row) for row in found]

    every = [one for seed, step in itertools.product(range(3), range(4)) for one in moved(seed, step)]
    assert len(set(every)) == len(every)


def test_gamma_is_renewed_in_steps_of_its_own_from_the_start_of_a_mini_batch(affine_data: Make) -> None:
    settings = with_changes(LITERAL, renew_batch=12, renew_gamma=5, steps=30)
    trainer, renewed = Trainer(affine_data(), settings), []
    renew = trainer._renew_gamma
    trainer._renew_gamma = lambda to_tolerance=False: (renewed.append(trainer.step), renew(to_tolerance))[1]  # type: ignore[method-assign]
    while trainer.step < 30:
        trainer.advance()
    assert renewed == [5, 10, 12, 17, 22, 24, 29]


def test_which_weights_are_kept(affine_data: Make) -> None:
    noisy = with_changes(LITERAL, learning_rate=0.05, validate_every=6)
    last, best = (train(affine_data(), with_changes(noisy, keep=keep)) for keep in ("last", "best"))
    np.testing.assert_array_equal(last.model.theta, last.last_model.theta)
    validated = [row["validation"] for row in best.history if row["validation"] is not None]
    assert best.model.provenance["result"]["validation_W2_squared"] == min(validated)
    assert last.model.provenance["result"]["validation_W2_squared"] == validated[-1]


def test_the_step_size_stays_without_a_decay(affine_data: Make) -> None:
    rates = {row["rate"] for row in train(affine_data(), LITERAL).history}
    assert rates == {5e-3}
    assert train(affine_data(), with_changes(LITERAL, decay="cosine")).history[-1]["rate"] < 1e-4


def test_nothing_need_be_held_out(affine_data: Make) -> None:
    data = affine_data(3, 60)
    found = train(data, with_changes(LITERAL, N=60, held_out=0.0, steps=2))
    assert (found.history[-1]["validation"], found.history[-1]["floor"]) == (None, None)
    assert found.model.provenance["result"]["validated_on"] == "nothing"
    with pytest.raises(ConfigError, match="--validate"):
        train(data, with_changes(LITERAL, N=60, held_out=0.0, steps=2, keep="best"))
    with pytest.raises(ConfigError, match="--held-out"):
        train(data, with_changes(LITERAL, N=60, held_out=0.1))


def test_other_runs_are_validated_on_at_their_own_parameters(affine_data: Make) -> None:
    """At eta = 0.25 and 0.75, where no data set is: distance and floor are those of these clouds."""
    eta = np.array([[0.25], [0.75]])
    others = np.stack([(1 - e / 2) * Ball().draw(500, 2, 55, stream=i) + [e, 0] for i, e in enumerate(eta[:, 0])])
    data = replace(affine_data(), validation=(others.astype(np.float32), eta))
    settings = with_changes(LITERAL, held_out=0.0, validate_n=200, validate_every=18)
    found = train(data, settings)
    assert found.model.provenance["result"]["validated_on"] == "200 particles of 2 clouds of other runs"
    assert [row["step"] for row in found.history if row["validation"] is not None] == [18, 36]
    made = Trainer(data, settings)
    assert made.held is not None
    np.testing.assert_array_equal(made.held.targets, data.validation[0][:, -200:])
    plain = train(affine_data(), settings)
    np.testing.assert_array_equal(plain.last_model.theta, found.last_model.theta)
    assert isinstance(made.batches, Batches)
