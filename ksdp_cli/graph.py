"""Launches captured once and replayed: small work on a GPU is bound by launches, not by arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Uncaptured rounds before the capture: Triton compiles, and the allocator settles.
WARM_UP = 3


def captured(body: Callable[[], None], on_gpu: bool) -> Callable[[], None]:
    """What repeats ``body`` in one launch, or ``body`` itself off the GPU and where it looks at a value.

    ``body`` works on tensors at fixed addresses, and is run a few times here.
    """
    if not on_gpu:
        return body
    import torch

    cuda: Any = torch.cuda  # its streams and graphs carry no types
    side = cuda.Stream()
    side.wait_stream(cuda.current_stream())
    with cuda.stream(side):
        for _ in range(WARM_UP):
            body()
    cuda.current_stream().wait_stream(side)
    graph = cuda.CUDAGraph()
    try:
        with cuda.graph(graph):
            body()
    except RuntimeError:
        cuda.synchronize()
        return body
    replay: Callable[[], None] = graph.replay
    return replay
