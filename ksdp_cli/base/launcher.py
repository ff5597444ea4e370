"""What a launcher of processes has put into the environment, known before any of its libraries is imported."""

from __future__ import annotations

import os

#: Variables that hold the rank of a process, of torchrun and of MPI's launchers: Open MPI, MPICH, PMIx.
TORCHRUN, MPI = "TORCHELASTIC_RUN_ID", ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")
#: And their number, where the launcher tells it.
MPI_SIZE = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")


def by_torchrun() -> bool:
    """Whether torchrun started this process."""
    return TORCHRUN in os.environ


def rank(mpi: bool = False) -> int:
    """The rank that torchrun, or a launcher of ``mpi``, gave this process; 0 where there is none."""
    names = MPI if mpi else ("RANK",) if by_torchrun() else ()
    return _number(names) or 0


def mpi_size() -> int | None:
    """The number of processes that a launcher of MPI says it has started."""
    return _number(MPI_SIZE)


def _number(names: tuple[str, ...]) -> int | None:
    return next((int(os.environ[name]) for name in names if os.environ.get(name, "").isdigit()), None)
