"""Time steps on a GPU: several cases at once, two launches for each drift, many steps in one captured graph.

A step launches the pair sum and one other program. That program adds the parts of the sum, evaluates the flow's
formula, draws noise, applies the scheme, and records the extreme coordinates for the check against blow-up. The device
holds the number and time of a graph's first step, so that one graph can be replayed; the host waits once for each
graph.

The steps of a case are equal to the bit whichever cases run with it and however steps are grouped into graphs. With
several ranks, each moves the particles of some blocks by the same programs and receives the other positions after each
launch. No sum goes over ranks: one program computes a force, over all sources in order. Positions are (case, axis, J).
``TRITON_INTERPRET=1`` runs the programs on CPU tensors; the tests use this.
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

#: Stages of a step for each scheme, by their numbers in the program.
STAGES = {"euler": (0,), "heun": (1, 2)}
#: Largest number of steps, and of pairs, in a graph: about 0.1 s on a large card, by which a signal is delayed.
STEPS, PAIRS = 50, 2e11
#: Number of particles in all cases above which arithmetic limits a step and a capture gains nothing.
ARITHMETIC = 50_000


class StepsGPU:
    """Moves the cases of ``steppers``, which share one kernel, together. Call `put` first.

    Raises `ConfigError` for a chemistry or scheme without a GPU program, and `ResourceError` without Triton or if the
    memory or the registers of the GPU are insufficient.
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
        # without a pair sum, a particle takes as long as about 1000 pairs
        pairs = cases * J * (J if self.forced else 1000) / self.world.size
        #: Number of steps that are queued at once; 1 for the tree, which waits for the device in every step.
        self.block = max(1, min(STEPS, int(PAIRS / pairs))) if self.direct else 1

        formulas, why = _formulas(steppers, d)
        self._flow_note = {} if why is None else {"flow": f"not in the step's program: {why}"}
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
        width = (5 * d + 5) // 4 * 4  # a multiple of 16 bytes: Triton compiles again for other alignments
        self.ends = empty.new_zeros((self.block, cases, self.blocks, width))
        self.extremes = empty.new_zeros((self.block, cases, width))
        self.parameters = torch.tensor([s.case.kernel_args for s in steppers], dtype=real, device=self.device)
        keys = [(_signed(stepper.key), stepper.stream) for stepper in steppers]
        self.keys = torch.tensor(keys, dtype=torch.int64, device=self.device)
        self.clock = torch.zeros(5, dtype=torch.float64, device=self.device)
        self._lengths: dict[float, Any] = {}
        self.numbers: Any = None
        self._host_clock: tuple[float, ...] | None = None
        self._why = self._no_capture()
        self._graphs: dict[int, Callable[[], None] | None] = {}
        self._note()

    @staticmethod
    def fits(config: SimulateConfig, cases: int) -> bool:
        """Whether ``cases`` cases together fit in half of the free memory of the GPU."""
        torch = require_torch()
        if not torch.cuda.is_available():
            return True
        count, _ = shares(config.J, config.J, launch(config.dim, config.dtype)["TARGETS"])
        need = cases * config.J * config.dim * 8 * (count + 6)
        return bool(2 * need < torch.cuda.mem_get_info()[0])

    def put(self, x: Cloud) -> None:
        """Copy positions (case, J, d) from the host."""
        with device_faults():
            self.whole.copy_(self.torch.from_numpy(np.ascontiguousarray(x)).to(self.device).transpose(1, 2))
            if self.several:
                self.x.copy_(self.whole[..., self.low : self.high])
            if self._host_clock is None and not self.fused:
                self._try_flow()

    def get(self) -> Cloud:
        """Return positions (case, J, d) of all ranks on the host, after the last good step. One rank may call it
        alone."""
        return self.world.fetch(self.whole.transpose(1, 2).contiguous())

    def advance(self, number: int, begin: float, length: float, count: int) -> tuple[int, int, NumericalError | None]:
        """Make up to ``count`` <= `block` steps from global step ``number``, which starts at t0 + ``begin`` * dt.

        ``length`` is the length of each step; it is dt if ``count`` > 1. Returns the number of good steps, and the case
        and error of a blow-up in the next step; the positions are then those before it.
        """
        c = self.config
        with device_faults():
            self._set_clock(number, begin, length)
            self._launch(count, length == c.dt)
            # the only wait for the device; a maximum over ranks is the maximum over all blocks
            extremes = self.world.largest(self.world.fetch(self.extremes[:count]))
            extent, speeds = _extent(extremes, c.dim)
            noise = np.array([diffusion(stepper.case, length) for stepper in self.steppers])
            good = resolved(extent, noise, c.dtype)
            steps = count if good.all() else int(np.argmin(good.all(1)))
            for case, stepper in enumerate(self.steppers):
                stepper.fastest = max(stepper.fastest, float(speeds[: steps + 1, case].max()))
                stepper.width, stepper.far = extent[:2, min(steps, count - 1), case].tolist()
            if steps == count:
                return steps, -1, None
            self.x.copy_(self.kept)
            self._share(self.x, self.whole)
            for step in range(steps):  # repeats the same programs on the same positions, to the same bits
                self._step(step)
        case, t = int(np.argmin(good[steps])), c.t0 + (begin + steps) * c.dt
        return steps, case, self.steppers[case].blow_up(extent[:, steps, case].tolist(), t)

    def _set_clock(self, number: int, begin: float, length: float) -> None:
        """Copy number, time and length of the next steps to the device."""
        if length not in self._lengths:
            rows = [
                (stepper.prefactor, diffusion(stepper.case, length), *constants)
                for stepper, constants in zip(self.steppers, self._constants, strict=True)
            ]
            if len(self._lengths) > 1:  # keep only dt and the length of the last cut step
                self._lengths.pop(next(key for key in self._lengths if key != self.config.dt))
            self._lengths[length] = self.torch.tensor(rows, dtype=self.torch.float64, device=self.device)
        self.numbers = self._lengths[length]
        clock = (float(number), begin, self.config.dt, length, self.config.t0)
        self.clock.copy_(self.torch.tensor(clock, dtype=self.torch.float64), non_blocking=True)
        if self._host_clock is not None:
            self._host_clock = clock

    def _launch(self, count: int, whole: bool) -> None:
        """Queue ``count`` steps; from the second call with this count on, as a captured graph."""

        def body() -> None:
            self.kept.copy_(self.x)
            for step in range(count):
                self._step(step)
            self.torch.amax(self.ends[:count], 2, out=self.extremes[:count])

        if self._why is None and whole and count > 1:
            if count in self._graphs and self._graphs[count] is None:
                try:
                    self._graphs[count] = record(body)
                except NotCaptured as error:
                    self._why = str(error)
                self._note()
            replay = self._graphs.setdefault(count, None)
            if replay is not None:
                replay()
                return
        body()

    def _step(self, offset: int) -> None:
        """Queue the launches of step ``offset``, counted from the clock's first step."""
        for stage in self.stages:
            at, whole = (self.ahead, self.whole_ahead) if stage == 2 else (self.x, self.whole)
            self._stage(offset, stage, at, whole)
            self._share(*((self.ahead, self.whole_ahead) if stage == 1 else (self.x, self.whole)))

    def _share(self, x: Tensor, whole: Tensor) -> None:
        """Copy the positions ``x`` of all ranks into ``whole``."""
        if self.several:
            whole[..., self.low : self.high] = x
            gpu_shares.join(whole, self.ends_of, self.world)

    def _stage(self, offset: int, stage: int, x: Tensor, whole: Tensor) -> None:
        """Queue the drift at positions ``x``, a part of ``whole``, and the update of stage ``stage``."""
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
        """Partial sums (case, share, axis, particle) of the pair sum over ``whole`` at ``x``, in float64."""
        parts: Tensor = self.clock
        if not self.forced:
            return parts
        if self.direct:
            parts = self.engine.parts(x, whole, self.parameters, whole.shape[2])  # type: ignore[attr-defined]
            return parts
        force: Tensor = self.engine(whole[0].T.contiguous())[self.low : self.high]
        return force.T.contiguous().double()[None, None]

    def _velocities(self, x: Tensor, offset: int, stage: int) -> None:
        """Call the flow's own code and store the result in `v`; time is a tensor, or a number if the flow needs one."""
        clock = self.clock if self._host_clock is None else self._host_clock
        t = clock[4] + (clock[1] + offset) * clock[2]
        t = t + clock[3] if stage == 2 else t
        for case, stepper in enumerate(self.steppers):
            self.v[case].copy_(stepper.velocity(x[case].T.contiguous(), t).T)

    def _try_flow(self) -> None:
        """Test whether the flow accepts a tensor for time without a synchronisation."""

        def body() -> None:
            self._velocities(self.x, 0, 0)

        try:
            if self.x.is_cuda:
                without_waiting(body)
            else:
                body()
        except KsdpError:
            raise
        except Exception as error:  # a plugin's code may fail in any way on a tensor
            self._host_clock = (0.0,) * 5
            self._why = self._why or f"flow {self.config.flow!r}: {error}"
            self._note()

    def _no_capture(self) -> str | None:
        """Why steps cannot be captured, as far as is known before the first; None if they can."""
        if not self.x.is_cuda:
            return "no GPU"
        if self.several:
            return "ranks join their positions in every step"
        if not self.direct:
            return "the tree waits for the device"
        if self.forced and len(self.steppers) * self.config.J >= ARITHMETIC:
            return f"arithmetic limits steps of {ARITHMETIC} particles and more"
        return None

    def _note(self) -> None:
        """Update the notes of all steppers on captures and formulas."""
        captures = any(self._graphs.values())
        why = None if captures else self._why or "too few steps so far"
        for stepper in self.steppers:
            stepper.notes = {"captured": captures} | ({"why": why} if why else {}) | self._flow_note


