"""One time step on a GPU as one captured graph: 10^4 particles are bound by launches, not by arithmetic.

What changes from step to step (positions, time, number of the step) lives in tensors at fixed addresses; the host fills
them and replays. Without a GPU the same body runs uncaptured, which is how the tests check it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph import captured


class GraphStep:
    """``step(x, t, number)`` -> (positions after the step, what ``measure`` finds of before and after).

    ``advance(x, t, number)`` makes a step from positions (J, d), a time and a number that are tensors on the device;
    it may not ask the device for a value. A flow that does (a formula with ``math`` of the time) cannot be captured.
    """

    @classmethod
    def of(cls, x: Any, advance: Callable[..., Any], measure: Callable[..., Any]) -> GraphStep | None:
        """None where a step cannot be captured."""
        step = cls(x, advance, measure)
        replay = captured(step._body, x.is_cuda)
        if replay is None:
            return None
        step._replay = replay
        return step

    def __init__(self, x: Any, advance: Callable[..., Any], measure: Callable[..., Any]) -> None:
        import torch

        self.x, self.advance, self.measure = x.clone(), advance, measure
        self.t = torch.zeros((), dtype=torch.float64, device=x.device)
        self.number = torch.zeros(1, dtype=torch.int64, device=x.device)
        self.new: Any = None
        self.found: Any = None
        self._replay: Callable[[], None] = self._body

    def __call__(self, x: Any, t: float, number: int) -> tuple[Any, list[float]]:
        self.x.copy_(x)
        self.t.fill_(t)
        self.number.fill_(number)
        self._replay()
        return self.new.clone(), self.found.tolist()  # one wait for the device

    def _body(self) -> None:
        self.new = self.advance(self.x, self.t, self.number)
        self.found = self.measure(self.x, self.new)
