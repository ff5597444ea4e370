"""Detects that another rank has ended while this one waits for its GPU, where a collective call would wait for ever."""

from __future__ import annotations

import datetime
import threading
from types import ModuleType

#: A timeout longer than any run.
FOR_EVER = datetime.timedelta(days=365)


class Lifeline:
    """Rank r waits for a message of rank r + 1, which it sends when it leaves. A broken connection means that it ended.

    A rank that detects this ends too, which the rank before detects in turn. All ranks construct it together.
    """

    def __init__(self, torch: ModuleType, group: ModuleType) -> None:
        self.torch, self.group = torch, group
        self.rank, self.size = group.get_rank(), group.get_world_size()
        #: The error of the broken connection, or None.
        self.lost: Exception | None = None
        self._on_hosts = group.new_group(backend="gloo", timeout=FOR_EVER)
        self._thread = threading.Thread(target=self._listen, name="ksdp lifeline", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            self.group.recv(self.torch.zeros(1), src=(self.rank + 1) % self.size, group=self._on_hosts)
        except (RuntimeError, ValueError) as error:
            self.lost = error

    def leave(self) -> None:
        """Tell the others that this rank leaves as planned; all ranks call it together."""
        self.group.send(self.torch.ones(1), dst=(self.rank - 1) % self.size, group=self._on_hosts)
        self._thread.join()
