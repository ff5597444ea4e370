"""Loaded by each Dask worker of this machine before its first call: signals are the driver's to pass on."""

from __future__ import annotations

import signal
import threading

if threading.current_thread() is threading.main_thread():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
