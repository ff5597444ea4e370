"""A program of nothing but fused multiply-adds."""

from __future__ import annotations

import triton
import triton.language as tl

#: Multiply-adds of an element in a round.
ROUNDS = 16


@triton.jit(do_not_specialize=["rounds"])
def fma(x, rounds, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    a = tl.load(x + i)
    b = a * 0.5
    for _ in range(rounds):
        for _ in tl.static_range(8):
            a = a * 0.999 + 0.001
            b = b * 0.999 + 0.001
    tl.store(x + i, a + b)
