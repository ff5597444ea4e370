"""Contract tests for plugin authors: plain functions, to be called from any test runner or none.

>>> from ksdp_cli.testing import check_flow
>>> from ksdp_cli.flows.laminar import Laminar2D
>>> check_flow(Laminar2D, {"A": 3.0})

Each raises `AssertionError`, or a `KsdpError`, whose message says which clause of the contract is broken and by how
much; it returns None when the contract holds.
"""

from __future__ import annotations

from .chemistries import check_chemistry
from .executors import check_executor
from .flows import check_flow
from .initial import check_initial_cloud
from .kernels import check_kernel
from .metrics import check_metric
from .schemes import check_scheme
from .transitions import check_transition_solver

__all__ = [
    "check_chemistry",
    "check_executor",
    "check_flow",
    "check_initial_cloud",
    "check_kernel",
    "check_metric",
    "check_scheme",
    "check_transition_solver",
]
