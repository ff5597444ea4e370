"""Logarithm, exponential and error function in float32 and float64, in a form that the compiler can vectorise.

Numba without SVML calls the scalar library, which makes a pair sum 5 to 30 times slower. The polynomials are Chebyshev
interpolants of a degree at which rounding dominates; each docstring gives the error, which is tested. Exponents go
through the integer view, because fast-math removes the usual addition and subtraction of 2^52. Every int32 intermediate
is cast back, because Numba widens integers to 64 bits, which AVX2 cannot shift or convert. No formula depends on the
order of a sum, so callers may reassociate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numba import types
from numba.extending import intrinsic

from ...base.compiled import FAST, njit

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value
    from numba.core.typing import Signature
    from numba.core.typing.context import BaseContext

f32, f64, i32, i64 = np.float32, np.float64, np.int32, np.int64
_jit = njit(fastmath=FAST, error_model="numpy", forceinline=True)

SQRT_HALF_32, EXPONENT_32 = i32(0x3F3504F3), i32(23)
SQRT_HALF_64, EXPONENT_64 = i64(0x3FE6A09E667F3BCD), i64(52)
#: 1.5 * 2^52: a float64 of this size holds a signed integer in its low bits.
WHOLE_64 = f64(6755399441055744.0)


@intrinsic  # type: ignore[untyped-decorator]
def select(
    typing_context: BaseContext, condition: types.Type, then: types.Type, other: types.Type
) -> tuple[Signature, Callable[..., Value]]:
    """``then if condition else other``, with both sides computed: a branch would prevent vectorisation."""
    common = typing_context.unify_types(then, other)

    def generate(context: object, builder: IRBuilder, signature: object, arguments: Sequence[object]) -> Value:
        return builder.select(*arguments)

    return common(types.boolean, common, common), generate


@_jit
def log32(x: np.float32) -> np.float32:
    """Natural logarithm of a positive normal float32; error below 1.5e-7 max(1, |log x|)."""
    bits = f32(x).view(np.int32)
    exponent = i32(i32(bits - SQRT_HALF_32) >> EXPONENT_32)
    f = i32(bits - i32(exponent << EXPONENT_32)).view(np.float32) - f32(1.0)
    # in pairs (Estrin), since latency, not the number of operations, limits the loop
    f2 = f * f
    f4 = f2 * f2
    a = (f32(-0.49999997) * f + f32(1.0)) + (f32(-0.25001353) * f + f32(0.33334193)) * f2
    b = (f32(-0.16577993) * f + f32(0.19955933)) + (f32(-0.14269258) * f + f32(0.14977401)) * f2
    y = a + (b + f32(0.08533313) * f4) * f4
    return y * f + f32(exponent) * f32(0.6931471805599453)


@_jit
def exp32(x: np.float32) -> np.float32:
    """Exponential of a float32 clamped to [-87, 88]; relative error below 1.5e-7 (1 + |x| / 8)."""
    x = min(max(f32(x), f32(-87.0)), f32(88.0))
    n = np.rint(x * f32(1.4426950408889634))
    r = x - n * f32(0.6931471805599453)
    y = f32(0.0013941108)
    y = y * r + f32(0.008375126)
    y = y * r + f32(0.04166635)
    y = y * r + f32(0.16666415)
    y = y * r + f32(0.5)
    y = y * r + f32(1.0)
    y = y * r + f32(1.0)
    result: np.float32 = y * i32(i32(i32(n) + i32(127)) << EXPONENT_32).view(np.float32)
    return result


@_jit
def erf32(x: np.float32) -> np.float32:
    """Error function of a float32; relative error below 3e-7.

    |x| < 1/2: odd polynomial. Beyond: 1 - exp(|x| P(|x|)), P interpolating log(erfc(x)) / x on [0, 4].
    """
    a = min(abs(f32(x)), f32(4.0))
    y = f32(-5.20005e-07)
    y = y * a + f32(1.1312983e-05)
    y = y * a + f32(-0.000105540705)
    y = y * a + f32(0.00053547526)
    y = y * a + f32(-0.0014037605)
    y = y * a + f32(-0.00019481944)
    y = y * a + f32(0.019402623)
    y = y * a + f32(-0.10286205)
    y = y * a + f32(-0.6366087)
    y = y * a + f32(-1.1283793)
    far = f32(1.0) - exp32(y * a)
    z = a * a
    w = f32(-0.024395186)
    w = w * z + f32(0.112458505)
    w = w * z + f32(-0.37610754)
    w = w * z + f32(1.128379)
    size = select(a < f32(0.5), w * a, far)
    result: np.float32 = select(f32(x) < f32(0.0), -size, size)
    return result


@_jit
def log64(x: float) -> float:
    """Natural logarithm of a positive normal float64; error below 3e-16 max(1, |log x|)."""
    bits = f64(x).view(np.int64)
    shifted = i64(bits - SQRT_HALF_64)
    # biased for an unsigned shift and converted from 32 bits: AVX2 has neither operation for signed 64-bit integers
    biased = i64(shifted + i64(0x3FF0000000000000)).view(np.uint64) >> np.uint64(52)
    exponent = f64(i32(biased) - i32(1023))
    m = i64(bits - (shifted & i64(-0x10000000000000))).view(np.float64)
    t = (m - 1.0) / (m + 1.0)
    z = t * t
    y = 0.07404855180327638
    y = y * z + 0.07656264074182095
    y = y * z + 0.09091815840114664
    y = y * z + 0.11111098528363024
    y = y * z + 0.1428571438032084
    y = y * z + 0.1999999999965117
    y = y * z + 0.33333333333333826
    y = y * z + 1.0
    return 2.0 * t * y + exponent * 0.6931471805599453


@_jit
def exp64(x: float) -> float:
    """Exponential of a float64 clamped to [-708, 709]; relative error below 4e-16 (1 + |x| / 8)."""
    x = min(max(f64(x), -708.0), 709.0)
    n = np.rint(x * 1.4426950408889634)
    r = x - n * 0.6931471805599453
    y = 2.5110037605963777e-08
    y = y * r + 2.763263963904103e-07
    y = y * r + 2.755724091857897e-06
    y = y * r + 2.4801485482328494e-05
    y = y * r + 0.00019841269890047113
    y = y * r + 0.0013888888952314775
    y = y * r + 0.008333333333319601
    y = y * r + 0.0416666666664881
    y = y * r + 0.1666666666666668
    y = y * r + 0.5000000000000019
    y = y * r + 1.0
    y = y * r + 1.0
    whole = f64(n + WHOLE_64).view(np.int64)
    result: float = y * i64(i64(whole + i64(1023)) << EXPONENT_64).view(np.float64)
    return result


@_jit
def erf64(x: float) -> float:
    """Error function of a float64; relative error below 2e-15.

    |x| < 1/2: odd polynomial. Beyond: 1 - exp(-x^2) W(1 / (1 + |x|/2)), W interpolating erfc(x) exp(x^2) on [0, 6].
    """
    a = min(abs(f64(x)), 6.0)
    z = a * a
    t = 1.0 / (1.0 + 0.5 * a)
    y = -0.00023499392157327694
    y = y * t + 0.014587956644395468
    y = y * t + -0.16963189751998786
    y = y * t + 0.9944915012952416
    y = y * t + -3.6836849505765494
    y = y * t + 9.500006026473464
    y = y * t + -17.926753196505942
    y = y * t + 25.40499438785449
    y = y * t + -27.38262349734074
    y = y * t + 22.610875231891704
    y = y * t + -14.494574215557739
    y = y * t + 7.4360132075942325
    y = y * t + -3.0943222421136327
    y = y * t + 0.9372381593033086
    y = y * t + -0.262852209424873
    y = y * t + 0.1365384501247102
    y = y * t + 0.16801825450321775
    y = y * t + 0.24779924959640875
    y = y * t + 0.2820160832664961
    y = y * t + 0.2820987897032247
    y = y * t + -9.528985741715346e-08
    far = 1.0 - exp64(-z) * y
    w = 1.4725865480556744e-06
    w = w * z + -1.4845849259707869e-05
    w = w * z + 0.00012053335124353741
    w = w * z + -0.0008548297753674966
    w = w * z + 0.00522397737302147
    w = w * z + -0.026866170632887928
    w = w * z + 0.11283791670925353
    w = w * z + -0.37612638903183476
    w = w * z + 1.1283791670955126
    size = select(a < 0.5, w * a, far)
    result: float = select(f64(x) < 0.0, -size, size)
    return result
