"""The two hidden names beside a store during its creation and replacement."""

from __future__ import annotations

from pathlib import Path


def replacement(root: Path) -> Path:
    """Return the folder in which the next store for ``root`` is laid out."""
    return root.with_name(f".{root.name}.ksdp-new")


def backup(root: Path) -> Path:
    """Return the folder that holds the old store at ``root`` during its replacement."""
    return root.with_name(f".{root.name}.ksdp-old")
