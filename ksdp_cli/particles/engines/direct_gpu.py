"""The direct sum and the noise on a GPU, as Triton programs. The engine's constructor imports torch and Triton.

The sum is fused, without a J x J array. For small J several programs share the sources of a block of targets; their
parts are added in float64 in a fixed order, without atomics, so that the result repeats to the bit. The shares depend
on the numbers of sources and targets alone, not on the GPU.

``TRITON_INTERPRET=1`` runs both programs on CPU tensors; the tests use this.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from ...errors import ResourceError
from ..kernel_compiler.module_cache import import_text
from ..kernel_compiler.source import load_module
from .direct_cpu import template

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: Number of sources that are summed in the engine's dtype before the sum is added in float64.
CHUNK = 65536
#: Launch parameters of the pair sum by dimension and dtype: targets of a program, sources of a block, unrolled blocks,
#: warps, and a limit of registers. They are the same on every GPU, since the order of the sums depends on them. A
#: thread has 16 pairs in flight in float32 and 4 in float64; more would spill registers. In 3D float32 the register
#: limit costs no instruction and lets more warps run on a multiprocessor.
LAUNCH: dict[tuple[int, str], dict[str, int]] = {
    (2, "float32"): {"TARGETS": 8, "SOURCES": 128, "UNROLL": 2, "num_warps": 2},
    (3, "float32"): {"TARGETS": 16, "SOURCES": 128, "UNROLL": 2, "num_warps": 4, "maxnreg": 128},
    (2, "float64"): {"TARGETS": 16, "SOURCES": 32, "UNROLL": 2, "num_warps": 4},
    (3, "float64"): {"TARGETS": 16, "SOURCES": 32, "UNROLL": 1, "num_warps": 4},
}
#: Number of programs that fill a large GPU; smallest number of sources of a program.
PROGRAMS, LEAST = 2048, 256


def require_torch() -> ModuleType:
    """Import torch and Triton and return torch. Raises `ResourceError` if one is missing."""
    try:
        import torch
        import triton  # noqa: F401
    except ImportError as error:
        raise ResourceError(
            f"the GPU engine cannot be loaded: {error}", "run pip install 'ksdp[gpu]', or use --device cpu"
        ) from None
    return torch


def launch(dim: int, dtype: str) -> dict[str, int]:
    """A copy of the row of `LAUNCH`."""
    return dict(LAUNCH[dim, dtype])


def shares(sources: int, targets: int, block: int) -> tuple[int, int]:
    """Return the number of source shares, and the number of sources in each but the last, a multiple of 128.

    ``block`` is the number of targets of a program.
    """
    blocks = -(-targets // block)
    count = max(1, min(-(-PROGRAMS // blocks), sources // LEAST))
    each = -(-sources // (count * 128)) * 128
    return -(-sources // each), each


class DirectGPU:
    """F_j = sum over i != j of g(r_ij^2) (X_i - X_j), equation (8) without its factor, in O(J^2) on one GPU.

    Positions and forces are torch tensors (J, d) on the device. Raises `ResourceError` without Triton.
    """

    name = "direct"

    def __init__(self, kernel: object, kernel_args: tuple[float, ...], dim: int, dtype: str) -> None:
        self.torch = require_torch()
        self.dim, self.args, self.dtype = dim, kernel_args, getattr(self.torch, dtype)
        self.options = launch(dim, dtype)
        self.pair_sum = load_module(template("direct_gpu"), kernel, dim, "triton").pair_sum
        self._parameters: Any = None

    def __call__(self, x: Tensor, targets: Tensor | None = None) -> Tensor:
        """Return the forces (J, d) on ``x`` (J, d), or (N, d) on ``targets`` (N, d), in the dtype and on the device of
        ``x``."""
        sources = x.to(self.dtype).T.contiguous()[None]
        at = sources if targets is None else targets.to(self.dtype).T.contiguous()[None]
        return self.parts(at, sources)[0].sum(0).T.to(x.dtype).contiguous()

    def parts(
        self, targets: Tensor, sources: Tensor, parameters: Tensor | None = None, of: int | None = None
    ) -> Tensor:
        """Return partial forces (cases, shares, d, N), float64, on ``targets`` (cases, d, N).

        ``targets`` and ``sources`` (cases, d, J) are contiguous, on the device, in the engine's dtype. The sum over the
        shares, in order, is the force. ``parameters`` (cases, P) holds the kernel arguments of each case; by default
        all cases have the engine's. If the targets are a part of ``of`` targets, starting at a block, their forces are
        equal to the bit to those of the sum on all.
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

    def report(self) -> dict[str, object]:
        return {"engine": "direct", "device": "cuda"}

    def state(self) -> dict[str, object]:
        """Empty: the engine is not adaptive."""
        return {}

    def restore(self, state: dict[str, object]) -> None:
        """Does nothing: the engine is not adaptive."""


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
    """As `ksdp_cli.base.rng.normals`, a tensor (n, d) on ``device``, from the same integers, equal up to float32
    rounding.

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
