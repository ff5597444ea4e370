"""Algorithm 1: alternate between the transition matrices gamma and gradient steps on theta."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import plugins
from ..errors import DataError, NumericalError
from ..transitions.certified import Certified
from .batches import Batch, Batches
from .data import TrainingData
from .descent import Descent, Schedule
from .eta_map import EtaMap
from .model import Model
from .network import Network, Weights

State = tuple[dict[str, Any], dict[str, np.ndarray]]
CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True)
class TrainSettings:
    """See `ksdp_cli.config.TrainConfig`, whose fields these are."""

    algorithm: str = "fresh"
    network: str = "auto"
    N: int = 2000
    sets: int = 0
    steps: int = 3000
    renew_batch: int = 50
    renew_gamma: int = 50
    solver: str = "certified"
    sub_problems: int = 200
    tolerance: float = 1e-3
    optimiser: str = "soap"
    learning_rate: float = 3e-3
    average: float = 0.99
    validate_every: int = 500
    stop_excess: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Trained:
    """The chosen weights, the last ones, and a history of rows (step, loss, validation, floor, rate, seconds).

    The running average of the weights is chosen at the end; without averaging, the weights that validated best.

    ``loss`` is equation (14), the mean squared distance under the current gamma; ``validation`` the exact W2 squared
    to held-out particles, N = 1000, mean over data sets, or None at steps without one; ``floor`` what it is between two
    halves of them.
    """

    model: Model
    last_model: Model
    history: list[dict[str, Any]]
    seconds: float


class Trainer:
    """The state of Algorithm 1; everything random is a function of (seed, mini-batch)."""

    def __init__(self, data: TrainingData, settings: TrainSettings, device: str = "cpu") -> None:
        self.settings = settings
        self.eta_map = EtaMap.of(data.names, data.eta)
        form = settings.network
        if form == "auto":
            form = "separable" if len(data.names) <= 2 else "residual"
        stratified = settings.algorithm != "paper"
        self.batches = Batches(data, self.eta_map, settings.N, settings.sets, settings.seed, form, stratified)
        self.network = Network(data.clouds.shape[2], len(data.names), form)
        self.eta_map.padding(form, data.eta[0])  # refuses what the form cannot take
        self.solver = plugins.registry().find("transition solver", settings.solver).load()
        # where the sub-problems of gamma are solved: on the device if the solver can
        there = device != "cpu" and device in self.solver.devices
        self.solver_options: dict[str, Any] = {"device": device} if there else {}
        schedule = Schedule(settings.optimiser, settings.learning_rate, settings.steps, settings.average)
        self.schedule, self.averaged = schedule, bool(settings.average)
        self.descent = _descent(self.network, self.network.initial(settings.seed), schedule, device)
        self.step, self.spent = 0, 0.0
        self.history: list[dict[str, Any]] = []
        self.best: tuple[float, Weights] = (np.inf, self.descent.weights(False))
        self.batch: Batch | None = None
        self.gamma, self.prices = np.empty((0, 0), np.int64), np.empty((0, 0))
        self.held = self.batches.validation()
        self.floor = float(Certified().solve(self.batches.others(), self.held.targets).value.mean())

    def advance(self) -> None:
        """One gradient step, with the mini-batch and gamma renewed before it where they are due."""
        s = self.settings
        number = self.step // s.renew_batch
        if self.batch is None or self.step % s.renew_batch == 0:
            self.batch = self.batches.draw(number)
        if self.step % s.renew_batch == 0:
            self.gamma, self.prices = np.tile(np.arange(s.N), (len(self.batch.targets), 1)), np.empty((0, 0))
            if number or s.algorithm != "paper":  # the paper's first mini-batch starts from the identity
                self._renew_gamma(to_tolerance=True)
            self._aim()
        elif self.step % s.renew_gamma == 0:
            self._renew_gamma()
            self._aim()
        self.descent.step(self.step)
        self.step += 1

    def loss(self) -> float:
        """Equation (14) before the last step. Raises `NumericalError` when it is not finite."""
        loss = self.descent.loss()
        if not np.isfinite(loss):
            raise NumericalError(f"the loss is not finite at step {self.step}", "use a smaller --learning-rate")
        return loss

    def validate(self) -> float:
        """Exact W2 squared between the network's cloud and held-out particles, mean over data sets."""
        found = Certified().solve(self._push(self.held.inputs, self.averaged), self.held.targets)
        value = float(found.value.mean())
        if self.averaged or value < self.best[0]:
            self.best = (value, self.descent.weights(self.averaged))
        return value

    def state(self) -> State:
        """Everything that the next step depends on, as a JSON-able header and arrays."""
        arrays: dict[str, np.ndarray] = {
            "gamma": self.gamma.copy(), "best": self.best[1].copy(), **self.descent.arrays(),
            **({"prices": self.prices.copy()} if self.prices.size else {}),
        }  # fmt: skip
        best = self.best[0] if np.isfinite(self.best[0]) else None  # JSON has no infinity
        header = {"step": self.step, "history": list(self.history), "seconds": self.spent, "best": best}
        return header, arrays

    def restore(self, state: State) -> None:
        """Go on from `state`; the steps that follow are those of the uninterrupted training, bit for bit."""
        header, arrays = state
        self.step, self.history, self.spent = header["step"], list(header["history"]), header["seconds"]
        self.gamma, self.prices = arrays["gamma"].copy(), arrays.get("prices", np.empty((0, 0))).copy()
        self.descent.restore(arrays)
        self.best = (np.inf if header["best"] is None else header["best"], arrays["best"].copy())
        if self.step % self.settings.renew_batch:
            self.batch = self.batches.draw(self.step // self.settings.renew_batch)
            self._aim()

    def _renew_gamma(self, to_tolerance: bool = False) -> None:
        """gamma for the weights at hand: of the iterative solvers ``sub_problems`` steps, or all to their tolerance."""
        assert self.batch is not None
        if self.step:
            self.loss()  # weights that are not finite are not the solver's fault
        s, options = self.settings, self.solver_options.copy()
        if hasattr(self.solver, "sub_problem"):
            options |= {"tolerance": s.tolerance} if to_tolerance else {"iterations": s.sub_problems, "tolerance": -1.0}
        # a seed of its own at every renewal: the random subsets differ, and there is no state of theirs to keep
        solver = self.solver(seed=s.seed + self.step, **options)
        pushed = self._push(self.batch.inputs)
        known = {"prices": self.prices} if self.prices.size else {}
        found = solver.solve(pushed, self.batch.targets, self.gamma, **known)
        self.gamma = found.permutation
        if getattr(self.solver, "takes_prices", False):
            self.prices = found.prices[1]

    def _aim(self) -> None:
        """Match the targets by gamma for the steps to come."""
        assert self.batch is not None
        matched = np.take_along_axis(self.batch.targets, self.gamma[..., None], axis=1)
        self.descent.aim(*(part.reshape(-1, part.shape[-1]) for part in (self.batch.inputs, matched)))

    def _push(self, inputs: np.ndarray, averaged: bool = False) -> np.ndarray:
        flat = inputs.reshape(-1, inputs.shape[-1])
        return self.descent.evaluate(flat, averaged).reshape(*inputs.shape[:2], -1)


def _descent(network: Network, theta: Weights, schedule: Schedule, device: str) -> Any:
    """The inner loop on a device."""
    if device == "cpu":
        return Descent(network, theta, schedule)
    from .descent_gpu import DescentGPU

    return DescentGPU(network, theta, schedule, device)


def train(
    data: TrainingData,
    settings: TrainSettings,
    *,
    device: str = "cpu",
    progress: Callable[[dict[str, Any]], None] | None = None,
    state: State | None = None,
    on_checkpoint: Callable[[State], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    training: dict[str, Any] | None = None,
    provenance: dict[str, Any] | None = None,
) -> Trained:
    """Run Algorithm 1 on ``data`` from the start, or from ``state``.

    ``progress(row)`` gets the newest row of the history with the number of ``steps``; ``on_checkpoint(state)`` is
    called about every 30 s and when ``should_stop()`` is true. Raises `ConfigError` when a cloud is smaller than N,
    `NumericalError` when the loss is not finite or a solver fails.
    """
    trainer = Trainer(data, settings, device)
    if state is not None:
        try:
            trainer.restore(state)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            reason = f"the checkpoint is not of this training ({type(error).__name__}: {error})"
            raise DataError(reason, "use --overwrite to start again") from None
    began, saved, before = time.monotonic(), time.monotonic(), trainer.spent
    enough = False
    while trainer.step < settings.steps and not enough:
        trainer.advance()
        last = trainer.step == settings.steps
        due = trainer.step % settings.validate_every == 0 or last
        told = due or trainer.step % 50 == 0
        loss = trainer.loss() if told else None  # waits for a GPU, before the clock is read
        now = time.monotonic()
        trainer.spent = before + now - began
        if told:
            row = {
                "step": trainer.step,
                "loss": loss,
                "validation": trainer.validate() if due else None,
                "floor": trainer.floor,
                "rate": trainer.schedule.rate(trainer.step - 1),
                "seconds": trainer.spent,
            }
            trainer.history.append(row)
            value = row["validation"]
            enough = bool(settings.stop_excess) and value is not None and value - trainer.floor < settings.stop_excess
            if progress:
                progress(row | {"steps": settings.steps})
        stopping = should_stop is not None and should_stop()
        if on_checkpoint and not last and (stopping or now - saved > CHECKPOINT_SECONDS):
            on_checkpoint(trainer.state())
            saved = now
    result = {
        "validation_W2_squared": trainer.best[0],
        "floor_W2_squared": trainer.floor,
        "validated_on": f"{trainer.held.targets.shape[1]} held-out particles of {len(trainer.held.targets)} data sets",
        "seconds": trainer.spent,
        "steps": trainer.step,
    }
    about = (trainer.eta_map, training or {}, (provenance or {}) | {"result": result})
    ending = trainer.descent.weights(trainer.averaged)
    best, final = (Model(trainer.network, theta, *about) for theta in (trainer.best[1], ending))
    return Trained(best, final, trainer.history, trainer.spent)
