"""Open a store: check its metadata and coordinates against their digests."""

from __future__ import annotations

from os import PathLike

from ..base.files import local, read_json
from ..errors import ConfigError, DataError
from . import declared, layout
from .foreign import advice
from .layout import Header
from .reader import Run
from .siblings import backup

#: Exceptions from reading malformed metadata.
MALFORMED = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, ConfigError)


def open_run(path: str | PathLike[str]) -> Run:
    """Open a store that ksdp wrote, complete or not, and check its metadata and coordinates.

    Raises `DataError` if it is missing, damaged, not a ksdp store, or of an unknown format.
    """
    path = local(path)
    file = path / "zarr.json"
    if not path.exists():
        if backup(path.resolve()).exists():
            raise DataError(f"the writer of {path} was killed while replacing it", "run that command with --resume")
        raise DataError(f"there is no store {path}", "check the path")
    try:
        metadata = read_json(file)
        attributes = metadata["attributes"]
        version = attributes[layout.MARK]
        digest = attributes[layout.ROOT_DIGEST]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{path} is not a ksdp store, or its metadata is damaged", advice(path)) from None
    if version not in layout.FORMATS:
        formats = ", ".join(map(str, layout.FORMATS))
        raise DataError(f"{path} has format {version} and this ksdp reads {formats}", "update ksdp")
    try:
        if layout.root_digest(metadata) != digest:
            raise ValueError("zarr.json: the metadata do not match their digest")
        header = Header.from_attributes(attributes)
        if layout.static_digest(path, header) != attributes[layout.STATIC_DIGEST]:
            raise ValueError("metadata or coordinates do not match their digest")
        declared.check_metadata(path, header, metadata.get("consolidated_metadata"))
        run = Run(path, header, attributes)
        run.check_coordinates()
    except MALFORMED as error:
        raise DataError(f"{path}: {error}", "the store is damaged") from None
    return run
