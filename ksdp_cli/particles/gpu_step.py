"""Time steps on a GPU: cases side by side, two launches a drift, many steps in one captured graph.

A step is the pair sum and one program for all the rest: the parts of the sum, the flow's formula, noise, scheme, and
the ends of the positions that the guard against blow-up looks at. The number of a graph's first step and its time lie
on the device, so that a graph is replayed as it is; the host waits once a graph, for the ends of all of its steps.

Steps are those of a case alone, to the bit, whatever runs beside it and however they are cut into graphs. On ranks of a
world each moves the particles of some blocks, by the same programs, and hears of the others' positions after each
launch. No sum goes over ranks: a force is one program's, of all sources in their order. Positions
are (case, axis, J). ``TRITON_INTERPRET=1`` runs the programs on CPU tensors, which is how the tests check them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.cuda_graph import NotCaptured, device_faults, record, without_waiting
from ..base.shapes import Cloud
from ..config import SimulateConfig
from ..errors import ConfigError, KsdpError, NumericalError
from . import gpu_shares
from .engines.choice import DriftEngine
from .engines.direct_cpu import template
from .engines.direct_gpu import launch, require_torch, shares
from .flow_trace import Formula, Untraceable, trace
from .gpu_shares import BLOCK
from .kernel_compiler.module_cache import import_text
from .kernel_compiler.program import Program
from .problem import diffusion
from .stepper import Stepper, resolved

if TYPE_CHECKING:
    from torch import Tensor

#: Launches of a step by scheme, as the program numbers them.
STAGES = {"euler": (0,), "heun": (1, 2)}
#: Steps of a graph at most, and pairs: about 0.1 s on a large card, for which a signal waits.
STEPS, PAIRS = 50, 2e11
#: Particles of all cases from which a step is bound by arithmetic, so that a capture gains nothing.
ARITHMETIC = 50_000


class StepsGPU:
    """The cases of ``steppers``, which share one engine's kernel, moved together. `put` comes first.

    Raises `ResourceError` without Triton, and where the card's memory or registers do not suffice.
    """

    def __init__(self, config: SimulateConfig, steppers: list[Stepper]) -> None:
        torch = self.torch = require_torch()
        self.config, self.steppers = config, steppers
        if steppers[0].engine is None:
            raise ConfigError(f"chemistry {config.chemistry!r} has no program for a GPU", "use --device cpu")
        self.engine: DriftEngine = steppers[0].engine
        self.direct = self.engine.name == "direct"
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.forced = any(stepper.interacting for stepper in steppers)
        cases, J, d = len(steppers), config.J, config.dim
        self.world = steppers[0].world
        self.several = self.world.size > 1
        self.ends_of = gpu_shares.block_ends(J, BLOCK, self.world.size)
        self.low, self.high = self.ends_of[self.world.rank : self.world.rank + 2]
        pairs = cases * J * (J if self.forced else 1000) / self.world.size  # of a particle alone: as long as that many
        #: Steps that are queued at once. A tree waits for its device in every step anyway.
        self.block = max(1, min(STEPS, int(PAIRS / pairs))) if self.direct else 1

        formulas, why = _formulas(steppers, d)
        self._flow_told = {} if why is None else {"flow": f"not in the step's program: {why}"}
        self.fused = bool(formulas)
        self.program = program(formulas[0].text if formulas else None)
        self._constants = [formula.constants for formula in formulas] or [()] * cases

        real = getattr(torch, config.dtype)
        empty = torch.empty(0, dtype=real, device=self.device)
        #: Positions of all ranks, and of this one's particles.
        self.whole = empty.new_zeros((cases, d, J))
        self.x = self.whole[..., self.low : self.high].clone() if self.several else self.whole
        self.kept = self.x.clone()
        if config.scheme not in STAGES:
            raise ConfigError(f"scheme {config.scheme!r} has no program for a GPU", "use --device cpu")
        self.stages = STAGES[config.scheme]
        several = len(self.stages) > 1
        self.ahead, self.first = (self.x.clone(), self.x.clone()) if several else (empty, empty)
        self.whole_ahead = self.whole.clone() if several and self.several else self.ahead
        self.v = empty if self.fused else self.x.clone()
        self.blocks = -(-(self.high - self.low) // BLOCK)
        width = (5 * d + 5) // 4 * 4  # whole 16 bytes, since Triton compiles anew for an address that is no multiple
        self.ends = empty.new_zeros((self.block, cases, self.blocks, width))
        self.found = empty.new_zeros((self.block, cases, width))
        self.parameters = torch.tensor([s.case.kernel_args for s in steppers], dtype=real, device=self.device)
        keys = [(_signed(stepper.key), stepper.stream) for stepper in steppers]
        self.keys = torch.tensor(keys, dtype=torch.int64, device=self.device)
        self.clock = torch.zeros(5, dtype=torch.float64, device=self.device)
        self._lengths: dict[float, Any] = {}
        self.numbers: Any = None
        self._host_clock: tuple[float, ...] | None = None
        self._why = self._no_capture()
        self._graphs: dict[int, Callable[[], None] | None] = {}
        self._tell()

    @staticmethod
    def fits(config: SimulateConfig, cases: int) -> bool:
        """Whether so many cases fit side by side in half of what the card has left."""
        torch = require_torch()
        if not torch.cuda.is_available():
            return True
        count, _ = shares(config.J, config.J, launch(config.dim, config.dtype)["TARGETS"])
        need = cases * config.J * config.dim * 8 * (count + 6)
        return bool(2 * need < torch.cuda.mem_get_info()[0])

    def put(self, x: Cloud) -> None:
        """Take positions (case, J, d) of the host."""
        with device_faults():
            self.whole.copy_(self.torch.from_numpy(np.ascontiguousarray(x)).to(self.device).transpose(1, 2))
            if self.several:
                self.x.copy_(self.whole[..., self.low : self.high])
            if self._host_clock is None and not self.fused:
                self._try_flow()

    def get(self) -> Cloud:
        """Positions (case, J, d) on the host, of all ranks, after the last good step. Any rank may call it alone."""
        return self.world.fetch(self.whole.transpose(1, 2).contiguous())

    def advance(self, number: int, begin: float, length: float, count: int) -> tuple[int, int, NumericalError | None]:
        """Take up to ``count`` <= `block` steps from global step ``number``, at ``begin`` in units of dt, from t0 on.

        ``length`` is that of each step, dt where ``count`` is more than 1. Returns the good steps, and the case and
        error of a blow-up in the next one: the positions are then those before it.
        """
        c = self.config
        with device_faults():
            self._aim(number, begin, length)
            self._launch(count, length == c.dt)
            # the one wait for the device; a maximum over ranks is that over all blocks
            found = self.world.largest(self.world.fetch(self.found[:count]))
            measured, pulls = _measured(found, c.dim)
            noise = np.array([diffusion(stepper.case, length) for stepper in self.steppers])
            good = resolved(measured, noise, c.dtype)
            taken = count if good.all() else int(np.argmin(good.all(1)))
            for case, stepper in enumerate(self.steppers):
                stepper.fastest = max(stepper.fastest, float(pulls[: taken + 1, case].max()))
                stepper.width, stepper.far = measured[:2, min(taken, count - 1), case].tolist()
            if taken == count:
                return taken, -1, None
            self.x.copy_(self.kept)
            self._share(self.x, self.whole)
            for step in range(taken):  # the same programs on the same positions: the same bits
                self._step(step)
        case, t = int(np.argmin(good[taken])), c.t0 + (begin + taken) * c.dt
        return taken, case, self.steppers[case].blow_up(measured[:, taken, case].tolist(), t)

    def _aim(self, number: int, begin: float, length: float) -> None:
        """Tell the device which steps come."""
        if length not in self._lengths:
            rows = [
                (stepper.prefactor, diffusion(stepper.case, length), *constants)
                for stepper, constants in zip(self.steppers, self._constants, strict=True)
            ]
            if len(self._lengths) > 1:  # dt, and the last cut step's
                self._lengths.pop(next(key for key in self._lengths if key != self.config.dt))
            self._lengths[length] = self.torch.tensor(rows, dtype=self.torch.float64, device=self.device)
        self.numbers = self._lengths[length]
        clock = (float(number), begin, self.config.dt, length, self.config.t0)
        self.clock.copy_(self.torch.tensor(clock, dtype=self.torch.float64), non_blocking=True)
        if self._host_clock is not None:
            self._host_clock = clock

    def _launch(self, count: int, whole: bool) -> None:
        """Queue ``count`` steps, as a graph from the second time that there are so many."""

        def body() -> None:
            self.kept.copy_(self.x)
            for step in range(count):
                self._step(step)
            self.torch.amax(self.ends[:count], 2, out=self.found[:count])

        if self._why is None and whole and count > 1:
            if count in self._graphs and self._graphs[count] is None:
                try:
                    self._graphs[count] = record(body)
                except NotCaptured as error:
                    self._why = str(error)
                self._tell()
            replay = self._graphs.setdefault(count, None)
            if replay is not None:
                replay()
                return
        body()

    def _step(self, offset: int) -> None:
        """Queue the launches of step ``offset`` of those that the clock begins."""
        for stage in self.stages:
            at, whole = (self.ahead, self.whole_ahead) if stage == 2 else (self.x, self.whole)
            self._stage(offset, stage, at, whole)
            self._share(*((self.ahead, self.whole_ahead) if stage == 1 else (self.x, self.whole)))

    def _share(self, x: Tensor, whole: Tensor) -> None:
        """Have the positions ``x`` of all ranks in ``whole``."""
        if self.several:
            whole[..., self.low : self.high] = x
            gpu_shares.join(whole, self.ends_of, self.world)

    def _stage(self, offset: int, stage: int, x: Tensor, whole: Tensor) -> None:
        """One drift at positions ``x`` of ``whole`` and what follows from it."""
        cases, d, J = x.shape
        parts = self._parts(x, whole)
        if not self.fused:
            self._velocities(x, offset, stage)
        self.program[(self.blocks, cases)](
            self.x,
            parts,
            self.v,
            self.ahead,
            self.first,
            self.numbers,
            self.keys,
            self.clock,
            self.ends[offset],
            offset,
            J,
            self.low,
            parts.shape[1] if self.forced else 0,
            self.numbers.shape[1],
            D=d,
            BLOCK=BLOCK,
            STAGE=stage,
            FORCED=self.forced,
            FUSED=self.fused,
            enable_fp_fusion=True,  # Triton 3.10 changes the default
        )

    def _parts(self, x: Tensor, whole: Tensor) -> Tensor:
        """Parts (case, share, axis, particle) in float64 of the sum over ``whole`` at ``x``."""
        parts: Tensor = self.clock
        if not self.forced:
            return parts
        if self.direct:
            parts = self.engine.parts(x, whole, self.parameters, whole.shape[2])  # type: ignore[attr-defined]
            return parts
        force: Tensor = self.engine(whole[0].T.contiguous())[self.low : self.high]
        return force.T.contiguous().double()[None, None]

    def _velocities(self, x: Tensor, offset: int, stage: int) -> None:
        """The flow's own code into `v`, with the time on the device, or on the host where it wants it there."""
        clock = self.clock if self._host_clock is None else self._host_clock
        t = clock[4] + (clock[1] + offset) * clock[2]
        t = t + clock[3] if stage == 2 else t
        for case, stepper in enumerate(self.steppers):
            self.v[case].copy_(stepper.velocity(x[case].T.contiguous(), t).T)

    def _try_flow(self) -> None:
        """Find out whether a flow takes its time from the device without a wait for it."""

        def body() -> None:
            self._velocities(self.x, 0, 0)

        try:
            if self.x.is_cuda:
                without_waiting(body)
            else:
                body()
        except KsdpError:
            raise
        except Exception as error:  # whatever a stranger's code does with a tensor for a time
            self._host_clock = (0.0,) * 5
            self._why = self._why or f"flow {self.config.flow!r}: {error}"
            self._tell()

    def _no_capture(self) -> str | None:
        """Why steps are not captured, as far as it is known before the first."""
        if not self.x.is_cuda:
            return "no GPU"
        if self.several:
            return "ranks join their positions in every step"
        if not self.direct:
            return "the tree waits for the device"
        if self.forced and len(self.steppers) * self.config.J >= ARITHMETIC:
            return f"{ARITHMETIC} particles and more are bound by arithmetic"
        return None

    def _tell(self) -> None:
        replayed = any(self._graphs.values())
        why = None if replayed else self._why or "too few steps so far"
        for stepper in self.steppers:
            stepper.told = {"captured": replayed} | ({"why": why} if why else {}) | self._flow_told


