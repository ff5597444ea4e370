"""The GPU programs without a GPU: run by Triton's interpreter on CPU tensors, and compiled for a card by name."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from ksdp_cli.errors import ResourceError
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.particles.engines import direct_gpu

SUMS = """
import sys
import numpy as np, torch
from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels import blob, coulomb, eq7, gaussian, plummer
from ksdp_cli.particles.engines import direct_gpu
from ksdp_cli.particles.kernel_compiler.source import array_function
direct_gpu.CHUNK, direct_gpu.LEAST = 128, 100  # so that 270 sources make two shares: two chunks, and a masked block
kernels = {"blob": blob.Blob, "coulomb": coulomb.Coulomb, "eq7": eq7.Eq7, "gaussian": gaussian.Gaussian,
           "plummer": plummer.Plummer}
for kernel in [kernels[name] for name in sys.argv[1:]]:
    for dim in (2, 3):
        ball = Ball().draw(270, dim, 0)
        collapsed = np.concatenate([ball[:50], 0.3 + 0.02 * ball[50:]])
        for cloud in (ball, collapsed):
            cloud[5] = cloud[6]
            x = cloud.astype("float32")
            away = x[None].astype("float64") - x[:, None]
            exact = (array_function(kernel, dim)((away**2).sum(2) + 1e-24, 1e-3)[..., None] * away).sum(1)
            for dtype, bound in (("float32", 1e-5), ("float64", 1e-14)):
                engine = direct_gpu.DirectGPU(kernel, (1e-3,), dim, dtype)
                force = engine(torch.from_numpy(x.astype(dtype)))
                assert force.numpy().dtype == dtype
                error = np.linalg.norm(force.numpy() - exact) / np.linalg.norm(exact)
                assert error < bound, (kernel, dim, dtype, error)
        assert torch.equal(force, engine(torch.from_numpy(x.astype(dtype))))
"""
SHAPES = """
import numpy as np, torch
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.particles.engines import direct_gpu
from ksdp_cli.particles.kernel_compiler.source import array_function
rng = np.random.default_rng(0)

def brute(kernel, dim, args, targets, sources):
    away = sources[None] - targets[:, None]
    return (array_function(kernel, dim)((away**2).sum(2) + 1e-24, *args)[..., None] * away).sum(1)

for J in (1, 16, 17, 4097):
    dim, dtype, bound = (2, "float32", 1e-6) if J % 2 else (3, "float64", 1e-14)
    x = rng.normal(size=(J, dim)).astype(dtype)
    engine = direct_gpu.DirectGPU(Blob, (1e-3,), dim, dtype)
    force = engine(torch.from_numpy(x)).numpy()
    exact = brute(Blob, dim, (1e-3,), x[:50].astype("float64"), x.astype("float64"))
    assert np.abs(force[:50] - exact).max() <= bound * np.abs(exact).max(), J
    assert np.isfinite(force).all()
# targets that are no sources, in numbers that fill no block
x, y = rng.normal(size=(300, 3)), rng.normal(size=(19, 3))
engine = direct_gpu.DirectGPU(Gaussian, (0.02,), 3, "float64")
force = engine(torch.from_numpy(x), torch.from_numpy(y)).numpy()
assert np.allclose(force, brute(Gaussian, 3, (0.02,), y, x), rtol=1e-12, atol=1e-12 * np.abs(force).max())
# cases side by side, each with its own parameter, are the cases one by one, to the bit
x = torch.from_numpy(rng.normal(size=(3, 2, 500)).astype("float32"))
delta2 = torch.tensor([[1e-3], [1e-2], [1e-1]])
engine = direct_gpu.DirectGPU(Blob, (1e-3,), 2, "float32")
parts = engine.parts(x, x, delta2)
block = direct_gpu.launch(2, "float32")["TARGETS"]
assert parts.dtype == torch.float64 and parts.shape == (3, direct_gpu.shares(500, 500, block)[0], 2, 500)
for case in range(3):
    alone = direct_gpu.DirectGPU(Blob, (float(delta2[case, 0]),), 2, "float32")
    assert torch.equal(parts[case], alone.parts(x[case : case + 1], x[case : case + 1])[0])
    assert torch.equal(alone(x[case].T), parts[case].sum(0).T.float())
assert torch.equal(engine.parts(x, x)[0], parts[0])  # without parameters, the engine's own for all
assert not torch.equal(engine.parts(x, x)[1], parts[1])
"""
NOISE = """
import numpy as np
from ksdp_cli.base import rng
from ksdp_cli.particles.engines import direct_gpu
for seed, stream, step, start in ((1, 2, 3, 0), (2**62 + 12345, rng.NOISE + 3, 70000, 2**32 - 5)):
    for d in (2, 3):
        there = direct_gpu.normals(seed, stream, step, start, 1500, d, device="cpu").numpy()
        error = np.abs(there - rng.normals(seed, stream, step, start, 1500, d)).max()
        assert error < 2e-6, (seed, d, error)
