"""Problems of the literature by name: options of ``simulate`` in TOML files beside this one, each with a summary."""

from __future__ import annotations

from pathlib import Path

from ..base.spelling import nearest
from ..config import read_toml
from ..errors import ConfigError

HERE = Path(__file__).parent
#: Options that go with the chemistry of a preset, and are dropped where another one is asked for.
OF_CHEMISTRY = ("chemistry", "eps", "k", "box", "modes", "boxes", "c0")
#: Those that go with its initial cloud.
OF_CLOUD = ("init", "width", "inner", "outer", "thickness", "bumps", "distance")


def names() -> list[str]:
    """The presets that ship, sorted."""
    return sorted(file.stem for file in HERE.glob("*.toml"))


def summary(name: str) -> str:
    """One line about a preset. Raises `ConfigError` for a name that there is not."""
    return str(_read(name)["summary"])


def options(name: str) -> dict[str, object]:
    """The options of `ksdp_cli.simulate` of a preset. Raises `ConfigError` for a name that there is not."""
    return {key: value for key, value in _read(name).items() if key != "summary"}


def with_changes(name: str | None, changes: dict[str, object]) -> dict[str, object]:
    """``changes`` over the options of a preset, if one is named; another T takes the snapshots of the preset away,
    another chemistry or initial cloud the parameters of its own."""
    if name is None:
        return changes
    shipped = options(name)
    if changes.get("chemistry", shipped.get("chemistry")) != shipped.get("chemistry"):
        shipped = {key: value for key, value in shipped.items() if key not in OF_CHEMISTRY}
        if shipped.get("delta2") == 0:  # modes need none, a pair sum does
            del shipped["delta2"]
    if changes.get("init", shipped["init"]) != shipped["init"]:
        shipped = {key: value for key, value in shipped.items() if key not in OF_CLOUD}
    if "T" in changes:
        del shipped["snapshots"]
    return shipped | changes


def _read(name: str) -> dict[str, object]:
    if name not in names():
        close = nearest(name, names())
        hint = f"did you mean {close!r}?" if close else f"there are: {', '.join(names())}"
        raise ConfigError(f"there is no preset {name!r}", hint)
    return read_toml(HERE / f"{name}.toml")
