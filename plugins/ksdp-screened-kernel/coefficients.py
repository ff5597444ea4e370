"""Prints the coefficients of ksdp_screened_kernel/bessel.py from 50 digits (needs mpmath): python coefficients.py

x K_1(x) is smooth in two pieces, each interpolated at Chebyshev nodes:

- x <= 2, z = x^2/4 in [0, 1]: 1 + z (log(z) P(z) - Q(z)), where P and Q are entire functions with the power series
  of DLMF 10.25.2 and 10.31.1, P = sum z^k / (k! (k+1)!), Q = sum (psi(k+1) + psi(k+2)) z^k / (k! (k+1)!);
- x > 2, u = 1/x in (0, 1/2]: sqrt(x) exp(-x) N(u)/D(u), a rational function, because the asymptotic series
  (DLMF 10.40.2) diverges and polynomials converge slowly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp

mp.mp.dps = 50
POLYNOMIAL_DEGREE, RATIONAL_DEGREE = 8, 7


def series(factor: Callable[[int], Any]) -> Callable[[Any], Any]:
    return lambda z: mp.fsum(factor(k) * z**k / (mp.factorial(k) * mp.factorial(k + 1)) for k in range(40))


def nodes(count: int, low: float, high: float) -> list[Any]:
    """Chebyshev nodes of the first kind on [low, high]."""
    centre, half = mp.mpf(low + high) / 2, mp.mpf(high - low) / 2
    return [centre + half * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]


def polynomial(f: Callable[[Any], Any], degree: int, low: float, high: float) -> list[Any]:
    """Coefficients, lowest first, of the interpolant of ``f``."""
    at = nodes(degree + 1, low, high)
    return list(mp.lu_solve(mp.matrix([[z**j for j in range(degree + 1)] for z in at]), mp.matrix([f(z) for z in at])))


def rational(f: Callable[[Any], Any], degree: int, low: float, high: float) -> tuple[list[Any], list[Any]]:
    """Numerator and denominator (lowest first, D(0) = 1) of the interpolant of ``f``, both of ``degree``."""
    at = nodes(2 * degree + 1, low, high)
    rows = [[u**j for j in range(degree + 1)] + [-f(u) * u**j for j in range(1, degree + 1)] for u in at]
    found = list(mp.lu_solve(mp.matrix(rows), mp.matrix([f(u) for u in at])))
    return found[: degree + 1], [mp.mpf(1), *found[degree + 1 :]]


def horner(name: str, coefficients: list[Any], variable: str) -> str:
    """The polynomial as one expression of the kernel language."""
    text = mp.nstr(coefficients[-1], 17)
    for coefficient in reversed(coefficients[:-1]):
        text = f"({text}) * {variable} + {mp.nstr(coefficient, 17)}"
    return f"{name} = {text}"


def main() -> None:
    p = polynomial(series(lambda k: 1), POLYNOMIAL_DEGREE, 0, 1)
    q = polynomial(series(lambda k: mp.digamma(k + 1) + mp.digamma(k + 2)), POLYNOMIAL_DEGREE, 0, 1)
    n, d = rational(lambda u: mp.besselk(1, 1 / u) * mp.exp(1 / u) / mp.sqrt(1 / u) / u, RATIONAL_DEGREE, 0, 0.5)
    for name, coefficients, variable in (("p", p, "z"), ("q", q, "z"), ("n", n, "u"), ("d", d, "u")):
        print(horner(name, coefficients, variable))

    def value(x: Any) -> Any:
        if x <= 2:
            z = x * x / 4
            return 1 + z * (mp.log(z) * mp.polyval(p[::-1], z) - mp.polyval(q[::-1], z))
        return mp.sqrt(x) * mp.exp(-x) * mp.polyval(n[::-1], 1 / x) / mp.polyval(d[::-1], 1 / x)

    for low, high in ((1e-6, 2), (2.0001, 500)):
        points = [mp.mpf(low) * (mp.mpf(high) / low) ** (mp.mpf(i) / 400) for i in range(401)]
        error = max(abs(value(x) / (x * mp.besselk(1, x)) - 1) for x in points)
        print(f"# largest relative error on [{low}, {high}], rounding apart: {mp.nstr(error, 2)}")


if __name__ == "__main__":
    main()
