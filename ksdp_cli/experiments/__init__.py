"""The paper's experiments as data (``data/*.toml``), and what reproduces its tables and figures from them."""

from __future__ import annotations
