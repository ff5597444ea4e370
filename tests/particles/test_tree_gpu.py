"""The treecode of the GPU without one: its programs are interpreted on CPU tensors, and compiled for cards by name."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from ksdp_cli.particles.tree.gpu import LEAF, ladder
from ksdp_cli.particles.tree.gpu_build import Plan
from ksdp_cli.particles.tree.gpu_lists import room

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed: pip install 'ksdp[gpu]'"
)
#: Small leaves, so that a small cloud has distant boxes, and large blocks, so that the interpreter has few programs.
START = """
import numpy as np, torch
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.eq7 import Eq7
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.engines import direct_gpu
from ksdp_cli.particles.tree import gpu as tree_gpu, gpu_build as build, gpu_lists as lists
from ksdp_cli.particles.engines.direct_cpu import DirectCPU
from ksdp_cli.particles.tree.accuracy import Rung
build.BLOCK, build.KEYS = 128, 1024

def engine(kernel, dim, dtype, accuracy=1e-3, leaf=32):
    tree_gpu.LEAF = leaf
    made = tree_gpu.TreeGPU(kernel, (1e-3,), dim, dtype, accuracy)
    made.options = {"TARGETS": leaf, "SOURCES": 128}
    return made

def cloud(name, particles, dim):
    x = np.random.default_rng(particles).normal(size=(particles, dim))
    if name == "collapsed":
        x[: 3 * particles // 4] *= 1e-3
    if name == "pair":
        x[: particles // 2] *= 0.1
        x[: particles // 2] += 5.0
    if name == "V":
        x[:, 0] = 3 * abs(x[:, 1]) + 0.05 * x[:, 0]
    if name == "line":
        x[:, 1:] = 0.5
    if name == "points":
        x = x[np.arange(particles) % 7]
    return x

def error(force, x, kernel):
    exact = DirectCPU(kernel, (1e-3,), x.shape[1], "float64", 1)(x.astype("float64"))
    return np.linalg.norm(force.numpy() - exact) / np.linalg.norm(exact)
"""
CLOUDS = """
for kernel, dim, dtype, name, particles, order, bound in CASES:
    x = cloud(name, particles, dim).astype(dtype)
    made = engine(kernel, dim, dtype)
    force = made._sum(torch.from_numpy(x), Rung(float(order), 0.0, 1.0, 32))
    wrong = error(force, x, kernel)
    assert wrong < bound, (kernel, dim, dtype, name, particles, wrong)
    if particles > 300:
        assert int(made._lists.held[1].sum()) > 0  # there was something to hear through proxies
"""
ENGINE = """
from torch.utils._python_dispatch import TorchDispatchMode

class Launches(TorchDispatchMode):
    '''Counts what a force asks the device for, and refuses what would wait for it.'''
    seen = []
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = str(function)
        assert not any(word in name for word in ("_local_scalar_dense", "nonzero", "equal.", "masked_select")), name
        self.seen.append(name)
        return function(*args, **(kwargs or {}))

class Counted:
    launches = []
    def __init__(self, program, name):
        self.program, self.name = program, name
    def __getitem__(self, grid):
        self.launches.append(self.name)
        return self.program[grid]

x = cloud("V", 401, 2).astype("float32")
made, again = engine(Blob, 2, "float32"), engine(Blob, 2, "float32")
first = made(torch.from_numpy(x))
report = made.report()
assert report["met"] and report["leaves_left_out"] == 0, report
assert abs(np.log(report["error"] / error(first, x, Blob))) < 0.7, report  # the sampled error tells the true one
made.tuner.due = again.tuner.due = 10
again.restore(made.state())
for name in ("curve", "leaf_boxes", "inner_boxes", "gather", "walk"):
    setattr(build.programs(), name, Counted(getattr(build.programs(), name), name))
made.list_sum = Counted(made.list_sum, "list_sum")
made._sum(torch.from_numpy(x), made.tuner.rungs[made.tuner.rung])
Counted.launches.clear()
with Launches():
    second = made(torch.from_numpy(x))
kinds = {name: Counted.launches.count(name) for name in Counted.launches}
levels = kinds.pop("gather")
assert kinds == {"curve": 1, "leaf_boxes": 1, "inner_boxes": 1, "walk": 2, "list_sum": 1}, kinds
assert levels <= 4  # 13 leaves
memory = ("empty", "set_", "copy_", "lift_fresh", "detach")
computing = [name for name in Launches.seen if not any(word in name for word in memory)]  # beside the interpreter's own
assert sorted(computing) == ["aten.aminmax.default", "aten.cumsum.default", "aten.sort.stable"], computing
assert torch.equal(second, again(torch.from_numpy(x)))  # the same bits, and after a resume

lists.RUNS = lists.BOXES = {2: 1}  # no room for most leaves
made.tuner.due = 0
cramped = made(torch.from_numpy(x))
assert made.report()["leaves_left_out"] > 3 and error(cramped, x, Blob) < 1e-3, made.report()

for bad in (np.nan, np.inf):
    x[3, 1] = bad
    assert torch.isnan(again(torch.from_numpy(x[:70]))).all()
assert torch.equal(again(torch.zeros(1, 2)), torch.zeros(1, 2))
"""
LAWS = """
for dim in (2, 3):
    plan = build.Plan(201, dim, 32, 3)
    x = torch.from_numpy(cloud("V", 201, dim))
    tree = build.build(x, plan)
    build.add_proxies(tree)
    low = tree.low.tolist()
    sorted_x = x[tree.order].numpy()
    power = lambda c: c[0] ** 2 * c[-1]  # of degree below 3 in each coordinate: anterpolation is exact
    for i in range(2, plan.deepest):
        level = i.bit_length() - 1
        own = sorted_x[(i - (1 << level)) * plan.held(level) :][: plan.held(level)]
        assert (tree.box[i, dim] < 0) == (len(own) == 0)
        if len(own):
            part = slice(plan.proxies + i * plan.size, plan.proxies + (i + 1) * plan.size)
            weight, place = tree.weight[part].numpy(), tree.source[:, part].numpy()
            assert np.isclose(weight.sum(), len(own), rtol=1e-12)
            assert np.isclose((weight * power(place)).sum(), power(own.T).sum(), rtol=1e-10, atol=1e-10), (dim, i)
            middle, half = tree.box[i, :dim].numpy(), tree.box[i, dim:].numpy()
            assert np.allclose(np.abs(own - middle).max(0), half, rtol=1e-12, atol=1e-12)
    heard = lists.interactions(tree, 1.0)
    assert int(heard.held[1].sum()) > 0
    for leaf in range(plan.used):  # every particle is heard once, by itself or in one box
        count = np.zeros(plan.used, int)
        (near_end, far_end), (runs, boxes) = heard.ends[:, leaf].tolist(), heard.held[:, leaf].tolist()
        for first, last in heard.near[near_end - runs : near_end].tolist():
            count[first:last] += 1
        for i in heard.far[far_end - boxes : far_end].tolist():
            below = plan.depth - i.bit_length() + 1
            count[(i << below) - plan.leaves : ((i + 1) << below) - plan.leaves] += 1
        assert (count == 1).all(), (dim, leaf, count)
# neighbours on the curve are neighbours in space: every cell of a grid, in the order of their keys
for dim, side in ((2, 16), (3, 8)):
    grid = torch.cartesian_prod(*[torch.arange(side, dtype=torch.float64) + 0.5] * dim)
    ends = torch.zeros(dim, dtype=torch.float64), torch.full((dim,), float(side), dtype=torch.float64)
    key = torch.empty(len(grid), dtype=torch.int64)
    build.programs().curve[(1,)](grid, *ends, key, len(grid), D=dim, BITS=build.BITS[dim], BLOCK=1024)
    steps = grid[key.argsort()].diff(dim=0).abs().sum(1)
    assert bool((steps == 1).all())
    corner = torch.full((2, dim), float(side), dtype=torch.float64)  # the last cell holds its far end too
    corner[1] = np.nextafter(side, 0)
    build.programs().curve[(1,)](corner, *ends, key, 2, D=dim, BITS=build.BITS[dim], BLOCK=16)
    assert key[0] == key[1] >= 0
"""
COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.particles.engines import direct_gpu
from ksdp_cli.particles.tree import gpu as tree_gpu, gpu_build as build
from ksdp_cli.particles.engines.direct_cpu import template
from ksdp_cli.particles.kernel_compiler.source import load_module

KINDS = dict.fromkeys(("near", "far", "held"), "*i32") | dict.fromkeys(("order", "key", "ends"), "*i64")
KINDS |= dict.fromkeys(("s", "x", "weight", "low", "high", "force", "p", "box", "nodes"), "*fp32") | {"opening": "fp32"}

def compiled(program, given, sm, **options):
    kinds = {name: "constexpr" if name in given else KINDS.get(name, "i32") for name in program.arg_names}
    return triton.compile(ASTSource(program, kinds, given), target=GPUTarget("cuda", sm, 32), options=options)

for dim, sm in ((2, 80), (3, 90)):
    run, one = build.programs(), {"num_warps": 1}
    compiled(run.curve, {"D": dim, "BITS": build.BITS[dim], "BLOCK": build.KEYS}, sm)
    compiled(run.leaf_boxes, {"D": dim, "LEAF": tree_gpu.LEAF}, sm, **one)
    compiled(run.inner_boxes, {"D": dim, "BLOCK": build.UNION}, sm, **one)
    compiled(run.gather, {"D": dim, "OUT": build.OUT, "BLOCK": build.BLOCK}, sm)
    for write in (0, 1):
        compiled(run.walk, {"D": dim, "WRITE": write, "BLOCK": 32}, sm, **one)
    options = tree_gpu.options(dim, "float32")
    given = {"D": dim, "CHUNK": direct_gpu.CHUNK, "BLOCKS": tree_gpu.LEAF // options["TARGETS"]}
    given |= {name: options.pop(name) for name in ("TARGETS", "SOURCES")}
    program = load_module(template("tree_gpu"), Blob, dim, "triton").list_sum
    built = compiled(program, given, sm, enable_fp_fusion=True, **options)
    assert "local" not in built.asm["ptx"]
"""
TWO = """
CASES = [(Blob, 2, "float32", "ball", 601, 6, 1e-4), (Blob, 2, "float32", "collapsed", 384, 6, 1e-3),
         (Eq7, 2, "float32", "V", 402, 6, 1e-3), (Blob, 2, "float32", "line", 403, 6, 1e-3),
         (Blob, 2, "float32", "points", 404, 5, 3e-3), (Blob, 2, "float64", "pair", 405, 8, 1e-6),
         (Blob, 2, "float32", "ball", 20, 6, 1e-6), (Blob, 2, "float32", "ball", 33, 6, 1e-3),
         (Blob, 2, "float64", "ball", 2, 3, 1e-14)]
"""
THREE = """
CASES = [(Blob, 3, "float32", "ball", 601, 3, 3e-3), (Plummer, 3, "float32", "V", 500, 3, 3e-3),
         (Blob, 3, "float64", "pair", 402, 5, 1e-3), (Blob, 3, "float32", "points", 403, 3, 5e-2),
         (Blob, 3, "float64", "ball", 31, 3, 1e-14)]
"""


def run(program: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.interpreter
@pytest.mark.parametrize("cases", [TWO, THREE], ids=["2D", "3D"])
def test_the_force_agrees_with_the_direct_sum(cases: str) -> None:
    run(START + cases + CLOUDS, TRITON_INTERPRET="1")


@pytest.mark.interpreter
def test_a_force_waits_for_nothing_and_repeats_to_the_bit() -> None:
    run(START + ENGINE, TRITON_INTERPRET="1")


@pytest.mark.interpreter
def test_order_proxies_and_lists_keep_their_laws() -> None:
    run(START + LAWS, TRITON_INTERPRET="1")


@needs_triton
def test_programs_compile_for_cards(tmp_path) -> None:
    run(COMPILED, TRITON_CACHE_DIR=str(tmp_path))


@pytest.mark.parametrize("particles", [2, 127, 128, 129, 8192, 1_000_003, 10_000_000])
@pytest.mark.parametrize(("dim", "dtype"), [(2, "float32"), (2, "float64"), (3, "float32")])
def test_sizes_follow_from_the_number_of_particles(particles: int, dim: int, dtype: str) -> None:
    for rung in ladder(dim, dtype):
        plan = Plan(particles, dim, LEAF, int(rung.order))
        assert (plan.used - 1) * LEAF < particles <= plan.used * LEAF
        assert plan.leaves >= plan.used > plan.leaves // 2
        assert plan.boxes(0) == 1
        assert plan.boxes(plan.depth) == plan.used
        if plan.bottom < plan.depth:
            assert plan.held(plan.bottom + 1) <= plan.size
        assert all(plan.held(level) > plan.size for level in range(plan.bottom + 1))
        # what the list's far boxes are numbered with: k // size for k below size + a block of sources
        magic = -(-(1 << 20) // plan.size)
        assert all((k * magic) >> 20 == k // plan.size for k in range(plan.size + 128))
        assert (plan.dim + 1) * plan.room < 2**31
        runs, boxes = room(plan, rung.opening)
        real = 4 if dtype == "float32" else 8
        sorting = particles * 8 * 6  # keys and places, both sorted too, and as much again for the sort
        cloud, sources = 3 * dim * particles * real, (dim + 1) * plan.room * real
        assert sorting + cloud + sources + 8 * runs + 4 * boxes < 12e9
