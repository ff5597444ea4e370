"""Algorithm 1: alternate between the transition matrices gamma and gradient steps on theta."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import plugins
from ..errors import NumericalError
from ..transitions.certified import Certified
from .adam import Adam, rate
from .batches import Batch, Batches
from .data import TrainingData
from .eta_map import EtaMap
from .model import Model
from .network import Network, Weights

State = tuple[dict[str, Any], dict[str, np.ndarray]]
CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True)
class TrainSettings:
    """See `ksdp_cli.config.TrainConfig`, whose fields these are."""

    N: int = 2000
    sets: int = 0
    steps: int = 10_000
    renew_batch: int = 1000
    renew_gamma: int = 200
    solver: str = "certified"
    learning_rate: float = 5e-3
    validate_every: int = 500
    seed: int = 0


@dataclass(frozen=True)
class Trained:
    """The weights that validated best, the last ones, and a history of rows (step, loss, validation, rate, seconds).

    ``loss`` is equation (14), the mean squared distance under the current gamma; ``validation`` the exact W2 squared
    to held-out particles, N = 1000, mean over data sets, or None at steps without one.
    """

    model: Model
    last_model: Model
    history: list[dict[str, Any]]
    seconds: float


class Trainer:
    """The state of Algorithm 1; everything random is a function of (seed, mini-batch)."""

    def __init__(self, data: TrainingData, settings: TrainSettings, device: str = "cpu") -> None:
        self.settings, self.device = settings, device
        self.eta_map = EtaMap.of(data.names, data.eta)
        self.batches = Batches(data, self.eta_map, settings.N, settings.sets, settings.seed)
        self.network = Network(data.clouds.shape[2], len(data.names))
        self.solver = plugins.registry().find("transition solver", settings.solver).load()
        self.theta = self.network.initial(settings.seed)
        self.adam = Adam(self.theta)
        self.engine = _engine(self.network, device)
        self.step, self.spent = 0, 0.0
        self.history: list[dict[str, Any]] = []
        self.best: tuple[float, Weights] = (np.inf, self.theta.copy())
        self.batch: Batch | None = None
        self.gamma = np.empty((0, 0), np.int64)
        self.held = self.batches.validation()

    def advance(self) -> float:
        """One gradient step, with the mini-batch and gamma renewed before it where they are due. Returns the loss."""
        s = self.settings
        number = self.step // s.renew_batch
        if self.batch is None or self.step % s.renew_batch == 0:
            self.batch = self.batches.draw(number)
        if self.step % s.renew_batch == 0:
            self.gamma = np.tile(np.arange(s.N), (len(self.batch.targets), 1))
            if number:  # the first mini-batch starts from the identity
                self._renew_gamma()
        elif self.step % s.renew_gamma == 0:
            self._renew_gamma()
        matched = np.take_along_axis(self.batch.targets, self.gamma[..., None], axis=1)
        flat = self.batch.inputs.reshape(-1, self.batch.inputs.shape[-1])
        loss, slopes = self.engine.gradient(self.theta, flat, matched.reshape(-1, matched.shape[-1]))
        if not np.isfinite(loss):
            raise NumericalError(f"the loss is not finite at step {self.step}", "use a smaller --learning-rate")
        self.adam.update(self.theta, slopes, self.step, rate(s.learning_rate, self.step, s.steps))
        self.step += 1
        return loss

    def validate(self) -> float:
        """Exact W2 squared between the network's cloud and held-out particles, mean over data sets."""
        found = Certified().solve(self._push(self.held.inputs), self.held.targets)
        value = float(found.value.mean())
        if value < self.best[0]:
            self.best = (value, self.theta.copy())
        return value

    def state(self) -> State:
        """Everything that the next step depends on, as a JSON-able header and arrays."""
        arrays: dict[str, np.ndarray] = {
            "gamma": self.gamma, "theta": self.theta, "best": self.best[1],
            "mean": self.adam.mean, "square": self.adam.square,
        }  # fmt: skip
        best = self.best[0] if np.isfinite(self.best[0]) else None  # JSON has no infinity
        header = {"step": self.step, "history": list(self.history), "seconds": self.spent, "best": best}
        return header, {name: array.copy() for name, array in arrays.items()}

    def restore(self, state: State) -> None:
        """Go on from `state`; the steps that follow are those of the uninterrupted training, bit for bit."""
        header, arrays = state
        self.step, self.history, self.spent = header["step"], list(header["history"]), header["seconds"]
        own = {name: array.copy() for name, array in arrays.items()}
        self.gamma, self.theta = own["gamma"], own["theta"]
        self.adam.mean, self.adam.square = own["mean"], own["square"]
        self.best = (np.inf if header["best"] is None else header["best"], own["best"])
        if self.step % self.settings.renew_batch:
            self.batch = self.batches.draw(self.step // self.settings.renew_batch)

    def _renew_gamma(self) -> None:
        assert self.batch is not None
        # a seed of its own at every renewal: the random subsets differ, and there is no state of theirs to keep
        solver = self.solver(seed=self.settings.seed + self.step)
        self.gamma = solver.solve(self._push(self.batch.inputs), self.batch.targets, self.gamma).permutation

    def _push(self, inputs: np.ndarray) -> np.ndarray:
        flat = inputs.reshape(-1, inputs.shape[-1])
        return self.engine.evaluate(self.theta, flat).reshape(*inputs.shape[:2], -1)


def _engine(network: Network, device: str) -> Any:
    """What evaluates the network and its gradient on a device."""
    if device == "cpu":
        return network
    from .torch_network import TorchNetwork

    return TorchNetwork(network, device)


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
        trainer.restore(state)
    began, saved, before = time.monotonic(), time.monotonic(), trainer.spent
    while trainer.step < settings.steps:
        loss = trainer.advance()
        now = time.monotonic()
        trainer.spent = before + now - began
        last = trainer.step == settings.steps
        due = trainer.step % settings.validate_every == 0 or last
        if due or trainer.step % 50 == 0:
            row = {
                "step": trainer.step,
                "loss": loss,
                "validation": trainer.validate() if due else None,
                "rate": rate(settings.learning_rate, trainer.step - 1, settings.steps),
                "seconds": trainer.spent,
            }
            trainer.history.append(row)
            if progress:
                progress(row | {"steps": settings.steps})
        stopping = should_stop is not None and should_stop()
        if on_checkpoint and not last and (stopping or now - saved > CHECKPOINT_SECONDS):
            on_checkpoint(trainer.state())
            saved = now
    result = {
        "validation_W2_squared": trainer.best[0],
        "validated_on": f"{trainer.held.targets.shape[1]} held-out particles of {len(trainer.held.targets)} data sets",
        "seconds": trainer.spent,
        "steps": settings.steps,
    }
    about = (trainer.eta_map, training or {}, (provenance or {}) | {"result": result})
    best, final = (Model(trainer.network, theta, *about) for theta in (trainer.best[1], trainer.theta))
    return Trained(best, final, trainer.history, trainer.spent)
