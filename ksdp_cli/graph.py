"""Launches captured once and replayed: small work on a GPU is bound by launches, not by arithmetic."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

#: Uncaptured rounds before the capture: Triton compiles, and the allocator settles.
WARM_UP = 3


def captured(body: Callable[[], None], on_gpu: bool) -> Callable[[], None] | None:
    """What repeats ``body`` in one launch; ``body`` itself off the GPU; None where it cannot be captured.

    ``body`` works on tensors at fixed addresses and is run `WARM_UP` times here: what it changes is for the caller to
    put back. It cannot be captured when it fails, or waits for a value of the device, which a round that forbids it
    finds out: a capture that fails would leave the stream and the allocator in its state.
    """
    if not on_gpu:
        return body
    import torch

    cuda: Any = torch.cuda  # its streams and graphs carry no types
    before, side = cuda.current_stream(), cuda.Stream()
    side.wait_stream(before)
    try:
        with cuda.stream(side):
            for _ in range(WARM_UP - 1):
                body()
            _forbid_waiting(True)
            body()
    except (RuntimeError, TypeError):
        return None
    finally:
        _forbid_waiting(False)
        before.wait_stream(side)
    graph = cuda.CUDAGraph()
    try:
        with cuda.graph(graph):
            body()
    except RuntimeError:
        cuda.set_stream(before)
        cuda.synchronize()
        return None
    replay: Callable[[], None] = graph.replay
    return replay


def _forbid_waiting(forbidden: bool) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls the mode a prototype
        torch.cuda.set_sync_debug_mode("error" if forbidden else "default")
