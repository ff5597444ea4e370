"""Tells that another rank has ended while this one waits for its card: a collective call on cards waits for ever."""

from __future__ import annotations

import datetime
import threading
from types import ModuleType

#: Longer than any run.
FOR_EVER = datetime.timedelta(days=365)


class Lifeline:
    """Rank r listens to rank r + 1, which says nothing until it leaves: where the connection breaks, it has ended.

    A rank that finds so ends too, and then the one that listens to it finds that. All ranks make one together.
    """

    def __init__(self, torch: ModuleType, group: ModuleType) -> None:
        self.torch, self.group = torch, group
        self.rank, self.size = group.get_rank(), group.get_world_size()
        #: What broke the connection, when it has.
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
        """Let the others end in peace; all ranks call it together."""
        self.group.send(self.torch.ones(1), dst=(self.rank - 1) % self.size, group=self._on_hosts)
        self._thread.join()
