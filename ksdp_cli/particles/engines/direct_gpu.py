"""The direct sum and the noise on a GPU, as Triton programs. torch and Triton are imported when the engine is made.

The sum is fused: no J x J array exists. When J is small the sources are shared out over several programs a target
block, and their parts are added in a fixed order in float64, never by atomics: the result repeats to the bit, and the
shares depend on the numbers of sources and targets alone, not on the card.

``TRITON_INTERPRET=1`` runs both programs on CPU tensors, which is how the tests check them without a GPU.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from ...base.files import JsonDict
from ...errors import ResourceError
from ..kernel_compiler.module_cache import import_text
from ..kernel_compiler.source import load_module
from .direct_cpu import template

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: Sources summed in the engine's type before they are added in float64.
CHUNK = 65536
#: Of a pair sum by dimension and type: particles of a program's target block, sources of a block, how many of these the
#: compiler takes at once, warps, and a limit of registers. The same on every card, for the order of the sums hangs on
#: them. A thread keeps 16 pairs in flight in float32 and 4 in float64, where more would spill. In 3D the limit of 96
#: registers costs no instruction and lets 20 warps run on a multiprocessor instead of 12.
LAUNCH: dict[tuple[int, str], dict[str, int]] = {
    (2, "float32"): {"TARGETS": 8, "SOURCES": 128, "UNROLL": 2, "num_warps": 2},
    (3, "float32"): {"TARGETS": 16, "SOURCES": 128, "UNROLL": 2, "num_warps": 4, "maxnreg": 128},
    (2, "float64"): {"TARGETS": 16, "SOURCES": 32, "UNROLL": 2, "num_warps": 4},
    (3, "float64"): {"TARGETS": 16, "SOURCES": 32, "UNROLL": 1, "num_warps": 4},
}
#: Programs that fill a large card, and the fewest sources worth a program.
PROGRAMS, LEAST = 2048, 256


def require_torch() -> ModuleType:
    """torch, once it is known that Triton is there too."""
    try:
        import torch
        import triton  # noqa: F401
    except ImportError as error:
        raise ResourceError(
            f"the GPU engine cannot be loaded: {error}", "pip install 'ksdp[gpu]', or use --device cpu"
        ) from None
    return torch


def launch(dim: int, dtype: str) -> dict[str, int]:
    """A copy of the row of `LAUNCH`."""
    return dict(LAUNCH[dim, dtype])


def shares(sources: int, targets: int, block: int) -> tuple[int, int]:
    """Number of source shares, and sources in each: a multiple of 128, the same in all but the last.

    ``block`` is the number of targets of a program.
    """
    blocks = -(-targets // block)
    wanted = max(1, min(-(-PROGRAMS // blocks), sources // LEAST))
    each = -(-sources // (wanted * 128)) * 128
    return -(-sources // each), each


class DirectGPU:
    """F_j = sum over i != j of g(r_ij^2) (X_i - X_j), equation (8) without its factor, in O(J^2) on one GPU.

    Positions are a torch tensor (J, d) on the device; so are the forces. Raises `ResourceError` without Triton.
    """

    name = "direct"

    def __init__(self, kernel: object, kernel_args: tuple[float, ...], dim: int, dtype: str) -> None:
        self.torch = require_torch()
        self.dim, self.args, self.dtype = dim, kernel_args, getattr(self.torch, dtype)
        self.options = launch(dim, dtype)
        self.pair_sum = load_module(template("direct_gpu"), kernel, dim, "triton").pair_sum
        self._parameters: Any = None

    def __call__(self, x: Tensor, targets: Tensor | None = None) -> Tensor:
        """Forces in the type and on the device of ``x`` (J, d): (J, d), or (N, d) on ``targets`` (N, d)."""
        sources = x.to(self.dtype).T.contiguous()[None]
        at = sources if targets is None else targets.to(self.dtype).T.contiguous()[None]
        return self.parts(at, sources)[0].sum(0).T.to(x.dtype).contiguous()

    def parts(
        self, targets: Tensor, sources: Tensor, parameters: Tensor | None = None, of: int | None = None
    ) -> Tensor:
        """Forces on ``targets`` (cases, d, N) from ``sources`` (cases, d, J), as (cases, shares, d, N) in float64.

        Both are contiguous, on the device, in the engine's type. The sum over the shares, in their order, is the force.
        ``parameters`` (cases, P) holds each case's kernel arguments; without it all have the engine's own. Where the
        targets are a share of ``of``, which begins with a block of them, their forces are as in the sum on all.
        """
        if parameters is None:
            if self._parameters is None or self._parameters.device != sources.device:
                self._parameters = self.torch.tensor([self.args], dtype=self.dtype, device=sources.device)
            parameters = self._parameters
        cases, _, at = targets.shape
        block = self.options["TARGETS"]
        count, each = shares(sources.shape[2], of or at, block)
        partial = targets.new_empty((cases, count, self.dim, at), dtype=self.torch.float64)
        self.pair_sum[(-(-at // block), count, cases)](
            targets,
            sources,
            partial,
            parameters,
            at,
            sources.shape[2],
            each,
            parameters.shape[1] if len(parameters) > 1 else 0,
            CHUNK=CHUNK,
            **self.options,
            enable_fp_fusion=True,  # Triton 3.10 changes the default
        )
        return partial

    def report(self) -> JsonDict:
        return {"engine": "direct", "device": "cuda"}

    def state(self) -> JsonDict:
        """Nothing that a checkpoint would have to hold."""
        return {}

    def restore(self, state: dict[str, object]) -> None:
        """Nothing to take back."""


def normals(
    seed: int,
    stream: int,
    step: Tensor | int,
    start: int,
    n: int,
    d: int,
    dtype: torch.dtype | None = None,
    device: str = "cuda",
) -> Tensor:
    """`ksdp_cli.base.rng.normals` as a tensor (n, d) on ``device``: the same integers, values to float32 rounding.

    ``step`` is a number, or a tensor (1,) int64 on the device.
    """
    torch = require_torch()
    if isinstance(step, int):
        step = torch.tensor([step], dtype=torch.int64, device=device)
    out = torch.empty((n, d), dtype=torch.float32, device=device)
    fill = import_text(template("noise_gpu"), "noise_gpu").fill
    fill[(-(-n // 1024),)](out, n, start, seed, step, stream, D=d, BLOCK=1024)
    values: Tensor = out if dtype is None else out.to(dtype)
    return values
