"""``import ksdp``: the public names of `ksdp_cli`, under the name that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ksdp_cli as _package

if TYPE_CHECKING:
    from ksdp_cli import *  # noqa: F403

__all__ = _package.__all__
__doc__ = _package.__doc__

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        return getattr(_package, name)


def __dir__() -> list[str]:
    return dir(_package)
