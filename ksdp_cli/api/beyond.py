"""Predict beyond the trained times: start from the network at its last trained time, then integrate equation (8).

The paper (section 4.1) starts a further run from generated particles; here that run is the prediction.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base import device as devices
from ..base import parsing
from ..base.listener import Listener
from ..base.signals import stop_or_sigint
from ..config import SimulateConfig
from ..errors import ConfigError, Interrupted, NumericalError
from ..initial.stored import StoredCloud
from ..particles import preflight
from ..particles.precision import precision_warning
from ..particles.problem import Problem, pose
from ..particles.simulation import Simulation
from ..store.selection import end_of
from .generator import Generator
from .references import reference_options
from .start_warnings import warn_before_start

if TYPE_CHECKING:
    from ..learning.model import Model

#: Fields of `SimulateConfig` that the continuation does not take from the run that was learned.
ITS_OWN = ("init", "init_params", "t0", "J")


@dataclass(frozen=True)
class Continuation:
    """Particles (J, d) at the requested time, facts for the store, and the seconds of the network's part."""

    cloud: NDArray[np.float32]
    facts: dict[str, Any]
    network_seconds: float


class Beyond:
    """The run from the last trained time of a network to ``t``, at the parameters ``at`` by name.

    ``J`` is the number of particles of the runs that were learned, or ``n`` if larger: fewer particles would change the
    pair sum. Raises `DataError` for a network of clouds that ksdp did not simulate, and `ConfigError` if the chemistry
    has a memory, or a flow or kernel is missing.
    """

    def __init__(self, generator: Generator, at: Mapping[str, float], t: float, n: int, seed: int) -> None:
        simulation: SimulateConfig = generator.model.simulation
        self.generator = generator
        self.start = last_time(generator.model)
        self.at = {name: self.start if name == "t" else at[name] for name in generator.names}
        self.J = max(n, simulation.J)
        others = {name: value for name, value in at.items() if name != "t"}
        full = reference_options(generator.model.provenance["simulation"], others)
        options = {name: value for name, value in full.items() if name not in ITS_OWN}
        options |= {"J": self.J, "T": parsing.tidy(t - self.start), "seed": seed}
        options["device"] = "cpu" if generator.device == "cpu" else "auto"  # auto: some options need the CPU
        dim = generator.model.dim
        initial = StoredCloud("network", self.J, dim, lambda: generator.cloud(self.J, self.at, seed), self.start)
        self.problem = pose(options | {"init": initial})
        if self.problem.chemistry.memory:
            raise ConfigError(
                "the chemical of this model has a memory, and the network does not give its state",
                "use --beyond network, or simulate from the start",
            )
        preflight.require(self.problem)

    def move(self, listener: Listener) -> Continuation:
        """Draw the particles and move them to the end.

        Raises `NumericalError` at blow-up, and `Interrupted` on a signal; nothing is saved then.
        """
        problem, began = self.problem, time.monotonic()
        assert isinstance(problem.initial, StoredCloud)
        cloud = problem.initial.frame
        start = time.monotonic()
        warn_before_start(problem, cloud, precision_warning(problem, cloud), listener.warn)
        with stop_or_sigint(listener.stop) as stop:
            simulation = _integrate(problem, Listener(listener.progress, stop, listener.warn))
        x = simulation.runs[0].state.x.astype(np.float32, copy=False)
        facts: dict[str, Any] = {
            "method": "simulate",
            "from": self.start,
            "J": self.J,
            "dt": problem.config.dt,
            "steps": simulation.steps,
            "engine": str(simulation.runs[0].stepper.report()["engine"]),
            "seconds": time.monotonic() - start,
        }
        collapsed = simulation.runs[0].state.collapsed
        facts |= {} if collapsed is None else {"collapsed_from": collapsed}
        return Continuation(x, facts, start - began)


def last_time(model: Model) -> float:
    """Return the last trained time of a network; without a parameter t, the time of all its clouds."""
    high = dict(zip(model.eta_map.names, model.eta_map.high, strict=True))
    return float(high["t"]) if "t" in high else end_of(model.provenance["simulation"])


def _integrate(problem: Problem, listener: Listener) -> Simulation:
    """Run the simulation of ``problem`` to its end, with its warnings and progress."""
    simulation = Simulation(problem, devices.choose(problem.config.place))
    simulation.start()
    notes: set[str] = set()

    def doubt(sentence: str | None) -> None:
        if sentence and listener.warn and not notes:
            notes.add(sentence)
            listener.warn(sentence)

    def after_step(done: int) -> None:
        doubt(simulation.look())
        if listener.progress:
            listener.progress("steps", done, simulation.steps)
        number = listener.stop() if listener.stop else None
        if number is not None:
            message = f"stopped by signal {number} at step {done} of {simulation.steps}; nothing is saved"
            raise Interrupted(message, number, "repeat the command")

    try:
        simulation.run(lambda k, clouds: None, after_step)
    except NumericalError as error:
        simulation.snapshot()
        advice = preflight.diagnose(problem, simulation.moving.case, simulation.moving.state.x)
        raise NumericalError(f"{error.message}; {advice}", error.hint) from None
    pull, case = simulation.max_kernel_displacement()
    message = preflight.kernel_warning(pull, simulation.longest, problem.config.t0 + problem.config.T, case)
    if message and listener.warn:
        listener.warn(message)
    return simulation
