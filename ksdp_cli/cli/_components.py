"""Parameters of the flow, kernel, initial cloud and chemistry on a command line, for help and completion."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import plugins
from ..errors import KsdpError
from ._defaults import shown

#: Options whose value is the name of a component with parameters.
KINDS = {"flow": "flow", "kernel": "kernel", "init": "initial cloud", "chemistry": "chemistry"}
#: Options that are completed from the registry, and the kind of component that they name.
COMPLETED = KINDS | {"scheme": "scheme", "solver": "transition solver", "metrics": "metric", "executor": "executor"}


def completion(option: str) -> Callable[[str], list[str]] | None:
    """The completion of an option that names components."""
    return names(COMPLETED[option]) if option in COMPLETED else None


def names(kind: str) -> Callable[[str], list[str]]:
    """Completion of an option: the components of a kind, a comma list's last entry."""

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        known_names = sorted({entry.name for entry in plugins.registry().of_kind(kind)})
        return [f"{before}{comma}{name}" for name in known_names if name.startswith(last)]

    return complete


def presets(incomplete: str) -> list[str]:
    """Completion of ``--preset``."""
    from .. import presets as shipped

    return [name for name in shipped.names() if name.startswith(incomplete)]


def value_of(option: str, words: Sequence[str]) -> str | None:
    """Return the value of ``--option`` in the words of a command line, or None."""
    for k, word in enumerate(words):
        if word == f"--{option}" and k + 1 < len(words):
            return words[k + 1]
        if word.startswith(f"--{option}="):
            return word.partition("=")[2]
    return None


def parameters(words: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return, for each component on the command line, its options with unit and default, as help shows them."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for option, kind in KINDS.items():
        name = value_of(option, words)
        entries = [e for e in plugins.registry().of_kind(kind) if name in (e.name, e.long_name)]
        if not entries:
            continue
        try:
            fields = getattr(entries[0].load(), "Params").model_fields  # noqa: B009 (a class without has none to show)
        except (KsdpError, AttributeError):
            continue
        records = [
            (f"--{word} SWEEP", f"{(field.description or word).rstrip('.')}. Default {shown(field.default)}.")
            for word, field in fields.items()
        ]
        if records:
            sections[f"Parameters of {option} {name}"] = records
    return sections
