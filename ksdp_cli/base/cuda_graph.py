"""Captures launches once and replays them: small work on a GPU is bound by launches, not by arithmetic."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import ResourceError

#: Uncaptured rounds before the capture: Triton compiles, and the allocator settles.
WARM_UP = 3


class NotCaptured(Exception):
    """Why launches cannot be replayed, in one line."""


def captured(body: Callable[[], None], on_gpu: bool) -> Callable[[], None] | None:
    """A function that repeats ``body`` in one launch: ``body`` itself off the GPU, None if it cannot be captured.

    ``body`` works on tensors at fixed addresses and is run `WARM_UP` times here: what it changes is for the caller to
    put back. Raises `ResourceError` as `device_faults` does.
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
    """Capture the launches of ``body`` without running them, and return what replays them. Raises `NotCaptured`."""
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
    """Raise `ResourceError` when the card lacks memory, or registers or shared memory for a Triton program."""
    import torch

    errors = sys.modules.get("triton.runtime.errors")  # where Triton is not loaded, it does not fail
    unfit = (errors.OutOfResources, errors.PTXASError) if errors else ()
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ResourceError(
            f"the GPU's memory does not suffice: {_line(error)}", "lower --J, or use --device cpu"
        ) from None
    except unfit as error:
        told = f"a program does not fit on this GPU: {_line(error)}"
        raise ResourceError(told, "use --device cpu, or a flow and kernel with shorter formulas") from None


def _line(error: Exception) -> str:
    """The first line of an error's message, or its type when the message is empty."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
