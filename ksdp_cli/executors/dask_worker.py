"""Preload of each Dask worker of a local cluster: ignore signals, which the driver passes on; leave at once."""

from __future__ import annotations

import signal
import threading

from .environment import leave_at_once

leave_at_once()
if threading.current_thread() is threading.main_thread():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