def program(formula: str | None) -> Program:
    """The Triton program of a step with a flow's ``formula``; without one it reads velocities from memory."""
    velocity = formula or "def velocity(x0, x1, x2, t, c):\n    return x0, x1, x2\n"
    text = (template("noise_gpu"), f"@triton.jit\n{velocity}", template("step_gpu"))
    advance: Program = import_text("\n\n".join(text), "step_gpu").advance
    return advance


def _formulas(steppers: list[Stepper], dim: int) -> tuple[list[Formula], str | None]:
    """The formulas of all flows, if they exist and have one text; else an empty list and the reason."""
    try:
        formulas = [trace(stepper.case.flow, dim) for stepper in steppers]
    except Untraceable as error:
        return [], str(error)
    if len({formula.text for formula in formulas}) > 1:
        return [], "it differs between the cases"
    return formulas, None


def _extent(extremes: NDArray[np.floating], dim: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The numbers of `resolved` (4, step, case), and the largest attraction (step, case), from ``extremes``."""
    speeds = extremes[..., 5 * dim :].max(-1)
    ends = extremes[..., : 5 * dim].reshape(*extremes.shape[:-1], dim, 5)
    with np.errstate(over="ignore", invalid="ignore"):
        width, motion = (ends[..., i : i + 2].sum(-1).max(-1) for i in (0, 2))
    return np.stack([width, ends[..., :2].max((-2, -1)), motion, ends[..., 4].max(-1)]), speeds


def _signed(key: int) -> int:
    """The 64 bits of ``key`` as a signed integer, the only kind in torch."""
    return (key + 2**63) % 2**64 - 2**63
