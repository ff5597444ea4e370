"""The record of stages: one JSON file each with its configuration, so that finished work is not repeated.

A file is written atomically. It exists from the start of its stage, so that the configuration of an interrupted stage
is known too.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..base.files import JsonDict, read_json
from ..base.outputs import write_whole
from ..errors import ConfigError, DataError
from ..provenance import digest
from . import earlier


@dataclass(frozen=True)
class Stage:
    """A finished stage: its result (for JSON), its seconds, and whether it was finished before (``found``)."""

    name: str
    result: dict[str, Any]
    seconds: float
    found: bool


class Record(BaseModel):
    """The file of a stage; ``afresh`` while the stage replaces output of another configuration."""

    model_config = ConfigDict(strict=True)

    digest: str
    config: dict[str, Any]
    done: bool
    seconds: float
    result: dict[str, Any]
    afresh: bool = False


class Ledger:
    """The stages of one folder. With ``overwrite`` a stage with another configuration is repeated."""

    def __init__(self, folder: Path, overwrite: bool = False) -> None:
        self.folder, self.overwrite = folder, overwrite
        self.stages: dict[str, Stage] = {}
        self._before: set[str] | None = None

    def note_done(self) -> None:
        """Note which stages are finished: those that other processes finish from now on are not said to be found."""
        self._before = set()
        for file in self.folder.glob("*.json"):
            with contextlib.suppress(DataError):  # it is told of where its stage is due
                self._before |= {file.stem} if self.is_done(file.stem) else set()

    def stage(
        self,
        name: str,
        config: dict[str, object],
        work: Callable[[bool], dict[str, object]],
        output: Path | None = None,
    ) -> Stage:
        """Return the finished stage; call ``work(afresh)`` if it is not finished.

        ``afresh`` says that existing output has another configuration. ``output`` is a file that the stage writes; the
        stage is not finished without it. Raises `ConfigError` with the differences if the recorded configuration
        differs; records from before an option existed are completed by `earlier`.
        """
        file = self.folder / f"{name}.json"
        config = json.loads(json.dumps(config))
        key, record = digest(config), self._record(file)
        differs = record is not None and record["digest"] != key and not _alike(record["config"], config)
        if record is not None and differs and not self.overwrite:
            new = earlier.lacking(record["config"], config)
            raise ConfigError(
                f"{file} is of another configuration ({_differences(earlier.with_defaults(record['config']), config)})",
                (f"it was made before ksdp had {', '.join(new)}: " if new else "")
                + "use another -o, or --overwrite to make it again",
            )
        if record is not None and not differs and record["done"] and (output is None or output.exists()):
            found = self._before is None or name in self._before
            stage = Stage(name, record["result"], record["seconds"], found)
        else:
            # an interrupted replacement must still replace
            afresh = differs or bool(record and record["afresh"])
            stage = self._work(file, name, config, work, afresh, 0.0 if differs or not record else record["seconds"])
        self.stages.setdefault(name, stage)
        return stage

    def summary(self) -> list[tuple[str, int, float, bool]]:
        """For each kind of stage: name, count, total seconds, and whether all were finished before."""
        kinds: dict[str, list[Stage]] = {}
        for name, stage in self.stages.items():
            kinds.setdefault(name.split("-", 1)[0], []).append(stage)
        return [(kind, len(s), sum(one.seconds for one in s), all(one.found for one in s)) for kind, s in kinds.items()]

    def has(self, name: str) -> bool:
        """Whether a stage has started in this folder."""
        return self._record(self.folder / f"{name}.json") is not None

    def is_done(self, name: str) -> bool:
        """Whether a stage is finished in this folder, with any configuration."""
        record = self._record(self.folder / f"{name}.json")
        return record is not None and record["done"]

    def _record(self, file: Path) -> JsonDict | None:
        """The record of a stage, or None without a file. With ``overwrite`` also None for a damaged file.

        Raises `DataError` for a damaged file.
        """
        if not os.path.lexists(file):
            return None
        try:
            return Record.model_validate(read_json(file)).model_dump()
        except (OSError, ValueError) as error:
            if self.overwrite:
                return None
            message = f"{file} is not the record of a stage, or damaged ({str(error).splitlines()[0]})"
            raise DataError(message, "move it elsewhere, or use --overwrite") from None

    def _work(
        self,
        file: Path,
        name: str,
        config: dict[str, object],
        work: Callable[[bool], object],
        afresh: bool,
        before: float,
    ) -> Stage:
        began = time.monotonic()
        entry: dict[str, Any] = {
            "digest": digest(config),
            "config": config,
            "done": False,
            "seconds": before,
            "result": {},
        }
        entry |= {"afresh": afresh}
        _write(file, entry)
        try:
            result = work(afresh)
        except BaseException:
            _write(file, entry | {"seconds": before + time.monotonic() - began})
            raise
        seconds = before + time.monotonic() - began
        _write(file, entry | {"done": True, "seconds": seconds, "result": result, "afresh": False})
        return Stage(name, json.loads(json.dumps(result)), seconds, False)


def _write(file: Path, entry: dict[str, object]) -> None:
    with write_whole(file) as temporary:
        temporary.write_text(json.dumps(entry, indent=1) + "\n")


def _alike(old: dict[str, object], new: dict[str, object]) -> bool:
    """Whether an earlier version may have recorded ``old`` for ``new``."""
    return digest(earlier.with_defaults(old)) == digest(earlier.with_defaults(new))


def _differences(old: dict[str, object], new: dict[str, object]) -> str:
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    parts = [f"{name}: {_short(old.get(name))} -> {_short(new.get(name))}" for name in names[:4]]
    return "; ".join(parts) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."
