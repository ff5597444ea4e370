"""Ranks that torchrun starts: one cloud on several processes, joined by torch.distributed.

A collective that fails, because a rank has ended or cannot be reached, is a `ResourceError` on every rank that is left.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ResourceError
from .world import Alone, World

Value = TypeVar("Value")


class TorchWorld:
    """Processes on hosts, by gloo; rank, size and the address of rank 0 are in the environment, as torchrun sets them.

    Raises `ResourceError` when the ranks do not come together.
    """

    def __init__(self) -> None:
        import torch
        import torch.distributed

        self.torch, self.group = torch, torch.distributed
        with _together():
            self.group.init_process_group("gloo")
        self.rank, self.size = self.group.get_rank(), self.group.get_world_size()

    def bounds(self, n: int) -> tuple[int, int]:
        return n * self.rank // self.size, n * (self.rank + 1) // self.size

    def gather(self, part: NDArray[Any]) -> NDArray[Any]:
        part = np.ascontiguousarray(part)
        with _together():
            sizes = self.torch.zeros(self.size, dtype=self.torch.int64)
            sizes[self.rank] = len(part)
            self.group.all_reduce(sizes)
            counts = sizes.tolist()
            room = np.empty((max(counts), *part.shape[1:]), part.dtype)  # gloo wants parts of one size
            room[: len(part)] = part
            whole = np.empty((self.size, *room.shape), part.dtype)
            parts = [self.torch.from_numpy(place) for place in whole]
            self.group.all_gather(parts, self.torch.from_numpy(room))
        return np.concatenate([place[:count] for place, count in zip(whole, counts, strict=True)])

    def largest(self, values: NDArray[Any]) -> NDArray[Any]:
        largest: NDArray[Any] = self.gather(values[None]).max(axis=0)  # gloo's own maximum passes over NaN
        return largest

    def decide(self, value: Value) -> Value:
        decision = [value]
        with _together():
            self.group.broadcast_object_list(decision, src=0)
        return decision[0]

    def close(self) -> None:
        """Leave the group, at the end of a run."""
        self.group.destroy_process_group()


def world_of_environment() -> World:
    """The ranks that torchrun started with this process, or this process alone."""
    return TorchWorld() if "TORCHELASTIC_RUN_ID" in os.environ else Alone()


@contextmanager
def _together() -> Iterator[None]:
    """Turn what torch raises when a rank is gone into a `ResourceError`."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()
        raise ResourceError(
            f"another rank of this run has ended or cannot be reached ({reason[0] if reason else 'no reason given'})",
            "start it again with --resume: it goes on from the last checkpoint, on any number of ranks",
        ) from None
