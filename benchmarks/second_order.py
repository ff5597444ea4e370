"""Compare optimisers at one fixed gamma, a least-squares problem in 4000 unknowns: loss at equal wall time.

    python benchmarks/second_order.py [--seconds 20] [--warm 300] [--N 2000]

The data are laminar flow (19), A = 1 to 100, t = 0.02, J = 10^4; theta comes from ``--warm`` steps of `ksdp train`, and
one mini-batch of 11 x N points is matched to it once. From there each method lowers the mean squared distance of the
matched pairs: Adam and SOAP with a decaying step as in a training, L-BFGS (SciPy) on the same compiled gradient, and
Levenberg-Marquardt with its linear systems solved by conjugate gradients on products with the Jacobian (torch.func).
Beside the loss: W2 squared at N = 1000 to held-out particles, less its floor.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from harness import Table, parser
from scipy.optimize import minimize

import ksdp_cli as ksdp
from ksdp_cli.api.training_data import load_data
from ksdp_cli.config import TrainConfig
from ksdp_cli.learning.network.gpu import forward
from ksdp_cli.learning.optimisers.adam import Adam
from ksdp_cli.learning.optimisers.base import rate
from ksdp_cli.learning.optimisers.soap import Soap
from ksdp_cli.learning.trainer import Trainer

CONJUGATE_STEPS = 20
Theta = np.ndarray


class Problem:
    """The matched points of one mini-batch, and a clock that notes (seconds, loss, theta)."""

    def __init__(self, trainer: Trainer, seconds: float) -> None:
        assert trainer.batch is not None
        self.network, self.seconds, self.start = trainer.network, seconds, trainer.descent.weights(False)
        matched = np.take_along_axis(trainer.batch.targets, trainer.gamma[..., None], axis=1)
        self.rows = trainer.batch.inputs.reshape(-1, trainer.batch.inputs.shape[-1])
        self.targets = matched.reshape(-1, matched.shape[-1])
        self.begin()

    def begin(self) -> None:
        self.began, self.best, self.count = time.perf_counter(), (np.inf, self.start), 0

    def note(self, loss: float, theta: Theta) -> bool:
        """Whether time is left."""
        self.count += 1
        if loss < self.best[0]:
            self.best = (loss, np.array(theta, np.float32))
        return time.perf_counter() - self.began < self.seconds

    def gradient(self, theta: Theta) -> tuple[float, Theta]:
        return self.network.gradient(np.asarray(theta, np.float32), self.rows, self.targets)


class Enough(Exception):
    """Raised within SciPy when the time is over."""


def first_order(problem: Problem, make: Callable[[Theta], Any], size: float, steps: int) -> None:
    theta = problem.start.copy()
    optimiser = make(theta)
    for step in range(steps):
        loss, slopes = problem.gradient(theta)
        if not problem.note(loss, theta):
            return
        optimiser.update(theta, slopes, step, rate(size, step, steps))


def lbfgs(problem: Problem) -> None:
    def value(theta: Theta) -> tuple[float, Theta]:
        loss, slopes = problem.gradient(theta)
        if not problem.note(loss, theta):
            raise Enough
        return loss, slopes.astype(np.float64)

    try:
        start = problem.start.astype(np.float64)
        minimize(value, start, jac=True, method="L-BFGS-B", options={"maxcor": 30, "maxiter": 10**6, "ftol": 0.0})
    except Enough:
        pass


def levenberg_marquardt(problem: Problem) -> None:
    """(J^T J / n + lambda) delta = -gradient / 2, lambda from the ratio of the actual to the predicted gain."""
    rows, targets = torch.from_numpy(problem.rows), torch.from_numpy(np.ascontiguousarray(problem.targets))
    theta, damping, n = torch.from_numpy(problem.start.copy()), 1e-3, len(problem.rows)

    def residual(at: torch.Tensor) -> torch.Tensor:
        return forward(problem.network, at, rows) - targets

    while True:
        now, back = torch.func.vjp(residual, theta)
        loss = float((now**2).sum()) / n
        if not problem.note(loss, theta.numpy()):
            return
        slope = back(now)[0] / n
        delta, left = torch.zeros_like(theta), -slope
        way, size = left.clone(), float(left @ left)
        for _ in range(CONJUGATE_STEPS):
            _, along = torch.func.jvp(residual, (theta,), (way,))
            curved = back(along)[0] / n + damping * way
            length = size / float(way @ curved)
            delta, left = delta + length * way, left - length * curved
            size, before = float(left @ left), size
            if size < 1e-4 * float(slope @ slope):
                break
            way = left + size / before * way
        predicted = -float(delta @ (slope - left)) if size else 0.0
        reached = float((residual(theta + delta) ** 2).sum()) / n
        if reached < loss:
            theta = theta + delta
            damping *= 1 / 3 if loss - reached > 0.5 * abs(predicted) else 1.0
        else:
            damping *= 4


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--warm", type=int, default=300)
    options.add_argument("--N", type=int, default=2000)
    options.add_argument("--J", type=int, default=10_000)
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run = ksdp.simulate(flow="laminar2d", A="1:100:11log", T=0.02, J=arguments.J, out=Path(name) / "run.zarr")
        data, *_ = load_data(run, TrainConfig())
    trainer = Trainer(data, TrainConfig(N=arguments.N, steps=10 * arguments.warm))
    for _ in range(arguments.warm):
        trainer.advance()
    trainer.batch = trainer.batches.draw(10**6)
    trainer.gamma = np.tile(np.arange(arguments.N), (len(trainer.batch.targets), 1))
    trainer._renew_gamma(to_tolerance=True)
    problem = Problem(trainer, arguments.seconds)
    began = time.perf_counter()
    for _ in range(5):
        problem.gradient(problem.start)
    steps = int(0.9 * arguments.seconds / ((time.perf_counter() - began) / 5))

    def excess(theta: Theta) -> float:
        trainer.descent.average = theta
        return trainer.validate() - trainer.floor

    table = Table("training/second-order", ["method", "evaluations", "loss", "held-out W2^2 less floor"])
    table.row("start", None, f"{problem.gradient(problem.start)[0]:.5f}", f"{excess(problem.start):.4f}")
    methods: dict[str, Callable[[], None]] = {
        "Adam, 5e-3": lambda: first_order(problem, Adam, 5e-3, steps),
        "SOAP, 3e-3": lambda: first_order(problem, lambda theta: Soap(problem.network, theta), 3e-3, steps),
        "L-BFGS, 30 pairs": lambda: lbfgs(problem),
        f"Levenberg-Marquardt, CG {CONJUGATE_STEPS}": lambda: levenberg_marquardt(problem),
    }
    for title, method in methods.items():
        problem.begin()
        method()
        loss, theta = problem.best
        table.row(title, problem.count, f"{loss:.5f}", f"{excess(theta):.4f}")
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
