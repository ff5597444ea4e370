"""A primal-dual interior point method for the assignment problems (16)-(17), with the paper's loose stop.

The normal equations of this linear program couple only the row and column prices, in a system of size 2 M - 1. With
D = gamma / slack its matrix is [diag(D 1), D; D^T, diag(D^T 1)]. Wright, Primal-Dual Interior-Point Methods, SIAM 1997.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEPS = 100
#: Fraction of the way to the boundary that a step may take; factor of the barrier parameter in each step.
REACH, CENTRE = 0.9, 0.2
#: Mean of gamma * slack, relative to the largest cost, below which further steps only add rounding errors.
CONVERGED = 1e-13


def loose_assignment(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """The permutation (M,) of one problem ``cost`` (M, M); see `loose_assignments`."""
    return np.asarray(loose_assignments(cost[None])[0])


def loose_assignments(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Solve problems ``cost`` (B, M, M) until min_k max_l gamma*_kl > 0.5; return the row maxima (B, M) by (18).

    All problems advance together; a solved problem takes no further steps. The iteration continues while two rows have
    their maximum in one column. For coincident points gamma* never exceeds 0.5; at convergence the result is then the
    permutation with the largest product of entries. It is optimal, since it avoids the entries that vanish. On tensors
    use `interior_point_gpu`.
    """
    count, m = cost.shape[:2]
    # unsolved problems: their numbers ``open_``, costs, gamma and slack = c - u - v > 0
    permutations, open_ = np.empty((count, m), np.int64), np.arange(count)
    c = cost / np.clip(np.amax(cost, (1, 2)), 1e-300, None)[:, None, None]
    gamma, slack = np.full_like(c, 1.0 / m), c + 1.0
    eye = np.eye(m)
    for _ in range(STEPS):
        choice, surest = np.argmax(gamma, 2), np.amin(np.amax(gamma, 2), 1)
        settled = (surest > 0.5) & (np.sort(choice, 1) == np.arange(m)).all(1)
        permutations[open_[settled]] = choice[settled]
        left = (gamma * slack).sum((1, 2)) / m**2
        on = ~settled & (left >= CONVERGED)
        permutations[open_[~settled & ~on]] = likeliest(gamma[~settled & ~on])
        open_ = open_[on]
        if not len(open_):
            return permutations
        gamma, slack, left = gamma[on], slack[on], left[on]
        weight = gamma / slack
        # residuals of the constraints, and the centring term
        aim = (CENTRE * left)[:, None, None] / slack - gamma
        rows, columns = 1.0 - gamma.sum(2) - aim.sum(2), 1.0 - gamma.sum(1) - aim.sum(1)
        # one price is free, so its equation is dropped
        upper = np.concatenate([eye * weight.sum(2)[:, None], weight[:, :, :-1]], 2)
        lower = np.concatenate([np.swapaxes(weight, 1, 2), eye * weight.sum(1)[:, None]], 2)[:, :-1, :-1]
        step = _solve(np.concatenate([upper, lower], 1), np.concatenate([rows, columns[:, :-1]], 1)[..., None])[..., 0]
        price = np.concatenate([step[:, m:], np.zeros_like(step[:, :1])], 1)
        slack_step = -(step[:, :m, None] + price[:, None])
        gamma_step = aim - weight * slack_step
        sound = np.isfinite(gamma_step).all(2).all(1)
        if not sound.all():
            permutations[open_[~sound]] = likeliest(gamma[~sound])
            open_ = open_[sound]
            gamma, slack, gamma_step, slack_step = gamma[sound], slack[sound], gamma_step[sound], slack_step[sound]
        gamma = gamma + _reach(gamma, gamma_step) * gamma_step
        slack = slack + _reach(slack, slack_step) * slack_step
    permutations[open_] = likeliest(gamma)
    return permutations


def likeliest(gamma: NDArray[np.float64]) -> NDArray[np.int64]:
    """Permutations (B, M) with the largest product of entries of gamma (B, M, M)."""
    from scipy.optimize import linear_sum_assignment

    with np.errstate(divide="ignore"):
        answers = [linear_sum_assignment(-np.log(np.maximum(one, 1e-300)))[1] for one in gamma]
    return np.array(answers, np.int64).reshape(gamma.shape[:2])


def _reach(value: NDArray[np.float64], step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest step lengths (B, 1, 1), at most 1, that keep ``value`` positive."""
    fall = np.amax(-step / value, (1, 2))  # the fraction by which a full step reduces an entry
    length: NDArray[np.float64] = np.minimum(REACH / np.maximum(fall, REACH), 1.0)
    return length[:, None, None]


def _solve(system: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.floating]:
    """Solutions of linear systems; all nan if one is singular."""
    try:
        return np.linalg.solve(system, right)
    except np.linalg.LinAlgError:
        return np.full_like(right, np.nan)
