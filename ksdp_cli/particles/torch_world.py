"""Ranks started by torchrun, which communicate by torch.distributed."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .lifeline import Lifeline
from .world import Lost

if TYPE_CHECKING:
    from torch import Tensor

Value = TypeVar("Value")


#: Seconds between two looks at a card that is not done, and at ranks that are not here yet.
CARD_POLL, RANK_POLL = 1e-4, 1e-2


class TorchWorld:
    """Processes joined by gloo; torchrun sets rank, size and the address of rank 0 in the environment.

    Tensors on GPUs are joined by nccl, in a group that is created at its first use; gloo joins all else. Ranks of one
    host use its loopback device unless GLOO_SOCKET_IFNAME names another. Raises `Lost` if they cannot connect.
    """

    def __init__(self) -> None:
        size = int(os.environ["WORLD_SIZE"])
        self.local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        if self.local == size and sys.platform in ("linux", "darwin"):
            os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
        import torch

        self.torch, self.group = torch, import_module("torch.distributed")
        with _together():
            store, self.rank, self.size = next(self.group.rendezvous("env://"))
            # torchrun may keep its store, with old addresses, when it restarts the ranks
            again = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
            self.store = self.group.PrefixStore(f"ksdp {again}", store)
            self.store.add("here", 1)
            deadline = time.monotonic() + self.store.timeout.total_seconds()
            while (here := self.store.add("here", 0)) < self.size:  # torch's own wait takes no signal
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{here} of {self.size} ranks have started")
                time.sleep(RANK_POLL)
            self.group.init_process_group("gloo", store=self.store, rank=self.rank, world_size=self.size)
        self.place = int(os.environ.get("LOCAL_RANK", self.rank))
        self._cards: Any = None
        self._lifeline: Lifeline | None = None

    def join(self, whole: NDArray[np.generic], ends: Sequence[int]) -> None:
        with _together():
            broadcasts = []
            for rank in range(self.size):
                part = whole[ends[rank] : ends[rank + 1]]
                if part.size:
                    tensor = self.torch.from_numpy(part.reshape(-1).view(np.uint8))
                    broadcasts.append(self.group.broadcast(tensor, src=rank, async_op=True))
            for work in broadcasts:
                work.wait()

    def join_pieces(self, pieces: Tensor, mine: Tensor) -> None:
        with _together():
            if pieces.is_cuda and self._cards is None:
                self._cards = self.group.new_group(backend="nccl")
                self._lifeline = Lifeline(self.torch, self.group) if self.size > 1 else None
            on = self._cards if pieces.is_cuda else None
            gather = getattr(self.group, "all_gather_single", None) or self.group.all_gather_into_tensor  # before 2.13
            gather(pieces.view(-1), mine.contiguous().view(-1), group=on)

    def total(self, values: NDArray[np.float64]) -> None:
        with _together():
            self.group.all_reduce(self.torch.from_numpy(values))

    def fetch(self, tensor: Tensor) -> NDArray[np.floating]:
        if tensor.is_cuda and self._lifeline:
            cuda: Any = self.torch.cuda  # its events carry no types
            event = cuda.Event()
            event.record()
            self._wait(event.query)
        with _together():
            host: NDArray[Any] = tensor.cpu().numpy()
        return host

    def _wait(self, done: Callable[[], bool]) -> None:
        """Wait for a card. Raises `Lost` where another rank ends meanwhile: this one's card may wait for it."""
        with _together():
            while not done():
                if self._lifeline and self._lifeline.lost:
                    raise self._lifeline.lost
                time.sleep(CARD_POLL)

    def largest(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        with _together():
            rows = [np.empty_like(values) for _ in range(self.size)]  # gloo's own maximum ignores NaN
            parts = [self.torch.from_numpy(row) for row in rows]
            self.group.all_gather(parts, self.torch.from_numpy(np.ascontiguousarray(values)))
        largest: NDArray[Any] = np.max(rows, axis=0)
        return largest

    def decide(self, value: Value) -> Value:
        decision = [value]
        with _together():
            self.group.broadcast_object_list(decision, src=0)
        return decision[0]

    def first(self) -> bool:
        try:
            return bool(self.store.add("first", 1) == 1)
        except (RuntimeError, ValueError):  # torchrun's store has ended too
            return True

    def close(self) -> None:
        with suppress(Lost), _together():
            self.group.barrier()  # all messages have arrived, and all ranks have connected
            if self._lifeline:
                self._lifeline.leave()
        self.group.destroy_process_group()


@contextmanager
def _together() -> Iterator[None]:
    """Raise `Lost` for an exception of torch, which means that a rank has ended."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        # gloo writes a source line before the reason and advice after it
        reason = re.match(r"(?:\[[^]]*\] *)?(.*?)(?:\. |\.?$)", str(error).strip(), re.MULTILINE)
        raise Lost(reason[1] if reason else "no reason given") from None
