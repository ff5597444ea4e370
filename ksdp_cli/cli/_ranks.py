"""The ranks of a run on the command line: rank 0 prints; another rank prints only errors of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..base import launcher
from ..base.files import JsonDict
from ..base.listener import Stop
from . import _boundary

if TYPE_CHECKING:
    from ..particles.world import World

#: Options about the output and the distribution of cases, which only rank 0 uses.
FIRST = ("out", "overwrite", "resume", "workers", "executor", "case")


def doubt_many(what: str, instead: str = "start one") -> None:
    """Warn, in the first of several processes of a launcher, that each of them does the same."""
    count = launcher.started()
    if count > 1 and launcher.rank(mpi=not launcher.by_torchrun()) == 0:
        _boundary.warn(f"{count} processes were started, and each of them makes {what}; {instead}")


@contextmanager
def join_world(launcher_name: str | None) -> Iterator[World]:
    """Join the world of this process, as `ksdp_cli.api.ranks.join_world`.

    Ranks other than 0 print nothing, except an error that ends them after the world is formed.
    """
    from ..api import ranks
    from ..particles.world import Lost

    _boundary.silent, is_formed = launcher.rank(mpi=launcher_name == "mpi") > 0, False
    try:
        with ranks.join_world(launcher_name) as world:
            is_formed = True
            yield world
    except BaseException as error:
        reports = is_formed and isinstance(error, Exception)  # a second Ctrl-C comes to every rank, and rank 0 says so
        _boundary.silent = _boundary.silent and not reports
        _boundary.at_once = isinstance(error, (Lost, ranks.LostElsewhere))
        raise


def follow(world: World, stop: Stop, options: JsonDict) -> None:
    """Move this rank's share of the particles to the end of the run. Raises as `ksdp_cli.api.ranks.follow`."""
    from ..api import ranks

    ranks.follow(world, stop=stop, **{name: value for name, value in options.items() if name not in FIRST})
