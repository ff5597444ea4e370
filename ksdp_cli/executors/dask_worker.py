"""Preload of each Dask worker of a local cluster: ignore signals, which the driver passes on; leave at once."""

from __future__ import annotations

import signal
import threading

from ..base.leaving import leave_at_once
from .environment import ignore_sigint

leave_at_once()
if threading.current_thread() is threading.main_thread():
    ignore_sigint()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
