"""The inner loop: what it does on the CPU is what its GPU counterpart does, here on CPU tensors and uncaptured."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from ksdp_cli.config import TrainConfig
from ksdp_cli.learning import trainer as trainers
from ksdp_cli.learning.data import TrainingData
from ksdp_cli.learning.descent import Descent, Schedule
from ksdp_cli.learning.descent_gpu import DescentGPU
from ksdp_cli.learning.network.network import Network
from ksdp_cli.learning.optimisers.soap_gpu import SoapGPU
from ksdp_cli.learning.trainer import Trainer


def problem(network: Network, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points, and where a map of the network's size takes them."""
    generator = np.random.default_rng(seed)
    padding = network.sizes[0] + network.heads - network.dim
    rows = generator.standard_normal((400, network.dim + padding)).astype(np.float32)
    return rows, np.tanh(rows[:, : network.dim] + rows[:, -1:]).astype(np.float32)


@pytest.mark.parametrize("optimiser", ["soap", "adam"])
@pytest.mark.parametrize("form", ["paper", "separable"])
def test_the_gpu_s_inner_loop_is_the_cpu_s(form: str, optimiser: str) -> None:
    network, schedule = Network(2, 1, form), Schedule(optimiser, 3e-3, 30, 0.9)
    here, there = (make(network, network.initial(0), schedule) for make in (Descent, cpu_tensors))
    here.set_targets(*problem(network))
    losses = []
    for number in range(25):
        if number == 11:  # the first bases of SOAP are those of singular factors, where rounding decides
            there.restore(here.arrays())
            there.set_targets(*problem(network))
        if number == 15:  # new targets, at the addresses that a captured step knows
            here.set_targets(*problem(network, 1))
            there.set_targets(*problem(network, 1))
        here.step(number)
        losses.append(here.loss())
        if number >= 11:
            there.step(number)
            assert there.loss() == pytest.approx(here.loss(), rel=1e-3)
    assert min(losses[20:]) < 0.9 * losses[0]
    rows = problem(network, 1)[0]
    for averaged in (False, True):
        assert np.abs(there.evaluate(rows, averaged) - here.evaluate(rows, averaged)).max() < 2e-3
    assert (there.weights(True) != there.weights(False)).any()


@pytest.mark.parametrize("optimiser", ["soap", "adam"])
def test_the_gpu_s_inner_loop_learns_from_the_first_step(optimiser: str) -> None:
    network, schedule = Network(2, 1), Schedule(optimiser, 3e-3, 60, 0.9)
    there = cpu_tensors(network, network.initial(0), schedule)
    there.set_targets(*problem(network))
    losses = []
    for number in range(60):
        there.step(number)
        losses.append(there.loss())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("optimiser", ["soap", "adam"])
def test_an_optimiser_does_the_same_to_tensors(optimiser: str) -> None:
    """In float64, to rounding."""
    network, generator = Network(2, 1), np.random.default_rng(3)
    theta = generator.standard_normal(network.parameter_count)
    there = torch.from_numpy(theta.copy())
    schedule = Schedule(optimiser, 3e-3, 30, 0.9)
    one, two = schedule.start(network, theta), schedule.start(network, there)
    before = theta.copy()
    for number in range(25):
        gradient = generator.standard_normal(network.parameter_count)
        one.update(theta, gradient, number, schedule.rate(number))
        two.update(there, torch.from_numpy(gradient), number, schedule.rate(number))
        if number in (0, 10):  # the first bases are those of singular factors, where rounding decides
            for name, part in two.state().items():
                part.copy_(torch.from_numpy(one.state()[name]))
    np.testing.assert_allclose(there.numpy(), theta, atol=1e-9)
    assert np.abs(theta - before).max() > 1e-3


@pytest.mark.parametrize(("form", "dim"), [("paper", 2), ("separable", 2), ("separable", 3)])
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 3e-4), (torch.float64, 1e-12)])
def test_the_bases_turn_side_by_side_as_one_by_one(form: str, dim: int, dtype: Any, bound: float) -> None:
    """Up to the sign of a column, on which nothing depends; padding stays what it is.

    The bound is rounding times the condition of the random factors, up to some 10^3.
    """
    network, generator = Network(dim, 1, form), torch.Generator().manual_seed(0)
    batched = SoapGPU(network, torch.zeros(network.parameter_count, dtype=dtype))
    kept = batched.state()
    for name, part in kept.items():
        if not name.startswith(("mean", "square")):
            part.copy_(torch.randn(part.shape, generator=generator, dtype=dtype))
    before = {name: part.clone() for name, part in kept.items()}
    batched.update_basis(10)
    for side in ("left", "right"):
        for i in range(6):
            wanted = np.linalg.qr((before[f"{side}{i}"] @ before[f"turn_{side}{i}"]).numpy())[0]
            found = kept[f"turn_{side}{i}"].numpy()
            np.testing.assert_allclose(found * np.sign((found * wanted).sum(0)), wanted, atol=bound)
    whole = batched.turns @ batched.turns.mT
    np.testing.assert_allclose(whole, torch.eye(31, dtype=dtype).expand_as(whole), atol=bound)
    assert batched.turns[0, 30, 30].abs() == 1
    assert not batched.turns[0, 30, :30].any()
    assert not batched.turns[0, :30, 30].any()


