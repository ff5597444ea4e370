"""Configurations that were written before an option was there: they are read with what was done then."""

from __future__ import annotations

from ..base.settings import Settings
from ..config import PAPER_TRAINING, SimulateConfig, TrainConfig

#: Options of `train` whose default is not what was done before there was the option: nothing is assumed of these.
CHANGED = ("algorithm", "network", "optimiser", "average")
#: Not kept by stages: numbers are compared whatever the device.
UNSAID = ("device",)


def filled(config: dict[str, object]) -> dict[str, object]:
    """The configuration of a stage, and those of simulations in it, with the defaults of options that it lacks.

    The default of a new option of `simulate` changes no number, which stores rely on too; of `train` all but `CHANGED`.
    """
    nested = {name: filled(value) for name, value in config.items() if isinstance(value, dict) and "flow" in value}
    return {n: v for n, v in _defaults(config).items() if n not in (*CHANGED, *UNSAID)} | config | nested


def lacking(old: dict[str, object], new: dict[str, object]) -> list[str]:
    """The options of ``new`` that ``old`` was made before, and that nothing is assumed of."""
    return [name for name in CHANGED if name in new and name not in old]


def _defaults(config: dict[str, object]) -> dict[str, object]:
    defaults: Settings
    if "flow" in config:
        defaults = SimulateConfig.model_construct()
    elif "learning_rate" in config:
        defaults = TrainConfig.model_construct(**(PAPER_TRAINING if config.get("algorithm") == "paper" else {}))
    else:
        return {}
    return defaults.model_dump(mode="json")
