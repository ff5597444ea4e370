"""The report page: one HTML file that works offline, with configuration, tables, pictures and a live view."""

from __future__ import annotations

from .page import Page, Picture, Table, render
from .view import MOST_SHOWN, Inputs, NetworkView, PageCloud, Scene, particles_per_cloud

__all__ = [
    "MOST_SHOWN",
    "Inputs",
    "NetworkView",
    "Page",
    "PageCloud",
    "Picture",
    "Scene",
    "Table",
    "particles_per_cloud",
    "render",
]
