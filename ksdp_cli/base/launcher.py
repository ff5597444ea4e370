"""Read what a launcher of processes put into the environment, before its libraries are imported."""

from __future__ import annotations

import os

#: A variable that torchrun sets, and those that hold the rank under MPI: Open MPI, MPICH, PMIx.
TORCHRUN, MPI = "TORCHELASTIC_RUN_ID", ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")
#: Variables that hold the number of processes.
MPI_SIZE = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")


def by_torchrun() -> bool:
    """Whether torchrun started this process."""
    return TORCHRUN in os.environ


def rank(mpi: bool = False) -> int:
    """Return the rank of this process under torchrun, or under MPI if ``mpi``; 0 without a launcher."""
    names = MPI if mpi else ("RANK",) if by_torchrun() else ()
    return _number(names) or 0


def started() -> int:
    """Return the number of processes that torchrun or an MPI launcher started; 1 if unknown."""
    return (_number(("WORLD_SIZE",)) if by_torchrun() else mpi_size()) or 1


def mpi_size() -> int | None:
    """Return the number of processes that the MPI launcher started; None if unknown."""
    return _number(MPI_SIZE)


def _number(names: tuple[str, ...]) -> int | None:
    return next((int(os.environ[name]) for name in names if os.environ.get(name, "").isdigit()), None)
