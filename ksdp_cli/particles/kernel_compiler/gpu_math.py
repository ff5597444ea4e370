"""The device functions that a kernel's GPU source calls. Only generated modules import this file, since it needs
Triton.

In float32 they are the GPU's approximations, one instruction each, with subnormal numbers flushed to zero. Errors: 1
unit in the last place for ``rcp`` and ``sqrt``, 2 for ``rsqrt`` and ``exp2``; 2^-22 for ``log2``, absolute between 1/2
and 2 and relative elsewhere (PTX ISA, "Floating Point Instructions"). An IEEE division costs eight more instructions
and a library logarithm about twenty, in a pair sum of nine. In float64, and in Triton's interpreter, which cannot run
assembly, they are exact operations (the library's inverse root, accurate to 1 unit in the last place).
"""

# Triton reads annotations of a program as types of memory.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import os

import triton
import triton.language as tl

#: Whether programs are compiled for a GPU, not interpreted.
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
        return tl.rsqrt(x)


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
    # x P(x^2) / Q(x^2), minimax on [0, 3.8] with relative error 2e-7, with rounding 5e-7. The library's function costs
    # twice as much, since it computes two polynomials and selects
    if x.dtype == tl.float32:
        x = tl.minimum(tl.maximum(x, -3.8), 3.8)
        z = x * x
        p = (2.7131593320695455e-4 * z + 7.459913712681471e-3) * z + 6.378946248455467e-2
        p = (p * z + 2.8927304941050236e-1) * z + 1.1283789474415717
        q = (1.6213095164115427e-5 * z + 1.879533296231005e-3) * z + 2.2432319043682303e-2
        q = ((q * z + 1.531260047670401e-1) * z + 5.896887661519367e-1) * z + 1.0
        return x * p * rcp(q)
    else:
        return tl.erf(x)


@triton.jit
def fabs(x):
    return tl.abs(x)
