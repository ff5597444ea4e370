"""A network of x alone on a GPU, all layers in one Triton program, so that activations stay on the chip.

One program instance evaluates 256 points. Products are IEEE float32, not TF32. tanh(z) = 1 - 2 / (1 + 2^(2 z / ln 2))
uses the GPU's exponential and reciprocal, accurate to one or two last bits; its built-in tanh errs by 5e-4.
`TRITON_INTERPRET=1` runs the program on tensors of the CPU, with exact functions.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import types
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from ...particles.kernel_compiler.module_cache import import_text
from .network import DEPTH, Network, Weights

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: Points and warps of a program instance; padded number of features of a layer, a power of two.
BLOCK, WARPS, PADDED = 256, 4, 32


def usable(device: torch.device) -> bool:
    """Whether `evaluate` runs on a torch device; if not, use torch alone."""
    return device.type == "cuda" and importlib.util.find_spec("triton") is not None


def packed(network: Network, theta: Weights) -> Weights:
    """The weights (layers, `PADDED` + 1, `PADDED`) in the layout of the program."""
    out = np.zeros((DEPTH + 1, PADDED + 1, PADDED), np.float32)
    layers = network.layers(theta)
    for level, (weight, bias) in enumerate(layers):
        block = weight if level == DEPTH else weight.T
        out[level, : block.shape[0], : block.shape[1]] = block
        out[level, PADDED, : len(bias)] = bias
    return out


def evaluate(network: Network, layers: object, x: Tensor) -> Tensor:
    """Return f (n, d) for a contiguous float32 tensor ``x`` (n, d) and `packed` weights on its device."""
    out = x.new_empty((len(x), network.dim))
    if len(x):
        sizes = constants(network, interpreted=bool(os.environ.get("TRITON_INTERPRET")))
        options = {"num_warps": WARPS, "num_stages": 1, "enable_fp_fusion": True}  # Triton 3.10 changes the default
        program().forward[(-(-len(x) // BLOCK),)](x, layers, out, len(x), **sizes, **options)
    return out


def constants(network: Network, interpreted: bool = False) -> dict[str, int]:
    """The compile-time constants of the program."""
    shape = {"D": network.dim, "RESIDUAL": network.residual, "HIDDEN": DEPTH}
    return shape | {"WIDTH": PADDED, "BLOCK": BLOCK, "EXACT": interpreted}


@functools.cache
def program() -> types.ModuleType:
    """The module of the Triton program ``forward``."""
    text = files("ksdp_cli.learning.network").joinpath("templates", "network_gpu.txt").read_text()
    return import_text(text, "network_gpu")
