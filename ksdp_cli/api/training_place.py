"""Outputs of a training: its three files and its checkpoint, claimed together."""

from __future__ import annotations

import os
from pathlib import Path

from ..base import checkpoint
from ..base.files import LARGEST_METADATA, parse_json, read_whole
from ..base.outputs import Lock, claim, require_free
from ..errors import ConfigError, DataError, KsdpError, Taken
from ..learning import model
from . import paths

SUFFIX = ".safetensors"
RESUME = "use --resume to continue, --overwrite to start again, or another -o"


def require_suffix(target: Path) -> None:
    """Raise `ConfigError` unless ``target`` ends in .safetensors."""
    if target.suffix != SUFFIX:
        raise ConfigError(f"the output {target} does not end in {SUFFIX}", f"use -o {target}{SUFFIX}")


def beside(target: Path) -> tuple[Path, Path]:
    """Return the files of the last weights and of the history."""
    return target.with_name(f"{target.stem}.last{SUFFIX}"), paths.history_of(target)


def checkpoint_of(target: Path) -> Path:
    return target.with_name(target.name + ".checkpoint")


def claim_files(target: Path, identity: str, overwrite: bool, resume: bool) -> Lock:
    """Lock the right to write a training's files; ``identity`` is the digest of its data and options.

    ``resume`` continues from a checkpoint, and writes the files again after a crash between them. Raises `Taken` for
    existing files, `DataError` for files that ksdp did not write, `ConfigError` if another training would be resumed.
    """
    if overwrite and resume:
        raise ConfigError("--overwrite and --resume exclude each other", "drop one of them")
    again, checkpoint_file = overwrite or resume, checkpoint_of(target)
    last, curves = beside(target)
    lock = claim(target, model.made_here, "train", overwrite=again, also=[last])
    try:
        require_free(curves, again, made_history, "train")
        checkpoint.claim(checkpoint_file)
        there = checkpoint.exists(checkpoint_file)
        if there and not again:
            raise Taken(f"{checkpoint_file} belongs to an interrupted training", RESUME)
        if resume and not there and os.path.lexists(target):
            _require_same(target, identity)
    except BaseException:
        lock.release()
        raise
    return lock


def to_resume(stem: str, identity: str) -> Path | None:
    """Return the output of an interrupted training in the run folder with this ``identity``, or None."""
    for file in sorted(paths.RUNS.glob(f"{stem}-*{SUFFIX}.checkpoint")):
        try:
            header, _ = checkpoint.load(file)
        except KsdpError:
            continue
        if header.get("run") == identity:
            return file.with_name(file.name.removesuffix(".checkpoint"))
    return None


def identity_of(target: Path) -> str | None:
    """Return the identity of the training that was begun at ``target``, by its checkpoint or its model, or None."""
    try:
        if checkpoint.exists(file := checkpoint_of(target)):
            return str(checkpoint.load(file)[0].get("run"))
        return str(model.Model.load(target).provenance.get("identity")) if target.exists() else None
    except KsdpError:
        return None  # who claims the files says why


def made_history(path: Path) -> bool:
    """Whether ``path`` is a history that ksdp wrote."""
    entries = parse_json(read_whole(path, LARGEST_METADATA))
    return entries.keys() == {"command", "history"} and str(entries["command"]).startswith("ksdp train ")


def _require_same(target: Path, identity: str) -> None:
    """Raise `ConfigError` if the existing model belongs to another training, which leaves nothing to resume."""
    try:
        same = model.Model.load(target).provenance.get("identity") == identity
    except DataError:
        return  # a damaged model is written again
    if not same:
        raise ConfigError(f"{target} belongs to another training (its data or options differ)", "use another -o")
