"""A primal-dual interior point method for the assignment problem (16)-(17), stopped as loosely as the paper does.

The normal equations of this linear program couple the row and the column prices only, a (2 M - 1) system: with weights
D = gamma / slack they are [diag(D 1), D; D^T, diag(D^T 1)]. Wright, Primal-Dual Interior-Point Methods, SIAM 1997.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEPS = 100
#: Part of the way to the boundary that a step may go, and how far the barrier falls in each.
REACH, CENTRE = 0.9, 0.2
#: Mean complementarity gamma slack, of the largest cost, below which further steps only repeat rounding errors.
CONVERGED = 1e-13


def loose_assignment(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """The permutation (M,) that arg max (18) reads off gamma* once min_k max_l gamma*_kl > 0.5.

    When two rows then claim one column the iteration goes on. Between points that coincide gamma* never exceeds 0.5:
    at convergence the permutation of the largest product of entries is taken, which lies in the optimal face since it
    avoids the entries that vanish. ``cost`` is (M, M).
    """
    m = len(cost)
    c = cost / max(float(cost.max()), 1e-300)
    gamma = np.full((m, m), 1.0 / m)
    u, v = np.full(m, -1.0), np.zeros(m)  # slack = c - u - v > 0
    slack = c - u[:, None] - v
    system = np.zeros((2 * m, 2 * m))
    for _ in range(STEPS):
        choice = gamma.argmax(1)
        if gamma.max(1).min() > 0.5 and len(np.unique(choice)) == m:
            return choice
        left = float((gamma * slack).sum()) / m**2
        if left < CONVERGED:
            break
        barrier = CENTRE * left
        weight = gamma / slack
        # residuals of the constraints, and the centring term
        aim = barrier / slack - gamma
        right = np.concatenate([1.0 - gamma.sum(1) - aim.sum(1), 1.0 - gamma.sum(0) - aim.sum(0)])
        system[:m, :m] = np.diag(weight.sum(1))
        system[m:, m:] = np.diag(weight.sum(0))
        system[:m, m:] = weight
        system[m:, :m] = weight.T
        try:  # one price is free: its equation is left out
            step = np.append(np.linalg.solve(system[:-1, :-1], right[:-1]), 0.0)
        except np.linalg.LinAlgError:
            break
        slack_step = -(step[:m, None] + step[m:])
        gamma_step = aim - weight * slack_step
        gamma += _reach(gamma, gamma_step) * gamma_step
        slack += _reach(slack, slack_step) * slack_step
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(-np.log(gamma))[1]


def _reach(value: NDArray[np.float64], step: NDArray[np.float64]) -> float:
    """The longest step, at most 1, that keeps ``value`` positive."""
    falling = step < 0
    return min(1.0, REACH * float((-value[falling] / step[falling]).min())) if falling.any() else 1.0