def test_the_bases_of_a_singular_factor_stay_orthogonal_and_padding_moves_nothing() -> None:
    network, generator = Network(2, 1), np.random.default_rng(0)
    theta, start = (torch.from_numpy(network.initial(0)) for _ in range(2))
    batched = SoapGPU(network, theta)
    gradient = torch.from_numpy(generator.standard_normal(network.parameter_count).astype(np.float32))
    gradient[:900] = 0
    for number in range(31):
        batched.update(theta, gradient, number, 1e-3)
    assert theta.isfinite().all()
    assert (theta != start)[900:].all()
    whole = batched.turns @ batched.turns.mT
    np.testing.assert_allclose(whole, torch.eye(31).expand_as(whole), atol=2e-6)
    for name in ("mean", "square"):
        padded = getattr(batched, name).clone()
        own = SoapGPU(network, theta)
        setattr(own, name, padded)
        for part in (part for kept, part in own.state().items() if kept[:-1] == name):
            part.zero_()
        assert not padded.any()


def test_a_gradient_step_on_the_gpu_is_few_launches() -> None:
    """What would be a launch there: every operation but views. 251 before the layers went side by side."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Launches(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.count += not (function.is_view or function.name() in ("aten::detach", "aten::_unsafe_view"))
            return function(*args, **(kwargs or {}))

    network = Network(2, 1)
    there = cpu_tensors(network, network.initial(0), Schedule("soap", 3e-3, 30, 0.9))
    there.set_targets(*problem(network))
    for number in range(3):
        there.step(number)
    with Launches() as launches:
        there.step(3)
    assert 40 < launches.count <= 65


@pytest.mark.parametrize("optimiser", ["soap", "adam"])
def test_a_restored_inner_loop_goes_on_bit_for_bit(optimiser: str) -> None:
    network, schedule = Network(3, 1), Schedule(optimiser, 3e-3, 30, 0.9)
    for make in (Descent, cpu_tensors):
        whole = make(network, network.initial(0), schedule)
        whole.set_targets(*problem(network))
        for number in range(13):
            whole.step(number)
        kept = copy.deepcopy(whole.arrays())
        other = make(network, network.initial(5), schedule)
        other.restore(kept)
        other.set_targets(*problem(network))
        for number in range(13, 25):
            whole.step(number)
            other.step(number)
        for name, array in whole.arrays().items():
            np.testing.assert_array_equal(other.arrays()[name], array, err_msg=name)
        assert (whole.arrays()["theta"] != kept["theta"]).any()


@pytest.mark.parametrize("solver", ["certified", "iterative-lp"])
def test_a_training_of_tensors_learns_as_the_cpu_s(
    affine_data: Callable[..., TrainingData], monkeypatch: pytest.MonkeyPatch, solver: str
) -> None:
    """The trainer with the GPU's inner loop and the GPU's form of the paper's solver."""
    settings = TrainConfig(N=60, steps=60, renew_batch=20, renew_gamma=10, solver=solver, sub_problems=6)

    def validated(device: str) -> float:
        trainer = Trainer(affine_data(), settings, device)
        for _ in range(settings.steps):
            trainer.advance()
        return trainer.validate()

    wanted = validated("cpu")
    monkeypatch.setattr(trainers, "_descent", lambda network, theta, schedule, _: cpu_tensors(network, theta, schedule))
    if solver == "iterative-lp":
        from ksdp_cli.assignment.iterative import IterativeLP

        monkeypatch.setattr(IterativeLP, "devices", ("cpu", "meta"))
        sweeps = IterativeLP._sweeps
        monkeypatch.setattr(IterativeLP, "_sweeps", lambda self, x, y, start, _: sweeps(self, x, y, start, "cpu"))
    assert validated("meta") < 1.5 * wanted + 0.01


def cpu_tensors(network: Network, theta: np.ndarray, schedule: Schedule) -> DescentGPU:
    return DescentGPU(network, theta, schedule, "cpu")
