"""The programs of a GPU's step compiled for two cards, without a GPU."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from typing import Any

import pytest

needs_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")

COMPILED = """
import os, re, subprocess, sys, tempfile
import triton, triton.backends.nvidia as nvidia
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from ksdp_cli.particles import gpu_step as step_gpu
from ksdp_cli.particles.flow_trace import trace
from ksdp_cli.particles.problem import pose
disassembler = os.path.join(list(nvidia.__path__)[0], "bin", "cuobjdump")
def local(flow, dim, stage, real, sm):
    program = step_gpu.program(trace(pose({"flow": flow, "dim": dim, "J": 10}).cases[0].flow, dim).text)
    sizes = {"D": dim, "BLOCK": step_gpu.BLOCK, "STAGE": stage, "FORCED": True, "FUSED": True}
    kinds = dict.fromkeys(("x", "parts", "v", "ahead", "first", "numbers", "keys", "clock", "ends"), "*" + real)
    kinds |= {"parts": "*fp64", "numbers": "*fp64", "keys": "*i64", "clock": "*fp64"}
    kinds |= dict.fromkeys(("offset", "J", "begin", "shares", "columns"), "i32") | dict.fromkeys(sizes, "constexpr")
    built = triton.compile(ASTSource(program, kinds, sizes), target=GPUTarget("cuda", sm, 32))
    assert f"sm_{sm}" in built.asm["ptx"]
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(built.asm["cubin"])
        file.flush()
        told = subprocess.run([disassembler, "-sass", file.name], capture_output=True, text=True, check=True).stdout
    assert "EXIT" in told
    return len(re.findall("LDL|STL", told))
"""
#: Every flow for Euler on an H100, and what else there is once. In float64 sine has a slow path with its own array.
PROGRAMS = [
    *(
        (flow, dim, 0, "fp32", 90)
        for flow, dim in (("none", 2), ("laminar2d", 2), ("laminar3d", 3), ("kolmogorov", 3), ("hyperbolic", 3))
    ),
    ("kolmogorov", 3, 1, "fp32", 90),
    ("kolmogorov", 3, 2, "fp32", 80),
    ("laminar2d", 2, 2, "fp64", 90),
    ("kolmogorov", 3, 0, "fp64", 80),
]


@needs_triton
def test_programs_compile_for_a_card_without_spills(tmp_path: Any) -> None:
    lines = [f"print({text!r}, local{text!r})" for text in PROGRAMS]
    done = subprocess.run(
        [sys.executable, "-c", COMPILED + "\n".join(lines)],
        env={name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
        | {"TRITON_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    spilled = {line.rsplit(" ", 1)[0]: int(line.rsplit(" ", 1)[1]) for line in done.stdout.splitlines()}
    assert len(spilled) == len(PROGRAMS)
    assert all(count == 0 or ("fp64" in line and count < 40) for line, count in spilled.items()), spilled
