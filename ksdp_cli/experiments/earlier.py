"""Configurations from before an option existed; they are read with the behaviour of that time."""

from __future__ import annotations

from ..base.settings import Settings
from ..config import PAPER_TRAINING, SimulateConfig, TrainConfig

#: Options of `train` whose default differs from the earlier behaviour; no value is assumed for them.
CHANGED = ("algorithm", "network", "optimiser", "average")
#: Options that stages do not record: results on all devices are comparable.
UNSAID = ("device",)


def with_defaults(config: dict[str, object]) -> dict[str, object]:
    """Add the defaults of missing options to the configuration of a stage and to those of simulations in it.

    The defaults of new options do not change results, except for the options `CHANGED` of `train`.
    """
    parts = {name: with_defaults(v) for name, v in config.items() if isinstance(v, dict) and "flow" in v}
    return {n: v for n, v in _defaults(config).items() if n not in (*CHANGED, *UNSAID)} | config | parts


def lacking(old: dict[str, object], new: dict[str, object]) -> list[str]:
    """The options `CHANGED` that ``new`` has and ``old`` lacks."""
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
