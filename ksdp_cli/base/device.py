"""Choice of device. Imports torch only if an NVIDIA driver is present, since the import takes seconds."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ResourceError
from .threads import core_count

#: What a driver shows: the first is missing in some sandboxes, where the second is there; the third is WSL's.
DRIVER_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")


def nvidia_present() -> bool:
    """Whether an NVIDIA driver is loaded. Reads the file system, so that CPU users never wait for torch."""
    return any(Path(file).exists() for file in DRIVER_FILES) or os.name == "nt"


def choose(asked: str) -> str:
    """``cpu`` or ``cuda`` for ``auto``, ``cpu`` or ``cuda``.

    Raises `ResourceError` when ``cuda`` is asked for and not usable, saying what was found.
    """
    if asked == "cpu" or (asked == "auto" and not nvidia_present()):
        return "cpu"
    import torch

    if torch.cuda._is_in_bad_fork():
        raise ResourceError(
            "this process was forked from one that had used the GPU, and cannot use it",
            "start workers by 'spawn', or use --device cpu",
        )
    if torch.cuda.is_available():
        return "cuda"
    if asked == "auto":
        return "cpu"
    built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "no CUDA"
    driver = "an NVIDIA driver" if nvidia_present() else "no NVIDIA driver"
    raise ResourceError(
        f"device 'cuda' cannot be used: found torch {torch.__version__} built with {built}, and {driver}",
        "use --device cpu, or install a CUDA build of torch on a machine with a GPU",
    )


def describe(device: str) -> str:
    """A line on the hardware behind ``device``, for stored provenance."""
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    return f"cpu, {core_count()} cores"
