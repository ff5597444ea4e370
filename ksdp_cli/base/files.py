"""Paths as users write them, and reads that neither block nor fill the memory."""

from __future__ import annotations

import json
import os
import re
import select
import stat
import time
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

from ..errors import ConfigError

#: A JSON object: strings, numbers, booleans, None, and lists and objects of these.
JsonDict: TypeAlias = dict[str, Any]
#: Largest configuration file and largest metadata of a store [bytes]; real ones are far smaller.
LARGEST_TOML, LARGEST_METADATA = 1 << 20, 1 << 26
#: Seconds to wait for the writer of a pipe.
PATIENCE = 3.0
# one slash: `Path` turns two slashes of a command line's words into one
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")


def local(name: str | os.PathLike[str]) -> Path:
    """Return a path on this machine: expand ``~``, drop ``file://``.

    Raises `ConfigError` for any other URL, for a NUL character, and for what is no path.
    """
    try:
        text = os.fspath(name)
    except TypeError:
        raise ConfigError(f"a {type(name).__name__} is not a path", "give the path of a file or folder") from None
    url = _URL.match(text)
    if url and url[1].lower() == "file":
        text = unquote(re.sub(r"^[^/]*:/+(localhost(?=/))?/*", "/", text))
    elif url:
        raise ConfigError(f"{text} is a URL, and ksdp reads and writes local files", "copy or mount it first")
    if "\0" in text:
        raise ConfigError(f"{text!r} has a NUL character, which no path can have", "check the path")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(f"{text}: there is no such home folder", "write the full path") from None


def target(name: str | os.PathLike[str]) -> Path:
    """Return `local` for an output; resolve ``..`` as far as folders exist.

    Raises `ConfigError` for a path that names no file, such as ``/``.
    """
    path = local(name)
    if not str(name) or not path.name:
        raise ConfigError(f"the output {str(name)!r} names no file", "use -o with a name")
    return Path(os.path.realpath(path)) if ".." in path.parts else path


def open_regular(path: Path) -> BufferedReader:
    """Open ``path`` for reading. Raises `ValueError` for a pipe or a device: reading it could block for ever."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        if path.is_dir():
            raise IsADirectoryError(21, "Is a directory", str(path))
        raise ValueError(f"{path.name} is not a regular file")
    return open(handle, "rb")


def read_whole(path: Path, most: int) -> bytes:
    """Return the bytes of a regular file. Raises `ValueError` for more than ``most`` bytes, and `OSError`."""
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path.name} has more than {most} bytes")
    return content


def read_file_or_pipe(path: Path, most: int) -> bytes:
    """Return the bytes of a file as `read_whole`, or of a pipe such as the shell's ``<(command)``.

    Raises `ValueError` for more than ``most`` bytes and for a pipe that does not end within `PATIENCE`.
    """
    if not path.is_fifo():
        return read_whole(path, most)
    handle, content, began = os.open(path, os.O_RDONLY | os.O_NONBLOCK), b"", time.monotonic()
    try:
        while len(content) <= most and time.monotonic() - began < PATIENCE:
            if select.select([handle], [], [], 0.1)[0]:
                try:
                    piece = os.read(handle, 1 << 16)
                except BlockingIOError:
                    continue
                if not piece and content:
                    return content
                content += piece
                time.sleep(0.0 if piece else 0.05)  # a pipe without a writer reads as if it had ended
    finally:
        os.close(handle)
    raise ValueError(f"the pipe {path} gave {len(content)} bytes and did not end within {PATIENCE:g} s")


def parse_json(raw: bytes | str) -> Any:
    """Parse JSON. Raises `ValueError` for invalid or too deeply nested text."""
    try:
        return json.loads(raw)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_json(path: Path) -> Any:
    """Return the JSON of a metadata file. Raises `ValueError` and `OSError`."""
    return parse_json(read_whole(path, LARGEST_METADATA))


def decode(raw: bytes) -> str:
    """Decode UTF-8, or UTF-16 and UTF-32 with a byte order mark. Raises `UnicodeDecodeError`."""
    for mark, encoding in ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32")):
        if raw.startswith(mark):
            return raw.decode(encoding)
    return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")


def printable(text: str) -> str:
    r"""Return the text on one line, with control characters and lone surrogates as ``\x1b`` and ``\ud800``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or (c.isspace() and c in " \u00a0\u3000") else _escape(c) for c in text)


def _escape(c: str) -> str:
    number = ord(c)
    if 0xDC80 <= number <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{number - 0xDC00:02x}"
    if number > 0xFFFF or c in "\u200c\u200d\ufe0f":
        return c
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
