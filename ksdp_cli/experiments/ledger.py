"""What is done: one JSON file a stage, with the configuration it was made from, so that work is found and not repeated.

A file is written whole or not at all. It is there from the moment that its stage begins, so that a stage that was cut
off, by whatever, is known by its configuration too.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..base.disk import put
from ..base.files import JsonDict, read_json
from ..errors import ConfigError, DataError
from ..provenance import digest
from . import earlier


@dataclass(frozen=True)
class Stage:
    """A stage that is done: its result (JSON-able), the seconds it took, and whether it was found done."""

    name: str
    result: dict[str, Any]
    seconds: float
    found: bool


class Record(BaseModel):
    """The file of a stage; ``afresh`` while it replaces what is of another configuration."""

    model_config = ConfigDict(strict=True)

    digest: str
    config: dict[str, Any]
    done: bool
    seconds: float
    result: dict[str, Any]
    afresh: bool = False


class Ledger:
    """The stages of one folder. With ``overwrite`` a stage whose configuration has changed is made again."""

    def __init__(self, folder: Path, overwrite: bool = False) -> None:
        self.folder, self.overwrite = folder, overwrite
        self.stages: dict[str, Stage] = {}

    def stage(
        self,
        name: str,
        config: dict[str, object],
        work: Callable[[bool], dict[str, object]],
        output: Path | None = None,
    ) -> Stage:
        """``work(afresh)`` unless it is done; ``afresh`` means that what lies there is of another configuration.

        ``output`` is what the stage leaves beside its result: without it the stage is not done. Raises `ConfigError`
        with the differences when the stage that lies there has another configuration; one that was written before some
        option was there is read with what was done then (`earlier`).
        """
        file = self.folder / f"{name}.json"
        config = json.loads(json.dumps(config))
        key, stored = digest(config), self._stored(file)
        changed = stored is not None and stored["digest"] != key and not _alike(stored["config"], config)
        if stored is not None and changed and not self.overwrite:
            new = earlier.lacking(stored["config"], config)
            raise ConfigError(
                f"{file} is of another configuration ({_differences(earlier.filled(stored['config']), config)})",
                (f"it was made before ksdp had {', '.join(new)}: " if new else "")
                + "use another -o, or --overwrite to make it again",
            )
        if stored is not None and not changed and stored["done"] and (output is None or output.exists()):
            done = Stage(name, stored["result"], stored["seconds"], True)
        else:
            # what was cut off while it replaced something has still to replace it
            afresh = changed or bool(stored and stored["afresh"])
            done = self._work(file, name, config, work, afresh, 0.0 if changed or not stored else stored["seconds"])
        self.stages.setdefault(name, done)
        return done

    def summary(self) -> list[tuple[str, int, float, bool]]:
        """By kind of stage: its name, how many, the seconds they took when they were made, whether all were found."""
        kinds: dict[str, list[Stage]] = {}
        for name, stage in self.stages.items():
            kinds.setdefault(name.split("-", 1)[0], []).append(stage)
        return [(kind, len(s), sum(one.seconds for one in s), all(one.found for one in s)) for kind, s in kinds.items()]

    def known(self, name: str) -> bool:
        """Whether a stage has begun in this folder."""
        return self._stored(self.folder / f"{name}.json") is not None

    def done(self, name: str) -> bool:
        """Whether a stage has come to its end in this folder, whatever its configuration."""
        stored = self._stored(self.folder / f"{name}.json")
        return stored is not None and stored["done"]

    def _stored(self, file: Path) -> JsonDict | None:
        """The entry of a stage, or None where there is no file, or none that can be read and may be replaced.

        Raises `DataError` for one that can not.
        """
        if not os.path.lexists(file):
            return None
        try:
            return Record.model_validate(read_json(file)).model_dump()
        except (OSError, ValueError) as error:
            if self.overwrite:
                return None
            told = f"{file} is no record of a stage, or damaged ({str(error).splitlines()[0]})"
            raise DataError(told, "move it elsewhere, or use --overwrite") from None

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
    put(file, (json.dumps(entry, indent=1) + "\n").encode())


def _alike(old: dict[str, object], new: dict[str, object]) -> bool:
    """Whether an earlier version may have written ``old`` for ``new``."""
    return digest(earlier.filled(old)) == digest(earlier.filled(new))


def _differences(old: dict[str, object], new: dict[str, object]) -> str:
    changed = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    told = [f"{name}: {_short(old.get(name))} -> {_short(new.get(name))}" for name in changed[:4]]
    return "; ".join(told) + (f" and {len(changed) - 4} more" if len(changed) > 4 else "")


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."
