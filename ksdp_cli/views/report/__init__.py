"""The report page: one HTML file without a network, that holds what was run, tables, pictures and a live view."""

from __future__ import annotations

from .page import Page, Picture, Table, render
from .view import MOST_SHOWN, Inputs, NetworkView, Scene, StoredCloud, particles_shown

__all__ = [
    "MOST_SHOWN",
    "Inputs",
    "NetworkView",
    "Page",
    "Picture",
    "Scene",
    "StoredCloud",
    "Table",
    "particles_shown",
    "render",
]
