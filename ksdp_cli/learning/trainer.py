"""Algorithm 1: alternate between the transition matrices gamma and gradient steps on theta."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import plugins
from ..assignment.certified.solver import Certified
from ..base.files import JsonDict
from ..config import TrainConfig
from ..errors import ConfigError, DataError, NumericalError
from .batches import HELD_OUT, Batch, Batches
from .data import TrainingData
from .descent import Descent, Schedule
from .eta_map import EtaMap
from .model import Model
from .network.forms import form_name
from .network.network import Network, Weights

if TYPE_CHECKING:
    from .descent_gpu import DescentGPU

State = tuple[dict[str, Any], dict[str, np.ndarray]]
CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True)
class Trained:
    """The chosen weights, the last ones, and a history of rows (step, loss, validation, floor, rate, seconds).

    Which weights are chosen is the setting ``keep``. ``loss`` is equation (14), the mean squared distance under the
    current gamma; ``validation`` the exact W2 squared to held-out particles, or to those of a store to validate on,
    mean over data sets, or None at steps without one; ``floor`` what it is between two halves of them. Both are None
    where there is nothing to validate on.
    """

    model: Model
    last_model: Model
    history: list[dict[str, Any]]
    seconds: float


class Trainer:
    """The state of Algorithm 1; everything random is a function of (seed, mini-batch)."""

    def __init__(self, data: TrainingData, settings: TrainConfig, device: str = "cpu") -> None:
        self.settings = settings
        self.eta_map = EtaMap.of(data.names, data.eta)
        form = form_name(settings.network, len(data.names))
        stratified = settings.algorithm != "paper"
        s, held = settings, HELD_OUT if settings.held_out is None else settings.held_out
        validated = s.validate_n, held
        self.batches = Batches(data, self.eta_map, s.N, s.sets, s.seed, form, stratified, *validated)
        self.network = Network(data.clouds.shape[2], len(data.names), form)
        self.solver = plugins.registry().find("transition solver", settings.solver).load()
        # where the sub-problems of gamma are solved: on the device if the solver can
        there = device != "cpu" and device in self.solver.devices
        self.solver_options: dict[str, Any] = {"device": device} if there else {}
        schedule = Schedule(settings.optimiser, settings.learning_rate, settings.steps, settings.average, s.decay)
        self.schedule, self.averaged = schedule, bool(settings.average)
        self.best_kept = s.keep == "best" or (s.keep == "auto" and not self.averaged)
        self.descent = _descent(self.network, self.network.initial(settings.seed), schedule, device)
        self.step, self.spent = 0, 0.0
        self.history: list[dict[str, Any]] = []
        self.best: tuple[float, Weights] = (np.inf, self.descent.weights(False))
        self.batch: Batch | None = None
        self._drawn: dict[int, Batch] = {}
        self.gamma, self.prices = np.empty((0, 0), np.int64), np.empty((0, 0))
        self.capped = 0
        self.held, self.floor = self.batches.validation(), None
        if self.held is None and (s.keep == "best" or s.stop_excess):
            raise ConfigError(
                "no particles are held out, and there is no store to validate on",
                "drop --keep best and --stop-excess, or give --validate or --held-out",
            )
        if self.held is not None:
            self.floor = float(Certified().solve(self.batches.others(), self.held.targets).value.mean())

    def advance(self) -> None:
        """One gradient step, with the mini-batch and gamma renewed before it where they are due."""
        s = self.settings
        number = self.step // s.renew_batch
        if self.batch is None or self.step % s.renew_batch == 0:
            self.batch = self._drawn.pop(number, None) or self.batches.draw(number)
        if self.step % s.renew_batch == 0:
            self.gamma, self.prices = np.tile(np.arange(s.N), (len(self.batch.targets), 1)), np.empty((0, 0))
            if number or s.algorithm != "paper":  # the paper's first mini-batch starts from the identity
                self._renew_gamma(to_tolerance=True)
            self._aim()
        elif self.step % s.renew_batch % s.renew_gamma == 0:
            self._renew_gamma()
            self._aim()
        try:
            self.descent.step(self.step)
        except np.linalg.LinAlgError:  # of weights or gradients that are not finite
            raise NumericalError(f"gradient step {self.step} is not finite", "use a smaller --learning-rate") from None
        self.step += 1
        if self.step % s.renew_batch == 0 and self.step < s.steps:
            # a function of its number alone: on a GPU it is drawn while the steps are still on their way
            number = self.step // s.renew_batch
            self._drawn[number] = self.batches.draw(number)

    def loss(self) -> float:
        """Equation (14) before the last step. Raises `NumericalError` when it is not finite."""
        loss = self.descent.loss()
        if not np.isfinite(loss):
            raise NumericalError(f"the loss is not finite at step {self.step}", "use a smaller --learning-rate")
        return float(loss)

    def validate(self) -> float | None:
        """Exact W2 squared between the network's cloud and held-out particles, mean over data sets; None without."""
        if self.held is None:
            return None
        found = Certified().solve(self._push(self.held.inputs, self.averaged), self.held.targets)
        value = float(found.value.mean())
        if not self.best_kept or value < self.best[0]:
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
        header["capped"] = self.capped
        return header, arrays

    def restore(self, state: State) -> None:
        """Go on from `state`; the steps that follow are those of the uninterrupted training, bit for bit."""
        header, arrays = state
        self.step, self.history, self.spent = header["step"], list(header["history"]), header["seconds"]
        self.capped = header["capped"]
        self.gamma, self.prices = arrays["gamma"].copy(), arrays.get("prices", np.empty((0, 0))).copy()
        self.descent.restore(arrays)
        self.best = (np.inf if header["best"] is None else header["best"], arrays["best"].copy())
        if self.step % self.settings.renew_batch:
            self.batch = self.batches.draw(self.step // self.settings.renew_batch)
            self._aim()

    def _renew_gamma(self, to_tolerance: bool = False) -> None:
        """gamma for the weights at hand: of the iterative solvers ``sub_problems`` steps, or all to their tolerance.

        Their sub-problems are drawn from (seed, step, data set); another solver gets one number made of seed and step.
        """
        assert self.batch is not None
        if self.step:
            self.loss()  # weights that are not finite are not the solver's fault
        s, options = self.settings, self.solver_options.copy()
        if getattr(self.solver, "iterative", False):
            options |= {"M": s.sub_problem_size, "seed": s.seed, "step": self.step, "literal": s.algorithm == "paper"}
            most = s.most_sub_problems or None
            ends = {"iterations": most, "tolerance": s.tolerance}
            options |= ends if to_tolerance else {"iterations": s.sub_problems, "tolerance": -1.0}
        else:
            options["seed"] = int(np.random.SeedSequence([s.seed, self.step]).generate_state(1, np.uint64)[0] >> 1)
        solver = self.solver(**options)
        pushed = self._push(self.batch.inputs)
        known = {"prices": self.prices} if self.prices.size else {}
        found = solver.solve(pushed, self.batch.targets, self.gamma, **known)
        self.gamma = found.permutation
        self.capped += found.status == "capped"
        if getattr(self.solver, "takes_prices", False):
            self.prices = found.prices[1]

    def _aim(self) -> None:
        """Match the targets by gamma for the steps to come."""
        assert self.batch is not None
        matched = np.take_along_axis(self.batch.targets, self.gamma[..., None], axis=1)
        self.descent.aim(*(part.reshape(-1, part.shape[-1]) for part in (self.batch.inputs, matched)))

    def _push(self, inputs: np.ndarray, averaged: bool = False) -> np.ndarray:
        flat = inputs.reshape(-1, inputs.shape[-1])
        return np.asarray(self.descent.evaluate(flat, averaged).reshape(*inputs.shape[:2], -1))


def _descent(network: Network, theta: Weights, schedule: Schedule, device: str) -> Descent | DescentGPU:
    """The inner loop on a device."""
    if device == "cpu":
        return Descent(network, theta, schedule)
    from .descent_gpu import DescentGPU

    return DescentGPU(network, theta, schedule, device)


def train(
    data: TrainingData,
    settings: TrainConfig,
    *,
    device: str = "cpu",
    progress: Callable[[JsonDict], None] | None = None,
    state: State | None = None,
    on_checkpoint: Callable[[State], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    training: JsonDict | None = None,
    provenance: JsonDict | None = None,
    source: np.ndarray | None = None,
) -> Trained:
    """Run Algorithm 1 on ``data`` from the start, or from ``state``.

    ``progress(row)`` gets the newest row of the history with the number of ``steps``; ``on_checkpoint(state)`` is
    called about every 30 s and when ``should_stop()`` is true. ``training``, ``provenance`` and ``source`` go into the
    models. Raises `ConfigError` when a cloud is smaller than N,
    `NumericalError` when the loss is not finite or a solver fails.
    """
    about = (training or {}, provenance or {}, source)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # `Trainer.loss` says so in words
        return _trained(data, settings, device, progress, state, on_checkpoint, should_stop, about)


def _trained(
    data: TrainingData,
    settings: TrainConfig,
    device: str,
    progress: Callable[[JsonDict], None] | None,
    state: State | None,
    on_checkpoint: Callable[[State], None] | None,
    should_stop: Callable[[], bool] | None,
    about: tuple[JsonDict, JsonDict, np.ndarray | None],
) -> Trained:
    """`train`, with ``about`` its training, provenance and source."""
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
            excess = np.inf if value is None or trainer.floor is None else value - trainer.floor
            enough = bool(settings.stop_excess) and excess < settings.stop_excess
            if progress:
                progress(row | {"steps": settings.steps})
        stopping = should_stop is not None and should_stop()
        if on_checkpoint and not last and (stopping or now - saved > CHECKPOINT_SECONDS):
            on_checkpoint(trainer.state())
            saved = now
    ending = trainer.descent.weights(trainer.averaged)
    chosen = trainer.best[1] if trainer.best_kept and trainer.held is not None else ending
    value = trainer.best[0] if trainer.held is not None else None
    result = {
        "validation_W2_squared": value,
        "floor_W2_squared": trainer.floor,
        "validated_on": trainer.batches.validated_on(),
        "seconds": trainer.spent,
        "steps": trainer.step,
    } | ({"capped_solves": trainer.capped} if settings.most_sub_problems else {})
    written = about[0], about[1] | {"result": result}
    best, final = (Model(trainer.network, theta, trainer.eta_map, *written, about[2]) for theta in (chosen, ending))
    return Trained(best, final, trainer.history, trainer.spent)
