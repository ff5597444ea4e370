"""The common style of all pictures, and files that do not depend on the machine, the time or a user's matplotlibrc.

Figures are objects made without pyplot, so that they need no window, no global list of figures and no display.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..base.files import printable
from ..base.outputs import write_whole
from ..errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Layout = Literal["constrained", "compressed"]
MAKER = "ksdp"
#: The metadata of a WebP film, which names ksdp.
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="ksdp"/>'
#: The metadata of each format: the program, and no date, so that equal pictures give equal files.
METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": MAKER},
    ".pdf": {"Creator": MAKER, "CreationDate": None},
    ".svg": {"Creator": MAKER, "Date": None},
}
STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.titlesize": 11,
    "font.size": 9,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "svg.hashsalt": MAKER,
    "text.parse_math": False,  # a dollar sign in a title stays one
}
#: Blue, orange and black can be distinguished with every common colour blindness (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#000000", "#009E73", "#CC79A7", "#56B4E9")
#: Dashes and markers distinguish curves without colour.
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 2)))
MARKERS = "os^Dv*"


#: The list that collects the figures of a `keep_figures` block, or None outside a block.
_KEPT: ContextVar[list[Any] | None] = ContextVar("kept", default=None)


@contextmanager
def keep_figures() -> Iterator[list[Figure]]:
    """Collect the `matplotlib.figure.Figure` of every picture drawn within the block."""
    figures: list[Any] = []
    token = _KEPT.set(figures)
    try:
        yield figures
    finally:
        _KEPT.reset(token)


@contextmanager
def canvas(width: float, height: float, layout: Layout = "constrained") -> Iterator[Figure]:
    """A figure of ``width`` x ``height`` inches in the common style; draw and save it within the block."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing from font"
        )  # a character without a glyph becomes a box
        yield Figure((width, height), layout=layout)


def mend_texts(figure: Figure) -> None:
    """Escape characters that cannot be printed, as elsewhere: matplotlib fails on half a surrogate pair."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        lines = "\n".join(printable(line) for line in text.get_text().split("\n"))
        if lines != text.get_text():
            text.set_text(lines)


@contextmanager
def picture(path: str | Path, width: float, height: float, layout: Layout = "constrained") -> Iterator[Figure]:
    """A figure of ``width`` x ``height`` inches; the file ``path`` is written when the block ends without an error.

    Raises `ConfigError` for a suffix that is not .png, .pdf or .svg.
    """
    target = Path(path)
    require_suffix(target)
    with canvas(width, height, layout) as figure:
        yield figure
        mend_texts(figure)
        if (others := _KEPT.get()) is not None:
            others.append(figure)
        with write_whole(target) as partial:
            # crop the margins that panels of fixed shape leave
            options: dict[str, Any] = {"bbox_inches": "tight", "pad_inches": 0.06}
            figure.savefig(partial, format=target.suffix[1:], metadata=METADATA[target.suffix], **options)


def require_suffix(path: Path) -> None:
    """Raise `ConfigError` for a suffix that is not a picture format."""
    if path.suffix not in METADATA:
        raise ConfigError(f"the picture {path} ends in {path.suffix!r}", f"use one of {', '.join(METADATA)}")


def is_own_picture(path: Path) -> bool:
    """Whether the metadata of the picture ``path`` name ksdp."""
    signs = {".png": b"Software\0" + MAKER.encode(), ".pdf": b"/Creator (" + MAKER.encode() + b")"}
    signs[".svg"] = b"<dc:title>" + MAKER.encode() + b"</dc:title>"
    signs |= {".gif": b"!\xfe\x04" + MAKER.encode(), ".webp": XMP, ".mp4": MAKER.encode()}
    sign = signs.get(path.suffix)
    return sign is not None and path.is_file() and sign in path.read_bytes()
