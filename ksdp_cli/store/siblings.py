"""The two hidden names beside a store that its creation and its replacement use."""

from __future__ import annotations

from pathlib import Path


def replacement(root: Path) -> Path:
    """Where the next store for ``root`` is laid out."""
    return root.with_name(f".{root.name}.ksdp-new")


def backup(root: Path) -> Path:
    """Where the store at ``root`` waits while another takes its place."""
    return root.with_name(f".{root.name}.ksdp-old")
