"""x K_1(x), with the modified Bessel function K_1, in the language of kernels."""

from __future__ import annotations

import math

SMALLEST = 1e-30  # a normal number also in float32


def x_k1(x: float) -> float:
    """x K_1(x) for x >= 0; relative error below 2e-15 where exp(-x) does not underflow, 1 at x = 0.

    ``coefficients.py`` derives the coefficients: Chebyshev interpolants of the series DLMF 10.25.2 and 10.31.1 below
    x = 2, and a rational function of 1/x above. The argument of each piece is clamped to its range, because a
    conditional expression evaluates both sides.
    """
    inner = x if x < 2.0 else 2.0
    square = 0.25 * inner * inner
    z = square if square > SMALLEST else SMALLEST
    p = 7.184665615339434e-11
    p = p * z + 4.914335638824618e-09
    p = p * z + 2.7557990548002178e-07
    p = p * z + 1.1574070109363481e-05
    p = p * z + 0.00034722222359650335
    p = p * z + 0.0069444444441769888
    p = p * z + 0.083333333333359398
    p = p * z + 0.49999999999999902
    p = p * z + 1.0
    q = 3.1633377139630854e-10
    q = q * z + 2.042237134231048e-08
    q = q * z + 1.0715768640516443e-06
    q = q * z + 4.1422458612613733e-05
    q = q * z + 0.0011153594983032844
    q = q * z + 0.019182189838097291
    q = q * z + 0.18157516696097583
    q = q * z + 0.67278433509846263
    q = q * z - 0.15443132980306569
    near = 1.0 + z * (math.log(z) * p - q)

    outer = x if x > 2.0 else 2.0
    u = 1.0 / outer
    n = 0.88051325936270241
    n = n * u + 16.616402922941877
    n = n * u + 83.914103716428839
    n = n * u + 171.93866852847358
    n = n * u + 164.66232999285064
    n = n * u + 76.348621538133846
    n = n * u + 16.267119310190028
    n = n * u + 1.2533141373155008
    d = 0.07986375894502668
    d = d * u + 4.6619899929637847
    d = d * u + 38.013159330423349
    d = d * u + 100.77234981143753
    d = d * u + 111.64056839049239
    d = d * u + 56.307967608915098
    d = d * u + 12.604283346339183
    d = d * u + 1.0
    far = math.sqrt(outer) * math.exp(-outer) * n / d
    return near if x < 2.0 else far
