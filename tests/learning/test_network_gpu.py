"""The network's GPU program without a GPU: run by Triton's interpreter on CPU tensors, compiled for cards by name."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network import gpu as torch_network
from ksdp_cli.learning.network.forms import FORMS
from ksdp_cli.learning.network.network import Network

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed: pip install 'ksdp[gpu]'"
)
INTERPRETED = """
import numpy as np, torch
from ksdp_cli import pretrained as models
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.network import fused as network_gpu
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.network import Network

def there(network, theta, x):
    layers = torch.from_numpy(network_gpu.packed(network, theta))
    return network_gpu.evaluate(network, layers, torch.from_numpy(x)).numpy()

for name in ("laminar2d-amplitude", "laminar3d-amplitude", "kolmogorov-amplitude"):
    model = Model.load(models.path(name))
    network, theta = model.network.at(model.theta, model.eta_map.padding(model.network.form, model.eta_map.high))
    for n in (0, 1, 256, 1001):
        x = Ball().draw(n, model.dim, 3)
        found = there(network, theta, x)
        assert found.shape == x.shape
        assert np.abs(found - network.evaluate(theta, x)).max(initial=0) < 1e-5, (name, n)
# one weight of one through every layer: five times tanh, whose error does not grow on the way
network = Network(2, 0)
theta = np.zeros(network.parameter_count, np.float32)
for weight, _ in network.layers(theta):
    weight[0, 0] = 1.0
z = np.concatenate([np.linspace(-12, 12, 4001), [0, 1e-8, -50, 50, 1e30, -1e30]]).astype(np.float32)
wanted = z.astype(np.float64)
for _ in range(5):
    wanted = np.tanh(wanted)
with np.errstate(over="ignore"):
    found = there(network, theta, np.stack([z, z], 1))
assert np.abs(found[:, 0] - wanted).max() < 5 * 2e-7
assert not found[:, 1].any()
weight = network.layers(theta)[0][0]
weight[0, 0] = np.nan
assert np.isnan(there(network, theta, np.ones((3, 2), np.float32))[:, 0]).all()
"""
COMPILED = """
import subprocess, sys
from pathlib import Path
import triton
import triton.backends.nvidia
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from ksdp_cli.learning.network import fused as network_gpu
from ksdp_cli.learning.network.network import Network
sizes = network_gpu.constants(Network(3, 0, "residual"))
kinds = {"x": "*fp32", "layers": "*fp32", "out": "*fp32", "n": "i32"} | dict.fromkeys(sizes, "constexpr")
source = ASTSource(network_gpu.program().forward, kinds, sizes)
for sm in (80, 90):
    options = {"num_warps": network_gpu.WARPS, "num_stages": 1, "enable_fp_fusion": True}
    built = triton.compile(source, target=GPUTarget("cuda", sm, 32), options=options)
    ptx, cubin = built.asm["ptx"], Path(sys.argv[1]) / f"{sm}.cubin"
    cubin.write_bytes(built.asm["cubin"])
    tool = Path(list(triton.backends.nvidia.__path__)[0]) / "bin" / "cuobjdump"
    used = subprocess.run([tool, "-res-usage", cubin], capture_output=True, text=True, check=True).stdout
    assert "STACK:0 " in used, used  # nothing is spilled
    assert int(used.split("REG:")[1].split()[0]) <= 168, used  # three programs of 4 warps on a multiprocessor
    assert "ex2.approx.ftz" in ptx
    assert "rcp.approx.ftz" in ptx
    assert "tf32" not in ptx
    assert "div." not in ptx
"""


def run(program: str, *arguments: str, **environment: str) -> None:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@needs_triton
def test_the_program_is_the_cpu_s_network_and_its_tanh_is_right() -> None:
    run(INTERPRETED, TRITON_INTERPRET="1")


@needs_triton
def test_the_program_compiles_for_cards(tmp_path) -> None:
    run(COMPILED, str(tmp_path), TRITON_CACHE_DIR=str(tmp_path))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n", [0, 1, 700])
def test_eta_is_folded_in_for_tensors_too(form: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through torch on the CPU, in more pieces than are on their way side by side."""
    monkeypatch.setattr(torch_network, "PIECE", 100)
    own_map = EtaMap(("A",), (1.0,), (100.0,), (True,))
    two = EtaMap(("A", "t"), (1.0, 0.1), (100.0, 0.4), (True, False))
    eta_map, eta = (two, [130.0, 0.5]) if form == "product" else (own_map, [130.0])
    network, generator = Network(2, len(eta), form), np.random.default_rng(0)
    theta = network.initial(0) + 0.2 * generator.standard_normal(network.parameter_count).astype(np.float32)
    model = Model(network, theta, eta_map, {}, {})
    x = generator.standard_normal((n, 2)).astype(np.float32)
    folded, own = network.at(model.theta, model.eta_map.padding(form, eta))
    found = torch_network.evaluate_alone(folded, own, x, "cpu")
    assert found.dtype == np.float32
    assert found.shape == x.shape
    np.testing.assert_allclose(found, model.push(x, eta), atol=1e-5)
    each = torch_network.evaluate(
        network,
        torch.from_numpy(model.theta),
        np.concatenate([x, np.tile(model.eta_map.padding(form, eta), (n, 1))], 1),
    )
    np.testing.assert_allclose(each, found, atol=1e-5)
