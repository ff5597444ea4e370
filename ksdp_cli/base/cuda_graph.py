"""Capture kernel launches once and replay them: launches, not arithmetic, limit small work on a GPU."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import ResourceError

#: Rounds run before the capture: Triton compiles, and the allocator reaches its steady state.
WARM_UP = 3


class NotCaptured(Exception):
    """Launches cannot be captured; the message says why in one line."""


def replayable(body: Callable[[], None], on_gpu: bool) -> Callable[[], None] | None:
    """Return a function that repeats ``body`` in one launch: ``body`` itself on the CPU, None if capture fails.

    ``body`` must work on tensors at fixed addresses. It runs `WARM_UP` times here; the caller must restore what it
    changes. Raises `ResourceError` as `device_faults`.
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
                with device_faults():
                    body()
            without_waiting(body)
        return record(body)
    except (NotCaptured, RuntimeError, TypeError):
        return None
    finally:
        before.wait_stream(side)


def without_waiting(body: Callable[[], None]) -> None:
    """Run ``body`` with synchronisation forbidden. Raises `NotCaptured` when it fails or needs a value from the device.

    Call it before `record`, because a failed capture corrupts the stream and the allocator.
    """
    import torch

    def forbid(mode: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch calls the mode a prototype
            torch.cuda.set_sync_debug_mode(mode)

    forbid("error")
    try:
        with device_faults():
            body()
    except (RuntimeError, TypeError) as error:
        raise NotCaptured(_line(error)) from None
    finally:
        forbid("default")


def record(body: Callable[[], None]) -> Callable[[], None]:
    """Capture the launches of ``body`` without running them; return the function that replays them.

    Raises `NotCaptured`.
    """
    import torch

    cuda: Any = torch.cuda
    before, graph = cuda.current_stream(), cuda.CUDAGraph()
    try:
        with device_faults(), cuda.graph(graph):
            body()
    except RuntimeError as error:
        cuda.set_stream(before)
        cuda.synchronize()
        raise NotCaptured(_line(error)) from None
    replay: Callable[[], None] = graph.replay
    return replay


@contextmanager
def device_faults() -> Iterator[None]:
    """Raise `ResourceError` when the GPU lacks memory, or registers or shared memory for a Triton program."""
    import torch

    errors = sys.modules.get("triton.runtime.errors")  # only a Triton that is loaded can fail
    unfit = (errors.OutOfResources, errors.PTXASError) if errors else ()
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ResourceError(
            f"the GPU has not enough memory: {_line(error)}", "lower --J, or use --device cpu"
        ) from None
    except unfit as error:
        message = f"a program does not fit on this GPU: {_line(error)}"
        raise ResourceError(message, "use --device cpu, or a flow and kernel with shorter formulas") from None


def _line(error: Exception) -> str:
    """Return the first line of an error's message, or its type when the message is empty."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