"""
MATH = """
import torch, triton, triton.language as tl
from ksdp_cli.particles.kernel_compiler.gpu_math import erf
@triton.jit
def fill(x, y, N: tl.constexpr):
    tl.store(y + tl.arange(0, N), erf(tl.load(x + tl.arange(0, N))))
x = torch.cat([torch.linspace(-6, 6, 4000), torch.logspace(-30, 0, 96)])
y = torch.empty_like(x)
fill[(1,)](x, y, N=4096)
exact = torch.special.erf(x.double())
assert ((y - exact).abs() <= 5e-7 * exact.abs()).all(), ((y - exact) / exact).abs().max()
"""
CONSTANTS = """
import math, struct
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from ksdp_cli.particles.engines.direct_cpu import template
from ksdp_cli.particles.engines.direct_gpu import launch
from ksdp_cli.particles.kernel_compiler.source import load_module

def tail(r2):
    return 0.3 if r2 > 0.6 else 0.1

class Odd:
    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        a = 0.7 if r2 < 0.9 else math.exp(-r2)
        return a + tail(r2 + 1e-9)

class Flat:
    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return 0.1

def bits(value):
    return struct.pack(">d", value).hex()

def ptx(kernel):
    sizes = {"CHUNK": 4096, **launch(2, "float64")}
    warps = sizes.pop("num_warps")
    kinds = {"targets": "*fp64", "sources": "*fp64", "partial": "*fp64", "p": "*fp64"}
    kinds |= dict.fromkeys(("N", "J", "share", "stride"), "i32") | dict.fromkeys(sizes, "constexpr")
    program = load_module(template("direct_gpu"), kernel, 2, "triton")
    source = ASTSource(program.pair_sum, kinds, sizes)
    built = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": warps})
    return built.asm["ptx"].lower()

text = ptx(Odd)
for value in (0.7, 0.9, 0.3, 0.6, 0.1):
    assert bits(value) in text, value
    assert bits(struct.unpack("f", struct.pack("f", value))[0]) not in text, value
text = ptx(Flat)
assert bits(struct.unpack("f", struct.pack("f", 0.1))[0]) not in text
assert bits(0.1) in text
"""


def run(program: str, *arguments: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def run_file(program: str, folder: os.PathLike[str], **environment: str) -> None:
    """For programs that define functions whose source Triton or ksdp must read."""
    file = os.path.join(folder, "program.py")
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(program)
    done = subprocess.run([sys.executable, file], env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.interpreter
@pytest.mark.parametrize(
    "kernels",
    [["gaussian"], pytest.param(["blob", "coulomb", "eq7", "plummer"], marks=pytest.mark.slow)],  # the first calls all
    ids=" ".join,
)
def test_kernels_agree_with_float64(kernels: list[str]) -> None:
    run(SUMS, *kernels, TRITON_INTERPRET="1")


@pytest.mark.slow
@pytest.mark.interpreter
def test_any_number_of_particles_targets_and_cases() -> None:
    run(SHAPES, TRITON_INTERPRET="1")


@pytest.mark.interpreter
def test_noise_agrees_with_the_cpu() -> None:
    run(NOISE, TRITON_INTERPRET="1")


@pytest.mark.interpreter
def test_error_function(tmp_path) -> None:
    run_file(MATH, tmp_path, TRITON_INTERPRET="1")


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")
def test_constants_of_float64_kernels_stay_float64(tmp_path) -> None:
    """In branches, where Triton rounds a bare number to float32, in helpers, and as a whole kernel."""
    run_file(CONSTANTS, tmp_path, TRITON_CACHE_DIR=str(tmp_path / "cache"))


@pytest.mark.parametrize("particles", [1, 63, 64, 5000, 10_000, 100_000, 10_000_000])
def test_shares_cover_the_sources(particles: int) -> None:
    count, each = direct_gpu.shares(particles, particles, 16)
    assert (count - 1) * each < particles <= count * each
    assert each % 128 == 0  # whole blocks of sources in all shares but the last
    assert count * particles * 24 < 8 * 2**30  # the parts stay small beside a card's memory


def test_few_targets_fill_a_card() -> None:
    count, each = direct_gpu.shares(10_000_000, 256, 16)
    assert count * 16 > 0.9 * direct_gpu.PROGRAMS
    assert (count - 1) * each < 10_000_000 <= count * each


def test_without_triton_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "triton", None)
    with pytest.raises(ResourceError, match=r"ksdp\[gpu\]"):
        direct_gpu.DirectGPU(Blob, (1e-3,), 2, "float32")
