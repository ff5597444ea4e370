"""One look for all pictures, and files that do not depend on the machine, the time, or a user's matplotlibrc.

Figures are made as objects, without pyplot: no window, no global list of figures, no display needed.
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
#: What a film in WebP says of its maker.
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="ksdp"/>'
#: What each format writes about itself: who made it, and no date, which would make every file another one.
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
    "text.parse_math": False,  # a dollar in a title is a dollar
}
#: Blue, orange and black are told apart in every common colour blindness (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#000000", "#009E73", "#CC79A7", "#56B4E9")
#: Lines and points are told apart without colour too.
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 2)))
MARKERS = "os^Dv*"


#: Where the figures of the pictures that are drawn in a block are kept, if anywhere.
_KEPT: ContextVar[list[Any] | None] = ContextVar("kept", default=None)


@contextmanager
def keep_figures() -> Iterator[list[Figure]]:
    """The `matplotlib.figure.Figure` of every picture that is drawn within the block."""
    figures: list[Any] = []
    token = _KEPT.set(figures)
    try:
        yield figures
    finally:
        _KEPT.reset(token)


@contextmanager
def canvas(width: float, height: float, layout: Layout = "constrained") -> Iterator[Figure]:
    """A figure of ``width`` x ``height`` inches in our style, to be drawn and saved within the block."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a sign of a title becomes a box
        yield Figure((width, height), layout=layout)


def mend_texts(figure: Figure) -> None:
    """Show what no font has as it is shown elsewhere: half a character ends matplotlib."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        lines = "\n".join(printable(line) for line in text.get_text().split("\n"))
        if lines != text.get_text():
            text.set_text(lines)


@contextmanager
def picture(path: str | Path, width: float, height: float, layout: Layout = "constrained") -> Iterator[Figure]:
    """A figure of ``width`` x ``height`` inches, written to ``path``, whole, when the block ends without an error.

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
            # panels of fixed shape leave room at the edges
            options: dict[str, Any] = {"bbox_inches": "tight", "pad_inches": 0.06}
            figure.savefig(partial, format=target.suffix[1:], metadata=METADATA[target.suffix], **options)


def require_suffix(path: Path) -> None:
    """Raise `ConfigError` for a suffix of which there are no pictures."""
    if path.suffix not in METADATA:
        raise ConfigError(f"the picture {path} ends in {path.suffix!r}", f"use one of {', '.join(METADATA)}")


def is_own_picture(path: Path) -> bool:
    """Whether the picture ``path`` says that ksdp made it."""
    signs = {".png": b"Software\0" + MAKER.encode(), ".pdf": b"/Creator (" + MAKER.encode() + b")"}
    signs[".svg"] = b"<dc:title>" + MAKER.encode() + b"</dc:title>"
    signs |= {".gif": b"!\xfe\x04" + MAKER.encode(), ".webp": XMP, ".mp4": MAKER.encode()}
    sign = signs.get(path.suffix)
    return sign is not None and path.is_file() and sign in path.read_bytes()
