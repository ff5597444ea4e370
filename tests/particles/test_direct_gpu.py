"""The GPU programs without a GPU: run by Triton's interpreter on CPU tensors, and compiled for a card by name."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from ksdp_cli.errors import ResourceError
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.particles import direct_gpu

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed: pip install 'ksdp[gpu]'"
)
INTERPRETED = """
import numpy as np, torch
from ksdp_cli import rng
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.particles import direct_gpu
from ksdp_cli.particles.direct_cpu import DirectCPU
direct_gpu.CHUNK, direct_gpu.LEAST = 128, 64  # so that 333 sources make three shares of a block, the last masked
cases = ((Blob, 2, "float32", 1e-6), (Gaussian, 3, "float32", 2e-6), (Gaussian, 2, "float64", 1e-14))
for kernel, dim, dtype, bound in cases:
    x = np.random.default_rng(0).normal(size=(333, dim)).astype(dtype)
    x[5] = x[6]
    there = direct_gpu.DirectGPU(kernel, (1e-3,), dim, dtype)
    force = there(torch.from_numpy(x)).numpy()
    assert np.array_equal(force, there(torch.from_numpy(x)).numpy())
    here = DirectCPU(kernel, (1e-3,), dim, dtype, 1)(x)
    assert force.dtype == x.dtype
    error = np.abs(force - here).max() / np.abs(here).max()
    assert error < bound, (kernel, dim, dtype, error)
for seed, stream, step, start in ((1, 2, 3, 0), (2**62 + 12345, rng.NOISE + 3, 70000, 2**32 - 5)):
    for d in (2, 3):
        there = direct_gpu.normals(seed, stream, step, start, 1500, d, device="cpu").numpy()
        error = np.abs(there - rng.normals(seed, stream, step, start, 1500, d)).max()
        assert error < 2e-6, (seed, d, error)
"""
COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.particles.direct_cpu import template
from ksdp_cli.particles.kernel_source import import_text, load_module
card = GPUTarget("cuda", 90, 32)
sizes = {"TARGETS": 16, "SOURCES": 128, "CHUNK": 4096}
kinds = {"targets": "*fp32", "sources": "*fp32", "partial": "*fp64", "p": "*fp32"}
kinds |= dict.fromkeys(("N", "J", "share", "stride"), "i32")
program = load_module(template("direct_gpu"), Gaussian, 3, "triton").pair_sum
built = triton.compile(ASTSource(program, kinds | dict.fromkeys(sizes, "constexpr"), sizes), target=card)
assert built.asm["ptx"].count(".f64") < 20  # float64 for the shares alone
sizes = {"D": 3, "BLOCK": 1024}
kinds = {"out": "*fp32", "n": "i32", "start": "i64", "seed": "i64", "step": "*i64", "stream": "i64"}
program = import_text(template("noise_gpu"), "noise_gpu").fill
triton.compile(ASTSource(program, kinds | dict.fromkeys(sizes, "constexpr"), sizes), target=card)
"""


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, text=True, check=False
    )


@needs_triton
def test_sum_and_noise_agree_with_the_cpu() -> None:
    done = run(INTERPRETED, TRITON_INTERPRET="1")
    assert done.returncode == 0, done.stderr


@needs_triton
def test_programs_compile_for_a_card(tmp_path) -> None:
    done = run(COMPILED, TRITON_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("particles", [1, 63, 64, 5000, 10_000, 100_000, 10_000_000])
def test_shares_cover_the_sources(particles: int) -> None:
    count, each = direct_gpu.shares(particles, particles)
    assert (count - 1) * each < particles <= count * each
    assert each % 128 == 0  # whole blocks of sources in all shares but the last
    assert count * particles * 24 < 8 * 2**30  # the parts stay small beside a card's memory


def test_without_triton_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "triton", None)
    with pytest.raises(ResourceError, match=r"ksdp\[gpu\]"):
        direct_gpu.DirectGPU(Blob, (1e-3,), 2, "float32")
