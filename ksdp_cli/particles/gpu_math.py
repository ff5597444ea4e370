"""The device functions that a kernel's GPU source calls. Imported by generated modules alone, for it needs Triton.

In float32 they are the card's own approximations, one instruction in its unit for special functions, subnormal numbers
flushed to zero: ``rcp`` and ``rsqrt`` err by 1 and 2 units in the last place, ``sqrt`` by 1, ``exp2`` by 2; ``log2`` by
2^-22, absolutely between 1/2 and 2 and relatively elsewhere (PTX ISA, "Floating Point Instructions"). An IEEE division
costs eight instructions more, a library logarithm about twenty, in a pair sum of nine. In float64, and in Triton's
interpreter, which cannot run assembly, they are the exact operations.
"""

from __future__ import annotations

import os

import triton
import triton.language as tl

#: Whether the programs are compiled for a card.
COMPILED = tl.constexpr(os.environ.get("TRITON_INTERPRET", "0") != "1")
LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def rcp(x):
    if COMPILED and x.dtype == tl.float32:
        return tl.inline_asm_elementwise(
            "rcp.approx.ftz.f32 $0, $1;", "=f,f", [x], dtype=tl.float32, is_pure=True, pack=1
        )
    else:
        return 1.0 / x


@triton.jit
def rsqrt(x):
    if COMPILED and x.dtype == tl.float32:
        return tl.inline_asm_elementwise(
            "rsqrt.approx.ftz.f32 $0, $1;", "=f,f", [x], dtype=tl.float32, is_pure=True, pack=1
        )
    else:
        return 1.0 / tl.sqrt(x)


@triton.jit
def sqrt(x):
    if COMPILED and x.dtype == tl.float32:
        return tl.inline_asm_elementwise(
            "sqrt.approx.ftz.f32 $0, $1;", "=f,f", [x], dtype=tl.float32, is_pure=True, pack=1
        )
    else:
        return tl.sqrt(x)


@triton.jit
def log2(x):
    if COMPILED and x.dtype == tl.float32:
        return tl.inline_asm_elementwise(
            "lg2.approx.ftz.f32 $0, $1;", "=f,f", [x], dtype=tl.float32, is_pure=True, pack=1
        )
    else:
        return tl.log2(x)


@triton.jit
def exp(x):
    if COMPILED and x.dtype == tl.float32:
        return tl.inline_asm_elementwise(
            "ex2.approx.ftz.f32 $0, $1;", "=f,f", [x * LOG2E], dtype=tl.float32, is_pure=True, pack=1
        )
    else:
        return tl.exp(x)


@triton.jit
def erf(x):
    return tl.erf(x)


@triton.jit
def fabs(x):
    return tl.abs(x)
