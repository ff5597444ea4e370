"""The paper's experiments as data (``data/*.toml``), and the code that reproduces its tables and figures."""

from __future__ import annotations
