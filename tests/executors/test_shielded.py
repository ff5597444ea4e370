"""Ctrl-C of a terminal reaches a worker even while it starts: it does not end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ksdp_cli.executors.base import shielded

BLOCKED = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mask of signals")
def test_a_process_of_the_block_starts_with_sigint_blocked_and_this_one_goes_on_as_before() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with shielded():
        inside = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=True)
    assert inside.stdout.strip() == "True"
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
