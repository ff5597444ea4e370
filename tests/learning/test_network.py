"""The network against Table 1, against torch, and the compiled passes against plain formulas."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network import cpu
from ksdp_cli.learning.network.cpu import _tanh
from ksdp_cli.learning.network.gpu import evaluate, forward
from ksdp_cli.learning.network.network import Network


def torch_gradient(
    network: Network, theta: np.ndarray, rows: np.ndarray, targets: np.ndarray
) -> tuple[float, np.ndarray]:
    """Mean |f - y|^2 and its gradient, by automatic differentiation."""
    weights = torch.tensor(theta, requires_grad=True)
    loss = ((forward(network, weights, torch.from_numpy(rows)) - torch.from_numpy(targets)) ** 2).sum(1).mean()
    return float(loss.detach()), torch.autograd.grad(loss, weights)[0].numpy()


@pytest.mark.parametrize(("dim", "eta_count", "parameters"), [(2, 1, 3902), (3, 1, 3963), (2, 2, 3932)])
def test_the_parameters_are_those_of_table_1(dim: int, eta_count: int, parameters: int) -> None:
    network = Network(dim, eta_count)
    assert network.parameter_count == parameters == network.initial(0).size
    assert sum(w.size + b.size for w, b in network.layers(network.initial(0))) == parameters


@pytest.mark.parametrize(("dim", "eta_count", "parameters"), [(2, 1, 3996), (3, 1, 4119), (2, 2, 4058), (3, 2, 4212)])
def test_the_separable_form_stays_within_five_per_cent_of_table_1(dim: int, eta_count: int, parameters: int) -> None:
    count = Network(dim, eta_count, "separable").parameter_count
    assert count == parameters
    assert count <= (1.05 if (dim, eta_count) != (3, 2) else 1.055) * Network(dim, eta_count).parameter_count


@pytest.mark.parametrize(
    ("form", "eta_count", "padding"), [("residual", 1, 1), ("separable", 1, 3), ("separable", 2, 4), ("product", 2, 9)]
)
@pytest.mark.parametrize("dim", [2, 3])
def test_the_other_forms_are_those_of_torch_and_fold_at_one_eta(
    form: str, eta_count: int, padding: int, dim: int
) -> None:
    network, generator = Network(dim, eta_count, form), np.random.default_rng(dim)
    theta = network.initial(1) + 0.1 * generator.standard_normal(network.parameter_count).astype(np.float32)
    rows = generator.standard_normal((1000, dim + padding)).astype(np.float32)
    targets = generator.standard_normal((1000, dim)).astype(np.float32)
    there = evaluate(network, torch.from_numpy(theta), rows)
    np.testing.assert_allclose(network.evaluate(theta, rows), there, atol=5e-6)
    loss, slopes = network.gradient(theta, rows, targets)
    wanted, expected = torch_gradient(network, theta, rows, targets)
    assert loss == pytest.approx(wanted, rel=1e-5)
    np.testing.assert_allclose(slopes, expected, atol=1e-5 * np.abs(expected).max())
    rows[:, dim:] = rows[0, dim:]
    folded, own = network.at(theta, rows[0, dim:])
    np.testing.assert_allclose(folded.evaluate(own, rows[:, :dim]), network.evaluate(theta, rows), atol=5e-6)


def test_the_separable_form_is_linear_in_its_coefficients() -> None:
    network, generator = Network(2, 1, "separable"), np.random.default_rng(0)
    theta, x = network.initial(1), generator.standard_normal((100, 2)).astype(np.float32)

    def f(*c: float) -> np.ndarray:
        return network.evaluate(theta, np.concatenate([x, np.tile(np.float32(c), (100, 1))], 1)).astype(np.float64)

    np.testing.assert_array_equal(f(0, 0, 0), x)
    parts = (f(1, 0, 0) - x) + 2 * (f(0, 1, 0) - x) - 3 * (f(0, 0, 1) - x)
    np.testing.assert_allclose(f(1, 2, -3) - x, parts, atol=2e-6)


def test_a_seed_decides_the_weights() -> None:
    network = Network(2, 1)
    np.testing.assert_array_equal(network.initial(4), network.initial(4))
    assert np.abs(network.initial(4) - network.initial(5)).max() > 0.01


def test_tanh_is_right_to_single_precision() -> None:
    x = np.concatenate([np.linspace(-12, 12, 200_001), [0, 1e-8, -1e-8, 50, -50, 1e30, -1e30]]).astype(np.float32)
    y = x.copy()
    _tanh(y)
    assert np.abs(y - np.tanh(x.astype(np.float64))).max() < 3e-7


@pytest.mark.parametrize(("dim", "eta_count"), [(2, 1), (3, 1), (2, 2), (3, 3)])
@pytest.mark.parametrize("n", [1, 255, 256, 1000, 9000])
def test_forward_and_gradient_are_those_of_torch(dim: int, eta_count: int, n: int) -> None:
    network, generator = Network(dim, eta_count), np.random.default_rng(n)
    theta = network.initial(1)
    inputs = generator.standard_normal((n, dim + eta_count)).astype(np.float32)
    targets = generator.standard_normal((n, dim)).astype(np.float32)
    there = evaluate(network, torch.from_numpy(theta), inputs)
    np.testing.assert_allclose(network.evaluate(theta, inputs), there, atol=1e-6)
    loss, slopes = network.gradient(theta, inputs, targets)
    wanted, expected = torch_gradient(network, theta, inputs, targets)
    assert loss == pytest.approx(wanted, rel=1e-5)
    np.testing.assert_allclose(slopes, expected, atol=3e-6 * np.abs(expected).max())


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    network, generator = Network(2, 1), np.random.default_rng(0)
    theta = network.initial(2)
    inputs = generator.standard_normal((500, 3)).astype(np.float32)
    targets = generator.standard_normal((500, 2)).astype(np.float32)
    _, slopes = network.gradient(theta, inputs, targets)
    way = generator.standard_normal(theta.size).astype(np.float32)
    h = np.float32(1e-3)
    up, down = (network.gradient(theta + sign * h * way, inputs, targets)[0] for sign in (1, -1))
    assert (up - down) / (2 * h) == pytest.approx(float(slopes @ way), rel=1e-2, abs=1e-3)


def test_threads_do_not_change_a_bit() -> None:
    network, generator = Network(3, 1), np.random.default_rng(0)
    theta = network.initial(2)
    inputs = generator.standard_normal((20_000, 4)).astype(np.float32)
    targets = inputs[:, :3].copy()
    np.testing.assert_array_equal(network.evaluate(theta, inputs, 1), network.evaluate(theta, inputs, 3))
    one, three = (network.gradient(theta, inputs, targets, threads) for threads in (1, 3))
    assert one[0] == three[0]
    np.testing.assert_array_equal(one[1], three[1])


def test_push_takes_one_parameter_or_one_for_each_particle(model: Model) -> None:
    x = np.random.default_rng(0).standard_normal((3000, 2))
    one = model.push(x, [0.05, 10.0])
    each = model.push(x, np.tile([0.05, 10.0], (3000, 1)))
    assert one.dtype == np.float32
    assert one.shape == (3000, 2)
    np.testing.assert_allclose(one, each, atol=1e-6)
    np.testing.assert_array_equal(model.push(x[:17], [0.05, 10.0]), one[:17])
    assert model.push(x[:0], [0.05, 10.0]).shape == (0, 2)
    assert np.abs(model.push(x, [0.1, 10.0]) - one).max() > 1e-4


def test_evaluating_a_stored_model_does_not_import_torch(model: Model, tmp_path: object) -> None:
    path = f"{tmp_path}/m.safetensors"
    model.save(path)
    program = (
        "import sys, numpy as np\n"
        "from ksdp_cli.learning.model import Model\n"
        f"Model.load({path!r}).push(np.zeros((5, 2)), [0.05, 3.0])\n"
        "assert not {'torch', 'ot', 'zarr'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_the_passes_call_is_inlined() -> None:
    """Else its rounding hangs on what a process compiled or loaded first, see `cpu`."""
    functions = [f for f in vars(cpu).values() if hasattr(f, "targetoptions") and f.__module__ == cpu.__name__]
    inlined = {f.__name__ for f in functions if f.targetoptions.get("forceinline")}
    assert {f.__name__ for f in functions} - inlined == {"forward", "loss_and_slopes"}


@pytest.mark.slow
def test_a_process_that_compiles_has_the_bits_of_one_that_loads(tmp_path: Path) -> None:
    code = (
        "import hashlib, numpy as np; from ksdp_cli.learning.network.network import Network;"
        "n = Network(2, 1, 'separable'); g = np.random.default_rng(0).standard_normal((3300, 7)).astype('f4');"
        "print(hashlib.sha256(n.gradient(n.initial(0), g[:, :5], g[:, 5:])[1].tobytes()).hexdigest())"
    )
    environment = os.environ | {"KSDP_CACHE_DIR": str(tmp_path)}
    found = {subprocess.check_output([sys.executable, "-c", code], env=environment) for _ in range(2)}
    assert len(found) == 1
