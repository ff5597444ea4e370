"""Choose the device. Import torch only if an NVIDIA driver is present: the import takes seconds."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ResourceError
from .labels import counted
from .threads import core_count

#: Files that show a driver. Some containers have only the second; WSL has the third.
DRIVER_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")


def nvidia_present() -> bool:
    """Whether an NVIDIA driver is loaded. Looks at the file system, so that CPU users never wait for torch."""
    return any(Path(file).exists() for file in DRIVER_FILES) or os.name == "nt"


def choose(option: str) -> str:
    """Return ``cpu`` or ``cuda`` for the option ``auto``, ``cpu`` or ``cuda``.

    Raises `ResourceError` when the option is ``cuda`` and torch cannot use the GPU; the message names torch's build
    and the driver.
    """
    if option == "cpu" or (option == "auto" and not nvidia_present()):
        return "cpu"
    import torch

    if torch.cuda._is_in_bad_fork():
        raise ResourceError(
            "a process forked from one that has used the GPU cannot use it",
            "start workers by 'spawn', or use --device cpu",
        )
    if torch.cuda.is_available():
        return "cuda"
    if option == "auto":
        return "cpu"
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "no CUDA"
    driver = "an NVIDIA driver" if nvidia_present() else "no NVIDIA driver"
    raise ResourceError(
        f"device 'cuda' cannot be used: torch {torch.__version__} has {build}, and there is {driver}",
        "use --device cpu, or install a CUDA build of torch on a machine with a GPU",
    )


def describe(device: str) -> str:
    """Describe the hardware behind ``device`` in one line, for the provenance in a store."""
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    return f"cpu, {counted(core_count(), 'core')}"
