"""The ranks of a run at the command line: the first one talks, another one only of trouble that it has alone."""

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

#: Options that say where a run is written, and how its cases are shared out: rank 0's alone.
FIRST = ("out", "overwrite", "resume", "workers", "executor", "case")


@contextmanager
def join_world(asked: str | None) -> Iterator[World]:
    """The world of this process, as `ksdp_cli.api.ranks.joined`.

    Another rank than the first is silent, but for an error that ends it once the world stands.
    """
    from ..api import ranks
    from ..particles.world import Lost

    _boundary.silent, stands = launcher.rank(mpi=asked == "mpi") > 0, False
    try:
        with ranks.join_world(asked) as world:
            stands = True
            yield world
    except Exception as error:
        _boundary.silent = _boundary.silent and not stands
        _boundary.at_once = isinstance(error, (Lost, ranks.LostElsewhere))
        raise


def follow(world: World, stop: Stop, options: JsonDict) -> None:
    """Move this rank's share of the particles to the end of the run. Raises as `ksdp_cli.api.ranks.follow`."""
    from ..api import ranks

    ranks.follow(world, stop=stop, **{name: value for name, value in options.items() if name not in FIRST})
