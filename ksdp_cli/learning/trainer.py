"""Algorithm 1: alternate between updates of the transition matrices gamma and gradient steps on theta."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from .. import plugins
from ..assignment.certified.solver import Certified
from ..base.files import JsonDict
from ..config import TrainConfig
from ..errors import ConfigError, DataError, NumericalError
from .batches import HELD_OUT, Batch, Batches, training_particles
from .data import TrainingData
from .descent import Descent, Schedule
from .eta_map import EtaMap
from .model import Model
from .network.forms import form_name
from .network.network import Network, Weights

if TYPE_CHECKING:
    from .descent_gpu import DescentGPU

State = tuple["TrainerHeader", dict[str, np.ndarray]]


class TrainerHeader(TypedDict):
    """What a checkpoint says of a training but its arrays; its record is `ksdp_cli.base.records.TrainerState`."""

    step: int
    history: list[dict[str, Any]]
    seconds: float
    best: float | None
    capped: int


CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True)
class Trained:
    """The result of a training: selected weights, last weights, and a history.

    The option ``keep`` selects the weights. Rows of the history have step, loss, validation, floor, rate and seconds.
    ``loss`` is equation (14), the mean squared distance under the current gamma [length^2]. ``validation`` is the exact
    W2 squared to held-out particles, or to those of a validation store, as a mean over data sets, or None at steps
    without validation. ``floor`` is the same between two halves of those particles. Both are None without validation
    data.
    """

    model: Model
    last_model: Model
    history: list[dict[str, Any]]
    seconds: float


def fitting(settings: TrainConfig, particles: int) -> TrainConfig:
    """Return ``settings`` with N at most the number of particles that train, of clouds of ``particles``."""
    held_out = HELD_OUT if settings.held_out is None else settings.held_out
    return settings.model_copy(update={"N": max(1, min(settings.N, training_particles(particles, held_out)))})


class Trainer:
    """Runs Algorithm 1 step by step; all random numbers are a function of (seed, mini-batch).

    Raises `ConfigError` for N above the number of training particles, and for options that need validation data
    without any.
    """

    def __init__(self, data: TrainingData, settings: TrainConfig, device: str = "cpu") -> None:
        self.settings, self.units = settings, (data.source_units, data.cloud_units)
        #: Of distances in the network's numbers [length^2].
        self.area = data.cloud_units.length**2
        data = data.standardise()
        self.eta_map = EtaMap.of(data.names, data.eta)
        form = form_name(settings.network, len(data.names))
        stratified = settings.algorithm != "paper"
        s, held = settings, HELD_OUT if settings.held_out is None else settings.held_out
        validated = s.validate_n, held
        self.batches = Batches(data, self.eta_map, s.N, s.sets, s.seed, form, stratified, *validated)
        self.network = Network(data.clouds.shape[2], len(data.names), form)
        self.solver = plugins.registry().find("transition solver", settings.solver).load()
        # the solver runs on the device if it supports it
        on_device = device != "cpu" and device in self.solver.devices
        self.solver_options: dict[str, Any] = {"device": device} if on_device else {}
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
                "there are no held-out particles and no validation store",
                "drop --keep best and --stop-excess, or use --validate or --held-out",
            )
        if self.held is not None:
            self.floor = self.area * float(Certified().solve(self.batches.others(), self.held.targets).value.mean())

    def advance(self) -> None:
        """Make one gradient step; before it, renew the mini-batch and gamma when they are due."""
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
        except np.linalg.LinAlgError:  # from weights or gradients that are not finite
            raise NumericalError(f"gradient step {self.step} is not finite", "use a smaller --learning-rate") from None
        self.step += 1
        if self.step % s.renew_batch == 0 and self.step < s.steps:
            # depends on its number alone; on a GPU the draw overlaps with queued steps
            number = self.step // s.renew_batch
            self._drawn[number] = self.batches.draw(number)

    def loss(self) -> float:
        """Return equation (14) before the last step [length^2]. Raises `NumericalError` if it is not finite."""
        loss = self.descent.loss()
        if not np.isfinite(loss):
            raise NumericalError(f"the loss is not finite at step {self.step}", "use a smaller --learning-rate")
        return self.area * float(loss)

    def validate(self) -> float | None:
        """Return the exact W2 squared between generated and held-out particles, mean over data sets; None without
        any."""
        if self.held is None:
            return None
        matching = Certified().solve(self._push(self.held.inputs, self.averaged), self.held.targets)
        value = self.area * float(matching.value.mean())
        if not self.best_kept or value < self.best[0]:
            self.best = (value, self.descent.weights(self.averaged))
        return value

    def state(self) -> State:
        """Return all that the next step depends on: a header for JSON, and arrays."""
        arrays: dict[str, np.ndarray] = {
            "gamma": self.gamma.copy(), "best": self.best[1].copy(), **self.descent.arrays(),
            **({"prices": self.prices.copy()} if self.prices.size else {}),
        }  # fmt: skip
        best = self.best[0] if np.isfinite(self.best[0]) else None  # JSON has no infinity
        return TrainerHeader(
            step=self.step, history=list(self.history), seconds=self.spent, best=best, capped=self.capped
        ), arrays

    def restore(self, state: State) -> None:
        """Continue from `state`, to the same bits as the uninterrupted training."""
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
        """Update gamma for the current weights; an iterative solver makes ``sub_problems`` steps or goes to its
        tolerance.

        An iterative solver draws its sub-problems from (seed, step, data set); other solvers get one seed from (seed,
        step).
        """
        assert self.batch is not None
        if self.step:
            self.loss()  # raises for weights that are not finite
        s, options = self.settings, self.solver_options.copy()
        if getattr(self.solver, "iterative", False):
            options |= {"M": s.sub_problem_size, "seed": s.seed, "step": self.step, "literal": s.algorithm == "paper"}
            most = s.most_sub_problems or None
            tolerance = s.tolerance / self.area if s.algorithm == "paper" else s.tolerance
            stop = {"iterations": most, "tolerance": tolerance}
            options |= stop if to_tolerance else {"iterations": s.sub_problems, "tolerance": -1.0}
        else:
            options["seed"] = int(np.random.SeedSequence([s.seed, self.step]).generate_state(1, np.uint64)[0] >> 1)
        solver = self.solver(**options)
        outputs = self._push(self.batch.inputs)
        prices = {"prices": self.prices} if self.prices.size else {}
        matching = solver.solve(outputs, self.batch.targets, self.gamma, **prices)
        if not _are_permutations(matching.permutation, outputs.shape[:2]):
            raise ConfigError(f"solver {s.solver!r} returned rows that are not permutations",
                              "check it with ksdp_cli.testing.check_transition_solver")  # fmt: skip
        self.gamma = matching.permutation
        self.capped += matching.status == "capped"
        if getattr(self.solver, "takes_prices", False):
            self.prices = matching.prices[1]

    def _aim(self) -> None:
        """Pass inputs and matched targets to the inner loop."""
        assert self.batch is not None
        targets = np.take_along_axis(self.batch.targets, self.gamma[..., None], axis=1)
        self.descent.set_targets(*(part.reshape(-1, part.shape[-1]) for part in (self.batch.inputs, targets)))

    def _push(self, inputs: np.ndarray, averaged: bool = False) -> np.ndarray:
        flat = inputs.reshape(-1, inputs.shape[-1])
        return np.asarray(self.descent.evaluate(flat, averaged).reshape(*inputs.shape[:2], -1))


def _descent(network: Network, theta: Weights, schedule: Schedule, device: str) -> Descent | DescentGPU:
    """The inner loop on ``device``."""
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

    ``progress(row)`` receives the newest row of the history with the number of ``steps``; ``on_checkpoint(state)`` is
    called about every 30 s and when ``should_stop()`` is true. ``training``, ``provenance`` and ``source`` go into the
    models. Raises `ConfigError` if a cloud has fewer than N training particles, `DataError` for a ``state`` of another
    training, and `NumericalError` if the loss is not finite or a solver fails.
    """
    about = (training or {}, provenance or {}, source)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # `Trainer.loss` reports it
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
    """As `train`; ``about`` holds training, provenance and source."""
    trainer = Trainer(data, settings, device)
    if state is not None:
        try:
            trainer.restore(state)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            message = f"the checkpoint is not of this training ({type(error).__name__}: {error})"
            raise DataError(message, "use --overwrite to start again") from None
    began, last_save, before = time.monotonic(), time.monotonic(), trainer.spent
    enough = False
    while trainer.step < settings.steps and not enough:
        trainer.advance()
        last = trainer.step == settings.steps
        due = trainer.step % settings.validate_every == 0 or last
        record = due or trainer.step % 50 == 0
        loss = trainer.loss() if record else None  # waits for a GPU before the clock is read
        now = time.monotonic()
        trainer.spent = before + now - began
        if record:
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
        if on_checkpoint and not last and (stopping or now - last_save > CHECKPOINT_SECONDS):
            on_checkpoint(trainer.state())
            last_save = now
    last_weights = trainer.descent.weights(trainer.averaged)
    weights = trainer.best[1] if trainer.best_kept and trainer.held is not None else last_weights
    value = trainer.best[0] if trainer.held is not None else None
    result = {
        "validation_W2_squared": value,
        "floor_W2_squared": trainer.floor,
        "validated_on": trainer.batches.validated_on(),
        "seconds": trainer.spent,
        "steps": trainer.step,
    } | ({"capped_solves": trainer.capped} if settings.most_sub_problems else {})
    entries = about[0], about[1] | {"result": result}
    best, final = (
        Model(trainer.network, theta, trainer.eta_map, *entries, about[2], *trainer.units)
        for theta in (weights, last_weights)
    )
    return Trained(best, final, trainer.history, trainer.spent)


def _are_permutations(rows: object, shape: tuple[int, ...]) -> bool:
    """Whether ``rows`` is an array of this ``shape`` whose rows are permutations."""
    if not isinstance(rows, np.ndarray) or rows.shape != shape or rows.dtype.kind not in "iu":
        return False
    return bool((np.sort(rows) == np.arange(shape[1])).all())
