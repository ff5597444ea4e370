"""A primal-dual interior point method for assignment problems (16)-(17), stopped as loosely as the paper does.

The normal equations of this linear program couple the row and the column prices only, a (2 M - 1) system: with weights
D = gamma / slack they are [diag(D 1), D; D^T, diag(D^T 1)]. Wright, Primal-Dual Interior-Point Methods, SIAM 1997.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import namespace

STEPS = 100
#: Part of the way to the boundary that a step may go, and how far the barrier falls in each.
REACH, CENTRE = 0.9, 0.2
#: Mean complementarity gamma slack, of the largest cost, below which further steps only repeat rounding errors.
CONVERGED = 1e-13


def loose_assignment(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """The permutation (M,) of one problem ``cost`` (M, M); see `loose_assignments`."""
    return loose_assignments(cost[None])[0]


def loose_assignments(cost: Any) -> NDArray[np.int64]:
    """The permutations (B, M) that arg max (18) reads off gamma* once min_k max_l gamma*_kl > 0.5.

    ``cost`` is (B, M, M) float64, an array or a tensor: the problems are solved side by side where it lies, and one
    that has its answer is left out of the steps that follow. When two rows claim one column the iteration goes on.
    Between points that coincide gamma* never exceeds 0.5: at convergence the permutation of the largest product of
    entries is taken, which lies in the optimal face since it avoids the entries that vanish.
    """
    xp = namespace(cost)
    count, m = cost.shape[:2]
    # what is left: problems ``open_``, their costs, gamma and slack = c - u - v > 0
    found, open_ = np.empty((count, m), np.int64), np.arange(count)
    c = cost / xp.clip(xp.amax(cost, (1, 2)), 1e-300, None)[:, None, None]
    gamma, slack = xp.full_like(c, 1.0 / m), c + 1.0
    eye = _beside(c, np.eye(m))
    for _ in range(STEPS):
        choice, surest = _host(xp.argmax(gamma, 2)), _host(xp.amin(xp.amax(gamma, 2), 1))
        settled = (surest > 0.5) & (np.sort(choice, 1) == np.arange(m)).all(1)
        found[open_[settled]] = choice[settled]
        left = (gamma * slack).sum((1, 2)) / m**2
        on = ~settled & (_host(left) >= CONVERGED)
        found[open_[~settled & ~on]] = _likeliest(gamma[_beside(c, ~settled & ~on)])
        open_ = open_[on]
        if not len(open_):
            return found
        kept = _beside(c, on)
        gamma, slack, left = gamma[kept], slack[kept], left[kept]
        weight = gamma / slack
        # residuals of the constraints, and the centring term
        aim = (CENTRE * left)[:, None, None] / slack - gamma
        rows, columns = 1.0 - gamma.sum(2) - aim.sum(2), 1.0 - gamma.sum(1) - aim.sum(1)
        # one price is free: its equation is left out
        upper = xp.concatenate([eye * weight.sum(2)[:, None], weight[:, :, :-1]], 2)
        lower = xp.concatenate([xp.swapaxes(weight, 1, 2), eye * weight.sum(1)[:, None]], 2)[:, :-1, :-1]
        step = _solve(xp.concatenate([upper, lower], 1), xp.concatenate([rows, columns[:, :-1]], 1)[..., None])[..., 0]
        price = xp.concatenate([step[:, m:], xp.zeros_like(step[:, :1])], 1)
        slack_step = -(step[:, :m, None] + price[:, None])
        gamma_step = aim - weight * slack_step
        sound = _host(xp.isfinite(gamma_step).all(2).all(1))
        if not sound.all():
            found[open_[~sound]] = _likeliest(gamma[_beside(c, ~sound)])
            open_, kept = open_[sound], _beside(c, sound)
            gamma, slack, gamma_step, slack_step = gamma[kept], slack[kept], gamma_step[kept], slack_step[kept]
        gamma = gamma + _reach(gamma, gamma_step) * gamma_step
        slack = slack + _reach(slack, slack_step) * slack_step
    found[open_] = _likeliest(gamma)
    return found


def _reach(value: Any, step: Any) -> Any:
    """The longest steps (B, 1, 1), at most 1, that keep ``value`` positive."""
    xp = namespace(value)
    fall = xp.amax(-step / value, (1, 2))  # the part of an entry that a whole step takes, where that is positive
    return xp.clip(REACH / xp.clip(fall, REACH, None), None, 1.0)[:, None, None]


def _solve(system: Any, right: Any) -> Any:
    """Solutions of linear systems; those of a singular one are not finite."""
    xp = namespace(system)
    if xp is np:
        try:
            return np.linalg.solve(system, right)
        except np.linalg.LinAlgError:
            return np.full_like(right, np.nan)
    solution, broken = xp.linalg.solve_ex(system, right)
    return xp.where(broken[:, None, None] == 0, solution, xp.nan)


def _likeliest(gamma: Any) -> NDArray[np.int64]:
    """The permutations (B, M) of the largest products of entries of gamma (B, M, M)."""
    from scipy.optimize import linear_sum_assignment

    with np.errstate(divide="ignore"):
        answers = [linear_sum_assignment(-np.log(np.maximum(one, 1e-300)))[1] for one in _host(gamma)]
    return np.array(answers, np.int64).reshape(gamma.shape[:2])


def _host(values: Any) -> NDArray[Any]:
    return values if isinstance(values, np.ndarray) else values.cpu().numpy()


def _beside(x: Any, values: NDArray[Any]) -> Any:
    """``values`` where ``x`` lies."""
    return values if isinstance(x, np.ndarray) else namespace(x).as_tensor(values, device=x.device)
