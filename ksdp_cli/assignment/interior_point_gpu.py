"""The interior point method of `interior_point` on tensors: many problems at once, with few synchronisations.

Masks on the device hold which problems are solved and which have a step that is not finite. Every `LOOK` steps the host
reads them, and only unsolved problems continue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .interior_point import CENTRE, CONVERGED, REACH, STEPS, likeliest

if TYPE_CHECKING:
    from torch import Tensor

#: Steps between two reads of the masks by the host.
LOOK = 3


def loose_assignments_gpu(cost: Tensor) -> Tensor:
    """The permutations (B, M), a tensor, of problems ``cost`` (B, M, M) float64; as `loose_assignments`."""
    import torch

    count, m = cost.shape[:2]
    c = cost / cost.amax((1, 2)).clip(min=1e-300)[:, None, None]
    gamma, slack = torch.full_like(c, 1.0 / m), c + 1.0
    answer = torch.zeros((count, m), dtype=torch.int64, device=c.device)
    settled = torch.zeros(count, dtype=torch.bool, device=c.device)
    on, each = ~settled, torch.arange(m, device=c.device)
    # arrays of all problems; the names above refer to the problems ``left`` at the last read
    answers, certain, gammas, left = answer, settled, gamma, torch.arange(count, device=c.device)
    for step in range(STEPS):
        choice = gamma.argmax(2)
        now = on & (gamma.amax(2).amin(1) > 0.5) & (choice.sort(1)[0] == each).all(1)
        answer, settled = torch.where(now[:, None], choice, answer), settled | now
        gap = (gamma * slack).sum((1, 2)) / m**2
        on = on & ~now & (gap >= CONVERGED)
        gamma_step, slack_step = _newton(gamma, slack, gap)
        on = on & gamma_step.isfinite().all(2).all(1)
        active = on[:, None, None]
        gamma = torch.where(active, gamma + _reach(gamma, gamma_step) * gamma_step, gamma)
        slack = torch.where(active, slack + _reach(slack, slack_step) * slack_step, slack)
        if step % LOOK == LOOK - 1:
            answers, certain, gammas = _write_back((answers, certain, gammas), left, (answer, settled, gamma))
            kept = on.nonzero()[:, 0]
            if not len(kept):
                break
            left, on = left[kept], on[kept]
            gamma, slack, answer, settled = gamma[kept], slack[kept], answer[kept], settled[kept]
    answers, certain, gammas = _write_back((answers, certain, gammas), left, (answer, settled, gamma))
    rest = (~certain).nonzero()[:, 0]
    if len(rest):
        answers[rest] = torch.as_tensor(likeliest(gammas[rest].cpu().numpy()), device=c.device)
    result: Tensor = answers
    return result


def _newton(gamma: Tensor, slack: Tensor, gap: Tensor) -> tuple[Tensor, Tensor]:
    """Newton steps of gamma and slack, as in `loose_assignments`; nan for a singular system."""
    import torch

    m = gamma.shape[1]
    weight = gamma / slack
    aim = (CENTRE * gap)[:, None, None] / slack - gamma
    rows, columns = 1.0 - gamma.sum(2) - aim.sum(2), 1.0 - gamma.sum(1) - aim.sum(1)
    upper = torch.cat([torch.diag_embed(weight.sum(2)), weight[:, :, :-1]], 2)
    lower = torch.cat([weight.mT, torch.diag_embed(weight.sum(1))], 2)[:, :-1, :-1]
    system, right = torch.cat([upper, lower], 1), torch.cat([rows, columns[:, :-1]], 1)[..., None]
    step, info = torch.linalg.solve_ex(system, right)
    step = torch.where(info[:, None] == 0, step[..., 0], torch.nan)
    price = torch.nn.functional.pad(step[:, m:], (0, 1))
    slack_step = -(step[:, :m, None] + price[:, None])
    return aim - weight * slack_step, slack_step


def _reach(value: Tensor, step: Tensor) -> Tensor:
    """As `interior_point._reach`."""
    fall = (-step / value).amax((1, 2)).clip(min=REACH)
    return (REACH / fall).clip(max=1.0)[:, None, None]


def _write_back(whole: tuple[Tensor, ...], left: Tensor, parts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """``whole`` with the rows ``left`` set to ``parts``."""
    return tuple(values.index_copy(0, left, part) for values, part in zip(whole, parts, strict=True))
