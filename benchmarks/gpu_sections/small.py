"""One force, as a process for NVIDIA's tools: direct (J = 1000), tree (3000) or large (direct, 1e5)."""

from __future__ import annotations

import sys

import torch

from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.particles.engines.direct_gpu import DirectGPU
from ksdp_cli.particles.tree.gpu import TreeGPU

SIZES = {"direct": 1000, "tree": 3000, "large": 100_000}

what = sys.argv[1]
x = torch.from_numpy(Ball().draw(SIZES[what], 2, 0)).to("cuda")
engine = TreeGPU(Blob, (1e-3,), 2, "float32", 1e-4) if what == "tree" else DirectGPU(Blob, (1e-3,), 2, "float32")
print("computed", float(engine(x).norm()))
