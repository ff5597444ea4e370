"""info: what a file holds and how it was made."""

from __future__ import annotations

import contextlib
import os
from os import PathLike
from pathlib import Path
from typing import cast

from ..learning.model import Model
from ..store import open_run
from . import paths
from .case_states import case_states
from .described import ModelInfo, RunInfo


def info(path: str | PathLike[str]) -> RunInfo | ModelInfo:
    """Describe a store or a model as a JSON document; ``path`` may be the name of a model that ships.

    Raises `DataError` if the file is missing, damaged, or neither a store nor a model.
    """
    file = paths.existing(path)
    return _of_model(file) if file.is_file() else _of_store(file)


def _of_store(path: Path) -> RunInfo:
    run = open_run(path)
    attrs = run.attrs
    size = 0
    for folder, _, files in os.walk(path):
        for name in files:
            with contextlib.suppress(FileNotFoundError):  # a writer renames its files
                size += os.stat(os.path.join(folder, name)).st_size
    names = (
        "seed",
        "origin",
        "grid",
        "collapsed_from",
        "t_b",
        "no_t_b",
        "blow_up",
        "stopped",
        "versions",
        "seconds",
        "network_seconds",
        "hardware",
        "engine",
        "model",
        "outside_trained_range",
        "beyond",
    )
    document = {
        "path": str(path),
        "kind": run.kind,
        "particles": run.J,
        "dimension": run.dim,
        "cases": run.cases,
        "times": [float(t) for t in run.times],
        "complete": run.complete,
        **({"states": [one.as_dict() for one in case_states(run)]} if run.kind == "simulation" else {}),
        "megabytes": size / 1e6,
        **{name: attrs[name] for name in names if attrs.get(name) not in (None, [], {})},
        "config": run.config,
        "command": attrs.get("command", ""),
    }
    return cast(RunInfo, document)


def _of_model(path: Path) -> ModelInfo:
    model = Model.load(path)
    names = ("data", "data_sha256", "result", "versions", "simulation")
    document = {
        "path": str(path),
        "kind": "model",
        "dimension": model.dim,
        "network": model.describe(),
        "eta": dict(model.ranges()),
        "sha256": model.sha256,
        **{name: model.provenance[name] for name in names if name in model.provenance},
        "config": model.training,
        "command": model.provenance.get("command", ""),
    }
    return cast(ModelInfo, document)