def program(formula: str | None) -> Program:
    """The Triton program of a step around a flow's formula; without one it takes velocities from memory."""
    velocity = formula or "def velocity(x0, x1, x2, t, c):\n    return x0, x1, x2\n"
    text = (template("noise_gpu"), f"@triton.jit\n{velocity}", template("step_gpu"))
    advance: Program = import_text("\n\n".join(text), "step_gpu").advance
    return advance


def _formulas(steppers: list[Stepper], dim: int) -> tuple[list[Formula], str | None]:
    """The flows' formulas where there are such, of one text; else why not."""
    try:
        formulas = [trace(stepper.case.flow, dim) for stepper in steppers]
    except Untraceable as error:
        return [], str(error)
    if len({formula.text for formula in formulas}) > 1:
        return [], "it differs between the cases"
    return formulas, None


def _measured(found: NDArray[np.floating], dim: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The numbers of `resolved` (4, step, case) and the largest attraction, from ``found`` (step, case, ends)."""
    ends = found[..., : 5 * dim].reshape(*found.shape[:-1], dim, 5)
    with np.errstate(over="ignore", invalid="ignore"):
        width, moved = (ends[..., i : i + 2].sum(-1).max(-1) for i in (0, 2))
    return np.stack([width, ends[..., :2].max((-2, -1)), moved, ends[..., 4].max(-1)]), found[..., 5 * dim :].max(-1)


def _signed(key: int) -> int:
    """The 64 bits of a key as torch's integers hold them."""
    return (key + 2**63) % 2**64 - 2**63
