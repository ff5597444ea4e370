"""One validated model per subcommand: what a stored configuration holds and what the command line fills in."""

from __future__ import annotations

from ..base.settings import Device, Real, Settings, Sweep, Whole, build, read_toml, unknown_name
from .compare import CompareConfig
from .sample import SampleConfig
from .simulate import AUTO, MOST_CASES, PHYSICAL_UNITS, SCHEME, SimulateConfig
from .train import PAPER_TRAINING, TrainConfig

__all__ = [
    "AUTO",
    "MOST_CASES",
    "PAPER_TRAINING",
    "PHYSICAL_UNITS",
    "SCHEME",
    "CompareConfig",
    "Device",
    "Real",
    "SampleConfig",
    "Settings",
    "SimulateConfig",
    "Sweep",
    "TrainConfig",
    "Whole",
    "build",
    "read_toml",
    "unknown_name",
]
